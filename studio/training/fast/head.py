"""Log-probabilities of the tokens that are learnt, and of no others; the logits of all positions are never made."""

import functools
import types
from typing import Any

import torch
from torch.nn import functional
from trl.kernels import ChunkedLogProbFunction

from studio.training.fast.attention import Piece

LOGITS_AT_ONCE = {"cpu": 2**24, "cuda": 2**27}
"""How many logits are held at a time."""

_VOCABULARY_AT_ONCE = 32768


class _Scored(torch.autograd.Function):  # type: ignore[misc]
    """The log-probability of each target under a frozen head.

    What a log-probability hangs on each hidden state by is known in the forward pass but for one factor, so the
    backward pass has nothing to compute again.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        slopes = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        scores = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        rows = max(1, LOGITS_AT_ONCE.get(hidden.device.type, 2**24) // weight.shape[0])
        for start in range(0, len(hidden), rows):
            part, ids = slice(start, start + rows), targets[start : start + rows].unsqueeze(1)
            logits = functional.linear(hidden[part], weight).float()
            total = logits.logsumexp(dim=-1, keepdim=True)
            scores[part] = (logits.gather(1, ids) - total).squeeze(1)
            if slopes is not None:
                pull = logits.sub_(total).exp_().neg_()
                pull.scatter_add_(1, ids, torch.ones_like(total))
                slopes[part] = pull.to(weight.dtype) @ weight
        ctx.save_for_backward(slopes)
        return scores

    @staticmethod
    def backward(ctx: Any, *given: Any) -> tuple[torch.Tensor | None, None, None]:
        (slopes,) = ctx.saved_tensors
        return slopes * given[0].unsqueeze(1).to(slopes.dtype), None, None


def token_scores(hidden: torch.Tensor, head: Any, targets: torch.Tensor) -> torch.Tensor:
    """Return the log-probability of each target after its hidden state."""
    if head.weight.requires_grad or hidden.dtype != head.weight.dtype:
        trained: torch.Tensor = ChunkedLogProbFunction.apply(
            hidden, head.weight, head.bias, targets, 1.0, _VOCABULARY_AT_ONCE, None, 1.0, ()
        )[0]
        return trained
    scored: torch.Tensor = _Scored.apply(hidden, head.weight, targets)
    return scored


def add_scoring(model: Any) -> None:
    """Let a model return the scores of the tokens `scored_ids`, each after the position in `scored_from`.

    The model's own forward is as before where these are not given. Only the wrapped forward is called, so that what
    is wrapped around a model to train it on several devices still works.
    """
    plain_forward = model.forward

    @functools.wraps(type(model).forward)
    def forward(
        self: Any,
        *args: Any,
        scored_from: torch.Tensor | None = None,
        scored_ids: torch.Tensor | None = None,
        pieces: list[Piece] | None = None,
        **given: Any,
    ) -> Any:
        if scored_from is None or scored_ids is None:
            return plain_forward(*args, **given)
        # transformers leaves a mask with four dimensions as it is, and makes none of its own.
        own = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=scored_ids.device)
        named = {**given, "use_cache": False, "attention_mask": own, "pieces": pieces}
        hidden = self.base_model(*args, **named).last_hidden_state[0]
        return token_scores(hidden.index_select(0, scored_from), self.get_output_embeddings(), scored_ids)

    model.forward = types.MethodType(forward, model)
