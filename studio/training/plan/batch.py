"""The batch that a run would compute on, as a process with the trainer's libraries answers for it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import runs
from store.database import Store
from store.snapshots import SnapshotKind
from studio.project import Project
from studio.training.plan.asking import ask
from studio.training.recipe import KINDS, Method

if TYPE_CHECKING:
    from studio.rendering import ChatTokenizer


@dataclass(frozen=True)
class Request:
    """Which batch is asked for."""

    method: Method
    examples: tuple[int, ...] = ()
    """These as one batch; where there are none, the first batch of a run."""
    overrides: tuple[str, ...] = ()
    """Changes of the recipe, each KEY=VALUE."""
    model: str | None = None
    """The base model; the parent's or the project's where none is named."""
    parent: str | None = None
    """The run that this one would go on from."""

    @property
    def kind(self) -> SnapshotKind:
        """What the rows are made of."""
        return KINDS[self.method]


@dataclass(frozen=True)
class Part:
    """A stretch of a row that comes from one example."""

    example: int | None
    side: str
    """`chosen` or `rejected` of a pair, `prompt` where both share one; `good` or `bad`; empty for a conversation."""
    start: int
    end: int


@dataclass(frozen=True)
class BatchRow:
    """One row of a batch, as long as its longest."""

    ids: list[int]
    trained: list[bool]
    """For each id, whether its loss is counted."""
    present: list[bool]
    """For each id, whether it is text; all others are padding."""
    parts: list[Part]

    @property
    def padding(self) -> int:
        """How many of its ids are padding."""
        return self.present.count(False)


@dataclass(frozen=True)
class Batch:
    """What the collator made, and the data set that it is of."""

    method: Method
    packing: bool
    max_length: int
    batch_size: int
    rows: list[BatchRow]
    rows_in_all: int
    """Rows of the whole data set: of packed ones fewer than examples."""
    examples_in_all: int
    left_out: int
    """Rows that training leaves out, since they can't be rendered or their prompt is too long."""
    drawn_from: int = 0
    """How many rows there are, where only some of them were drawn; else 0."""

    @property
    def padding_share(self) -> float:
        """Which share of what is computed on is padding."""
        size = sum(len(row.ids) for row in self.rows)
        return sum(row.padding for row in self.rows) / size if size else 0.0


def read_batch(project_folder: Path, request: Request, cancelled: Callable[[], bool]) -> Batch | None:
    """Ask for a batch and wait for it; None where it was cancelled. It takes seconds, since libraries are loaded.

    Raises:
        StudioError: no row can be trained on, or the process failed.
    """
    found = ask("studio.training.plan.look", project_folder, asdict(request), cancelled)
    return _batch(found) if found is not None else None


def _batch(found: dict[str, Any]) -> Batch:
    rows = [BatchRow(**{**row, "parts": [Part(**part) for part in row["parts"]]}) for row in found["rows"]]
    return Batch(**{**found, "rows": rows})


def tokenizer_of(project: Project, store: Store, request: Request) -> "ChatTokenizer":
    """Return the tokenizer that the ids of a run's batch are of."""
    from studio.rendering import load_tokenizer
    from studio.training.trainer.starting_point import base_of, template_of

    parent = runs.get(store, request.parent) if request.parent else None
    base = base_of(project, parent, request.model)
    return load_tokenizer(base.folder, template_of(project, base, parent).text)
