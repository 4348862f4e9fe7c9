"""What a person asks for: which models answer which prompts, how often, and what is compared."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from studio.errors import StudioError
from studio.generating.pairing import KINDS, PairKind
from studio.inference.engine import DEFAULT_CONTEXT

DEFAULT_TEMPERATURE = 0.7
HIGHEST_TEMPERATURE = 2.0
MOST_EACH = 100
"""Replies of one model to one prompt at one temperature."""


@dataclass(frozen=True)
class Wanted:
    """The request of a job that makes candidates; plain enough for JSON."""

    models: tuple[str, ...]
    examples: tuple[int, ...]
    """Whose prompts; decided once, so that a job that goes on makes what was asked for."""
    n: int = 1
    """Replies of each model to each prompt at each temperature; one at temperature 0, where all are the same."""
    temperatures: tuple[float, ...] = (DEFAULT_TEMPERATURE,)
    seed: int = 0
    max_tokens: int = 512
    pairs: PairKind = "any"
    send: bool = False
    """The person read what leaves the machine, and agreed."""

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Wanted":
        """Read a job's request."""
        lists = {name: tuple(request[name]) for name in ("models", "examples", "temperatures")}
        return cls(**{**request, **lists})

    def as_request(self) -> dict[str, Any]:
        """Return the request of a job."""
        return asdict(self)

    @property
    def slots(self) -> list[tuple[float, int]]:
        """Temperature and number of each reply that a model gives to one prompt."""
        return [(heat, number) for heat in self.temperatures for number in range(self.n if heat else 1)]

    @property
    def replies(self) -> int:
        """How many are made if none is left out."""
        return len(self.models) * len(self.examples) * len(self.slots)

    def seed_of(self, model: str, example_id: int, slot: tuple[float, int], attempt: int) -> int:
        """Return the seed of one reply: another for each, and the same for the same reply whenever it is made."""
        what = repr((self.seed, model, example_id, *slot, attempt))
        return int.from_bytes(hashlib.blake2b(what.encode(), digest_size=4).digest()) >> 1


def wanted(
    models: tuple[str, ...],
    examples: tuple[int, ...],
    *,
    n: int | None = None,
    temperatures: tuple[float, ...] = (),
    seed: int,
    max_tokens: int = 512,
    pairs: str | None = None,
    send: bool = False,
) -> Wanted:
    """Return a request; what is left out is chosen so that each prompt gets something to compare.

    Raises:
        StudioError: a value is out of its range.
    """
    heats = tuple(dict.fromkeys(temperatures)) or (DEFAULT_TEMPERATURE,)
    names = tuple(dict.fromkeys(models))
    count = n if n is not None else 2 if len(names) == len(heats) == 1 and heats[0] else 1
    kind = pairs or ("models" if len(names) > 1 else "temperatures" if len(heats) > 1 else "any")
    if not names:
        raise StudioError("No model is named.", "Name one at least: a run, a model, or a GGUF file.")
    if not 1 <= count <= MOST_EACH:
        raise StudioError(f"n is {count}, and must be from 1 to {MOST_EACH}.")
    if any(not 0 <= heat <= HIGHEST_TEMPERATURE for heat in heats):
        raise StudioError(f"A temperature must be from 0 to {HIGHEST_TEMPERATURE:g}.")
    if not 1 <= max_tokens < DEFAULT_CONTEXT:
        raise StudioError(f"max tokens is {max_tokens}, and must be from 1 to {DEFAULT_CONTEXT - 1}.")
    if not 0 <= seed < 2**32:
        raise StudioError("seed must be from 0 to 4294967295.")
    for known in KINDS:
        if known == kind:
            return Wanted(names, examples, count, heats, seed, max_tokens, known, send)
    raise StudioError(f"There are no pairs of kind {kind!r}.", f"Choose one of {', '.join(KINDS)}.")


def describe(wanted: Wanted) -> list[str]:
    """Say in a few lines what would be made."""
    heats = ", ".join(f"{heat:g}" for heat in wanted.temperatures)
    number = len(wanted.examples)
    what = (
        f"{number:,} {'prompt' if number == 1 else 'prompts'}, {len(wanted.slots):,} each from"
        f" {', '.join(wanted.models)}: {wanted.replies:,} {'reply' if wanted.replies == 1 else 'replies'}"
    )
    return [
        f"{what}.",
        f"Temperature {heats}, at most {wanted.max_tokens:,} tokens, seed {wanted.seed}.",
        "No pairs." if wanted.pairs == "none" else f"Pairs to compare: {KINDS[wanted.pairs]}.",
    ]
