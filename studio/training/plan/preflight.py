"""What a run would train on and what stands in its way, said before it is started."""

from dataclasses import dataclass, field
from typing import Any

from store.database import Store
from store.snapshots import SnapshotKind
from studio.errors import StudioError
from studio.project import Project
from studio.training.recipe import Method


@dataclass(frozen=True)
class Preflight:
    """The rows of a run that is not started yet."""

    train: int = 0
    validation: int = 0
    counts: dict[str, Any] = field(default_factory=dict)
    """As the snapshot has them: rows by split, and others by why they were left out."""
    problems: list[str] = field(default_factory=list)
    """Why it can't be started, a sentence each with what to do."""

    def sentence(self, most_measured: int) -> str:
        """Return the rows in words, with why others are left out.

        Args:
            most_measured: of how many held-out rows a run measures itself at most; 0 for all.
        """
        said = f"{self.train:,} rows to train on, {self.validation:,} held out to measure with"
        if 0 < most_measured < self.validation:
            said += f" ({most_measured:,} of them are taken)"
        left_out = self.counts.get("left_out") or {}
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        return f"{said}; left out: {reasons}" if reasons else said


def preflight(_project: Project, store: Store, *, method: Method, kind: SnapshotKind, teacher: str) -> Preflight:
    """Count the rows that a run with this method and kind of rows would use, without starting anything."""
    from studio.snapshots import survey
    from studio.training.rows.enough import refuse_too_little

    counts = survey(store, kind, teacher=teacher).counts
    problems = []
    try:
        refuse_too_little(method, counts)
    except StudioError as error:
        problems.append(str(error))
    return Preflight(counts.get("train", 0), counts.get("validation", 0), counts, problems)
