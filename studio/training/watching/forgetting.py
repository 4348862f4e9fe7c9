"""Whether a model forgets: its loss on general text that ships with the studio, before and after training."""

from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.rendering import ChatTokenizer
    from studio.training.trainer.hardware import Hardware

RISE = 0.05
"""A rise above this share is warned of: a few percent come and go with the seed."""

PASSAGE_TOKENS = 256
"""Tokens that are read together: enough for context, little enough for any machine."""


def measure(model: Any, tokenizer: "ChatTokenizer", hardware: "Hardware") -> float:
    """Return the mean loss per token on the general text, in nats.

    The model must write text: one that only scores has no such loss. In a run whose weights are shared out over
    several processes all of them have to call this.
    """
    import torch

    was_training = model.training
    model.eval()
    total = tokens = 0.0
    try:
        with torch.no_grad():
            for ids in passages(tokenizer):
                loss, counted = _loss(model, torch.tensor([ids], device=hardware.device))
                total += loss
                tokens += counted
    finally:
        model.train(was_training)
    return total / tokens


def facts(before: float, after: float) -> dict[str, Any]:
    """Return the two losses as results, with a warning where the second is clearly higher."""
    found: dict[str, Any] = {"general_loss_before": round(before, 4), "general_loss_after": round(after, 4)}
    rise = after / before - 1
    if rise > RISE:
        found["general_warning"] = (
            f"The loss on general text rose by {rise:.0%}: the model forgets. "
            "Train fewer epochs or with a smaller learning_rate, or mix in earlier data with replay."
        )
    return found


def passages(tokenizer: "ChatTokenizer") -> list[list[int]]:
    """Return the general text as token ids, in passages that begin as the model's texts do."""
    first = tokenizer.tokenizer.token_to_id(tokenizer.named_tokens.get("bos_token", ""))
    head = [] if first is None else [first]
    found = []
    for text in texts():
        ids = tokenizer.tokenizer.encode(text, add_special_tokens=False).ids
        found += [head + ids[start : start + PASSAGE_TOKENS] for start in range(0, len(ids), PASSAGE_TOKENS)]
    return [ids for ids in found if len(ids) > 1]


def texts() -> list[str]:
    """Return the general texts, in the order of their names."""
    folder = files("studio.training.watching") / "general_text"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".txt")), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in found]


def _loss(model: Any, ids: Any) -> tuple[float, int]:
    import torch

    logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
    loss = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum")
    return float(loss), ids.shape[1] - 1
