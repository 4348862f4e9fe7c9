"""How many tokens a model reads while it is trained, and how many floating-point operations that takes.

The operations are those that the mathematics needs: 2 for each weight and token forward, 2 backward, and 2 more for a
weight that is trained itself; attention by how many tokens each token sees, as if every layer looked at all that went
before. What is computed twice to save memory counts once, and where TRL's own loss multiplies by the head's weights by
itself that goes unseen, so that the use of a device is rather understated. Of a mixture of experts only the tokens are
counted.
"""

from dataclasses import dataclass
from typing import Any

import torch

BACKWARD = 2
"""The way back costs twice the way forward where the weights are trained, and as much where they are not."""


@dataclass(frozen=True)
class Work:
    """What was done since the last question."""

    tokens: int
    """Tokens that the model read to learn from; padding is none."""
    flops: float


@dataclass(frozen=True)
class Costs:
    """A model's cost: operations for each token read, for each token seen by another, for each position predicted."""

    token: float
    token_learning: float
    """The same where the way back follows."""
    seen: float
    position: float
    position_learning: float


class Counter:
    """Counts what goes through a model, by hooks on its backbone and on its head."""

    def __init__(self, model: Any) -> None:
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        backbone = getattr(inner, getattr(inner, "base_model_prefix", "") or "", inner)
        head = inner.get_output_embeddings()
        self._costs = costs_of(inner, head)
        self._tokens: Any = 0
        self._flops: Any = 0.0
        backbone.register_forward_pre_hook(self._read, with_kwargs=True)
        model.register_forward_pre_hook(self._asked, with_kwargs=True)
        if head is not None:
            head.register_forward_pre_hook(self._predicted)

    def take(self) -> Work:
        """Return what was done since the last time; on a GPU this waits for it."""
        work = Work(int(self._tokens), float(self._flops))
        self._tokens, self._flops = 0, 0.0
        return work

    def _read(self, _module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        ids = named.get("input_ids")
        ids = ids if ids is not None else named.get("inputs_embeds", inputs[0] if inputs else None)
        if ids is None:
            return
        tokens, seen = lengths(ids.shape[:2], named.get("attention_mask"), named.get("position_ids"))
        learns = torch.is_grad_enabled()
        passes = 1 + BACKWARD if learns else 1
        each = self._costs.token_learning if learns else self._costs.token
        # What lies on a GPU stays there until it is asked for: reading it each time would make the processor wait.
        self._flops = self._flops + tokens * each + seen * (passes * self._costs.seen)
        if learns:
            self._tokens = self._tokens + tokens

    def _asked(self, _module: Any, _inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        # The fast way asks for the scores of single tokens, and takes the head's weights without calling the head.
        scored = named.get("scored_ids")
        if scored is not None:
            self._count_positions(scored.numel())

    def _predicted(self, _module: Any, inputs: tuple[Any, ...]) -> None:
        self._count_positions(inputs[0].numel() // inputs[0].shape[-1])

    def _count_positions(self, positions: int) -> None:
        learns = torch.is_grad_enabled()
        self._flops = self._flops + positions * (self._costs.position_learning if learns else self._costs.position)


def lengths(shape: Any, mask: Any, positions: Any) -> tuple[Any, Any]:
    """Return how many tokens a batch holds, padding left out, and how many tokens these see together.

    Args:
        shape: rows and columns of the batch.
        mask: what is no padding, where a batch has padding; others are not read.
        positions: each token's place in its own text, where several lie in a row.
    """
    rows, columns = int(shape[0]), int(shape[1])
    flat = isinstance(mask, torch.Tensor) and mask.dim() == 2 and tuple(mask.shape) == (rows, columns)
    if flat:
        real = (mask != 0).to(torch.float64)
        counted = real.sum(dim=1)
        return counted.sum(), (counted * (counted + 1) / 2).sum()
    if isinstance(positions, torch.Tensor) and tuple(positions.shape[-2:]) == (rows, columns):
        return rows * columns, (positions.reshape(-1, rows, columns)[0].to(torch.float64) + 1).sum()
    return rows * columns, rows * columns * (columns + 1) / 2


def costs_of(model: Any, head: Any) -> Costs:
    """Return what a model costs, by its weights and its attention."""
    if any(weight.dim() > 2 for weight in model.parameters()):
        return Costs(0.0, 0.0, 0.0, 0.0, 0.0)  # experts, of which each token passes only some
    weights = trained = 0
    outside = {id(p) for part in (model.get_input_embeddings(), head) if part is not None for p in part.parameters()}
    for weight in model.parameters():
        if id(weight) not in outside and weight.dim() > 1:
            weights += _size(weight)
            trained += _size(weight) if weight.requires_grad else 0
    at_head = list(head.parameters()) if head is not None else []
    head_weights = sum(_size(weight) for weight in at_head)
    head_trained = sum(_size(weight) for weight in at_head if weight.requires_grad)
    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config
    heads = getattr(config, "num_attention_heads", 0)
    width = heads * (getattr(config, "head_dim", None) or (config.hidden_size // heads if heads else 0))
    return Costs(
        token=2.0 * weights,
        token_learning=4.0 * weights + 2.0 * trained,
        seen=4.0 * width * getattr(config, "num_hidden_layers", 0),
        position=2.0 * head_weights,
        position_learning=4.0 * head_weights + 2.0 * head_trained,
    )


def _size(weight: Any) -> int:
    """Return how many numbers a weight stands for: bitsandbytes packs them, and DeepSpeed shares them out."""
    packed = getattr(getattr(weight, "quant_state", None), "shape", None)
    shared = getattr(weight, "ds_numel", None)
    return int(packed.numel() if packed is not None else shared if shared is not None else weight.numel())
