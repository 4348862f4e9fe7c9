"""LoRA in fewer passes over memory than PEFT's own: no copy of a layer's input or output in fp32."""

import types
from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch.nn import functional


class _Adapted(torch.autograd.Function):  # type: ignore[misc]
    """A frozen linear layer and the adapter on it, computed in the layer's number format."""

    @staticmethod
    def forward(
        ctx: Any,
        given: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        rows = given.reshape(-1, given.shape[-1])
        down, up = down.to(rows.dtype), up.to(rows.dtype)
        inner = rows @ down.t()
        made = functional.linear(rows, weight, bias).addmm_(inner, up.t(), alpha=scale)
        ctx.save_for_backward(rows, weight, down, up, inner)
        ctx.scale = scale
        return made.view(*given.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> tuple[torch.Tensor | None, ...]:
        rows, weight, down, up, inner = ctx.saved_tensors
        slope = slopes[0].reshape(-1, slopes[0].shape[-1])
        inner_slope = slope @ up
        back = None
        if ctx.needs_input_grad[0]:
            back = (slope @ weight).addmm_(inner_slope, down, alpha=ctx.scale).view(*slopes[0].shape[:-1], -1)
        to_down = (inner_slope.t() @ rows).float().mul_(ctx.scale)
        to_up = (slope.t() @ inner).float().mul_(ctx.scale)
        return back, None, None, to_down, to_up, None


def quicken(model: Any) -> int:
    """Let each plain LoRA layer compute so; return how many do. Others stay PEFT's: DoRA, quantised, with dropout."""
    layers = [each for each in model.modules() if type(each) is Linear and _is_plain(each)]
    for layer in layers:
        layer.forward = types.MethodType(_forward, layer)
    return len(layers)


def _is_plain(layer: Any) -> bool:
    base = layer.get_base_layer()
    return (
        type(base) is torch.nn.Linear
        and not base.weight.requires_grad
        and not layer.lora_variant
        and not any(layer.lora_bias.values())
        and all(isinstance(dropout, torch.nn.Identity) for dropout in layer.lora_dropout.values())
    )


def _forward(layer: Any, given: torch.Tensor, *args: Any, **named: Any) -> torch.Tensor:
    [name, *others] = layer.active_adapters or [""]
    is_otherwise = others or args or named or layer.disable_adapters or layer.merged or name not in layer.lora_A
    base = layer.get_base_layer()
    if is_otherwise or torch.is_autocast_enabled(given.device.type) or given.dtype != base.weight.dtype:
        found: torch.Tensor = Linear.forward(layer, given, *args, **named)
        return found
    down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
    made: torch.Tensor = _Adapted.apply(given, base.weight, base.bias, down, up, layer.scaling[name])
    return made
