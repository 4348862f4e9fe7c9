"""What is known of a run before it is started."""

from dataclasses import dataclass
from typing import Any, Literal

from studio.training.recipe import Method

GIB = 1 << 30

SPARE = 0.1
"""Share of the free memory that is not planned with: an estimate may be off, and others need some."""

Level = Literal["blocks", "warns"]


@dataclass(frozen=True)
class Rows:
    """What is trained on, in rows and in tokens."""

    train: int
    """Rows of the snapshot to train on."""
    held_out: int
    left_out: dict[str, int]
    """Others of the project, by why they are no rows."""
    replayed: int = 0
    """Of the rows to train on, those that the parent knew already."""
    kept: int = 0
    """Rows that reach the trainer: the others are too long or can't be rendered."""
    cut: int = 0
    """Rows that lose tokens at their end because they are longer than max_length."""
    dropped: int = 0
    """Rows that are left out because within max_length nothing of them would be learnt."""
    not_rendered: int = 0
    tokens: int = 0
    """Tokens that the model reads in an epoch, padding left out."""
    learnt: int = 0
    """Of these, the ones that the loss counts."""
    longest: int = 0
    """Tokens of the longest row, as the trainer computes on it."""
    packed: int = 0
    """Rows that the examples are packed into; 0 where nothing is packed."""
    looked_at: int = 0
    """Rows that were made into tokens: of very many only a part is, and the figures are scaled up."""

    @property
    def masked_share(self) -> float:
        """Which share of the tokens the loss does not count."""
        return 1 - self.learnt / self.tokens if self.tokens else 0.0

    @property
    def is_estimated(self) -> bool:
        """Whether the figures come from a part of the rows."""
        return self.looked_at < self.train


@dataclass(frozen=True)
class Finding:
    """Something that stands in a run's way, or spoils what it learns."""

    level: Level
    sentence: str
    hint: str = ""
    check: str = ""
    """The check of `studio lint` that found it; empty for others."""
    rows: int = 0


@dataclass(frozen=True)
class Part:
    """A part of the memory that a run needs."""

    name: str
    size: int


@dataclass(frozen=True)
class Memory:
    """The most memory that a run needs at a time, in bytes."""

    device: str
    """Where it is needed: `memory` or `GPU memory`."""
    parts: tuple[Part, ...]
    needed: int
    free: int
    """What is free there now."""

    @property
    def fits(self) -> bool:
        """Whether it goes in, with some to spare."""
        return self.needed <= self.free * (1 - SPARE)

    @property
    def sentence(self) -> str:
        """The two figures in words."""
        return f"about {self.needed / GIB:.1f} GB of {self.device} needed, {self.free / GIB:.1f} GB free"


@dataclass(frozen=True)
class Change:
    """A change of the recipe that lets a run need less memory."""

    overrides: tuple[str, ...]
    """Each KEY=VALUE; the effective batch stays what it was."""
    why: str
    needed: int
    """Bytes that the run needs with this change and those before it."""


@dataclass(frozen=True)
class Timed:
    """What a few real steps took."""

    steps: int
    """Optimiser steps that were timed."""
    seconds_a_step: float
    tokens_a_second: float
    parts: tuple[tuple[str, float], ...]
    """What the whole run takes, by what it is at, in seconds."""
    peak: int
    """The most memory that these steps held, in bytes; the longest row was among them."""

    @property
    def seconds(self) -> float:
        """How long the whole run takes, about."""
        return sum(seconds for _, seconds in self.parts)


@dataclass(frozen=True)
class Plan:
    """All that is known of a run before it is started."""

    method: Method
    model: str
    parent: str | None
    overrides: tuple[str, ...]
    """What was asked for, each KEY=VALUE."""
    recipe: dict[str, Any]
    """The recipe as it would be, with the preset for so many rows."""
    device: str
    """What it would be trained on, in words."""
    dtype: str
    rows: Rows
    findings: tuple[Finding, ...]
    """What blocks first."""
    steps: int = 0
    effective_batch: int = 0
    memory: Memory | None = None
    """None where nothing could be estimated, since the run can't be started."""
    changes: tuple[Change, ...] = ()
    """Where it does not fit: what to change, one after the other, until it does."""
    timed: Timed | None = None
    """None until it is asked for."""
