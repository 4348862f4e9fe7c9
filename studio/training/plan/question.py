"""What is asked about a run."""

from dataclasses import dataclass
from typing import Any

from studio.training.recipe import Method


@dataclass(frozen=True)
class Question:
    """Which run is planned."""

    method: Method
    overrides: tuple[str, ...] = ()
    """Changes of the recipe, each KEY=VALUE."""
    model: str | None = None
    parent: str | None = None
    timed: bool = False
    """Whether a few real steps are taken."""

    @classmethod
    def of(cls, table: dict[str, Any]) -> "Question":
        """Read it back from JSON."""
        return cls(**{**table, "overrides": tuple(table["overrides"])})
