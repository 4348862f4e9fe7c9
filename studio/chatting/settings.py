"""How a chat is held: sampling, context, blind or not, and what is put before a question."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from studio.inference.engine import DEFAULT_CONTEXT, Sampling

ALTERNATIVES = 5
"""Of each token of an answer, how many that might have stood there are kept beside it."""

LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class ChatSettings:
    """How a chat is held."""

    sampling: Sampling = field(default_factory=Sampling)
    context: int = DEFAULT_CONTEXT
    blind: bool = False
    """Whether the answers to the next question are shown in an order that chance decides, without names."""
    documents: bool = False
    """Whether passages of the project's documents are put before a question."""
    examples: int = 0
    """How many of the project's examples are shown before a question."""
    alternatives: int = ALTERNATIVES

    def as_json(self) -> dict[str, Any]:
        """Return them as they are kept."""
        return asdict(self)


def settings_from(kept: Mapping[str, Any]) -> ChatSettings:
    """Return the settings that were kept; what an earlier version did not know is as in a new chat."""
    values = {name: kept[name] for name in _names(ChatSettings) if name in kept and name != "sampling"}
    sampling = kept.get("sampling") or {}
    known = {name: sampling[name] for name in _names(Sampling) if name in sampling}
    return ChatSettings(sampling=Sampling(**known), **values)


def with_sampling(sampling: Sampling, changes: Mapping[str, str]) -> Sampling:
    """Return sampling settings with changes given as text.

    Raises:
        ValueError: a value is no number, or out of its range; the message says which.
    """
    values: dict[str, Any] = {}
    for name, text in changes.items():
        kind = type(getattr(sampling, name))
        try:
            values[name] = kind(text)
        except ValueError:
            what = "whole number" if kind is int else "number"
            raise ValueError(f"{name} must be a {what}, not {text!r}") from None
    changed = replace(sampling, **values)
    if not 0 <= changed.temperature < float("inf"):
        raise ValueError("temperature must not be below 0")
    if not 0 < changed.top_p <= 1:
        raise ValueError("top_p must be above 0 and at most 1")
    if changed.max_tokens < 1:
        raise ValueError("max_tokens must be at least 1")
    if not 0 <= changed.seed <= LARGEST_SEED:
        raise ValueError(f"seed must be between 0 and {LARGEST_SEED}")
    return changed


def with_seed_moved(sampling: Sampling, steps: int) -> Sampling:
    """Return the settings with the seed so many further, that another answer is not the same one again."""
    return replace(sampling, seed=(sampling.seed + steps) % (LARGEST_SEED + 1))


def _names(of: type) -> list[str]:
    return [each.name for each in fields(of)]
