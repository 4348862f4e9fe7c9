"""From the project to a file in a known shape, with a manifest beside it that says where it came from."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

from store import search_index, snapshots
from store.database import Store
from store.examples import Split
from store.material import Alike
from store.snapshots import SnapshotKind
from studio import companions, formats, manifests
from studio.atomic import replacing
from studio.companions import Placed
from studio.errors import StudioError
from studio.formats.row import LabelledRow, PreferenceRow, PromptRow, RowError
from studio.formats.shape import Fields, Format
from studio.garbage import seldom_collected
from studio.manifests import manifest_of
from studio.project import Project
from studio.row_files import Hashed, check_suffix, open_rows
from studio.snapshot_rows import SnapshotRow
from studio.snapshots import Block, Selection, Wanted, pairs_of, recall, select


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote and what it left out, or for a dry run what it would."""

    format: str
    path: str
    manifest: str
    snapshot: str
    considered: int
    """Examples (for conversations) or pairs and labelled answers (for preferences) that the project holds."""
    used: int
    """How many of these were written."""
    rows: int
    """Rows of the file: one for each that was used, two for a pair where each row holds one labelled answer."""
    splits: dict[str, int]
    """Rows of each split."""
    left_out: dict[str, int]
    """How many were left out for which reason; with `used` they add up to `considered`."""
    replaced: bool
    """Whether an earlier export of the same name gave way."""
    companion: str = ""
    """The file beside it that the tool needs which the format is for."""
    note: str = ""
    dry_run: bool = False
    """Whether nothing was written."""
    first: Fields | None = None
    """The first row."""

    def summary(self) -> str:
        """Return the report in a few sentences."""
        splits = ", ".join(f"{name} {number:,}" for name, number in self.splits.items())
        rows = f"{self.rows:,} of" if self.rows == self.used else f"{self.rows:,} rows from {self.used:,} of"
        what = "rows" if self.rows == self.used else "pairs and answers"
        lines = [f"{self.path}: {rows} {self.considered:,} {what} as {self.format} ({splits})."]
        if self.left_out:
            reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(self.left_out.items()))
            lines.append(f"Left out: {reasons}.")
        if self.dry_run:
            lines.append("This is a dry run: nothing was written.")
        else:
            lines += ["It replaces the earlier export of that name."] * self.replaced
            lines += [f"Beside it: {self.companion}."] * bool(self.companion)
            lines.append(f"Manifest: {self.manifest}.")
        return "\n".join([*lines, self.note] if self.note else lines)


@dataclass
class _Said:
    """What came of the rows in the target's shape."""

    used: int = 0
    first: Fields | None = None
    origins: Counter[tuple[Split, int | None]] = field(default_factory=Counter)
    """Rows of each split and source; None is no source."""
    columns: set[str] = field(default_factory=set)
    unsaid: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """How many they are."""
        return self.origins.total()

    @property
    def splits(self) -> dict[str, int]:
        """Rows of each split that has some."""
        found: Counter[str] = Counter()
        for (split, _), number in self.origins.items():
            found[split] += number
        return {name: found[name] for name in get_args(Split) if found[name]}

    @property
    def sources(self) -> Counter[int | None]:
        """Rows of each source."""
        found: Counter[int | None] = Counter()
        for (_, source), number in self.origins.items():
            found[source] += number
        return found


def export(
    project: Project,
    store: Store,
    format: str,
    out: Path,
    *,
    split: str | None = None,
    query: str = "",
    snapshot: str | None = None,
    dry_run: bool = False,
) -> ExportReport:
    """Write what can be used now, or what an earlier `snapshot` holds, in one shape; the suffix says how rows lie.

    Raises:
        StudioError: the format is not known or not written, the query can't be understood, no row can be
            said in the format, the suffix does not fit, the disk is full, or the file is there and is no
            earlier export.
    """
    shape = formats.to_write(format)
    check_suffix(out)
    before = manifests.earlier(out)
    _companion(shape, out, before)
    if query.strip():
        # Inside the transaction of the export nothing can be indexed any more.
        search_index.catch_up(store)
    ask = partial(_select, store, shape, cast(Split | None, split), query, snapshot)
    if dry_run:
        with store.reading(), seldom_collected():
            selection = ask()
            said = _say(shape, selection, deque[Fields](maxlen=0).extend)
        return _report(shape, selection, said, out, replaced=before is not None, dry_run=True)
    with replacing(out.parent) as new:
        file = Hashed(new(out))
        rows = open_rows(shape.name, out, file)
        with store.reading(), seldom_collected():
            selection = ask()
            said = _say(shape, selection, rows.add)
        rows.finish()
        sha256 = file.sha256()
        companion = _companion(shape, out, before, said.columns)
        report = _report(shape, selection, said, out, replaced=before is not None, companion=companion)
        snapshots.save(store, selection.snapshot())
        manifest = {"query": query, "split": split, **manifests.describe(project, store, report, said.sources)}
        new(manifest_of(out)).write(manifests.with_files(manifest, out, sha256, companion))
        if companion:
            new(companion.path).write(companion.content)
    return report


_HOLDS: dict[SnapshotKind, str] = {
    "sft": "conversations",
    "preference": "preferences",
    "unpaired": "answers called good or bad",
    "prompts": "prompts alone",
    "distillation": "prompts with a teacher's answers",
}


def _select(store: Store, shape: Format, split: Split | None, query: str, snapshot: str | None) -> Selection:
    assert shape.kind is not None
    if snapshot is None:
        return select(store, Wanted(shape.kind, split, query, labelled=shape.write_labelled is not None))
    if split or query:
        raise StudioError("A snapshot is exported whole.", "Leave --split and --query away.")
    selection = recall(store, snapshot)
    if selection.kind != shape.kind:
        raise StudioError(
            f"Snapshot {snapshot} holds {_HOLDS[selection.kind]}, which {shape.name} is not for.",
            "Name another format.",
        )
    return selection


def _say(shape: Format, selection: Selection, add: Callable[[Iterable[Fields]], None]) -> _Said:
    """Hand each row on in the target's shape, and count what came of it."""
    said = _Said()
    for block in selection:
        add(_at_once(shape, block, said) or _one_by_one(shape, block, said))
    if not said.used:
        raise _nothing(shape, selection.left_out + said.unsaid)
    return said


def _at_once(shape: Format, block: Block, said: _Said) -> Iterator[Fields] | None:
    """Return the rows of pairs that are alike, one for each; None where some can't be said or the shape has others."""
    if not (block.alike and shape.holds_messages and shape.write_preference):
        return None
    row = next(pairs_of(block.alike))
    try:
        line = shape.write_preference(row)
    except RowError:
        return None
    said.first = said.first or deepcopy(line)
    said.columns.update(line)
    said.used += len(block.alike.prompts)
    said.origins.update(zip(block.used.split, block.used.source_id, strict=True))
    return _refilled(line, row, block.alike)


def _refilled(line: Fields, row: PreferenceRow, said: Alike) -> Iterator[Fields]:
    """Yield the one line that holds a row's messages, with other texts each time: to make all costs four times that."""
    (prompt,), (chosen,), (rejected,), _ = row
    texts = zip(said.prompts, said.chosen, said.rejected, strict=True)
    for prompt["content"], chosen["content"], rejected["content"] in texts:
        yield line


def _one_by_one(shape: Format, block: Block, said: _Said) -> Iterator[Fields]:
    """Yield the rows one at a time, so that each is made where the last was freed, and count them."""
    origins = zip(block.used.split, block.used.source_id, strict=True)
    for origin, row in zip(origins, block.rows, strict=True):
        try:
            lines = _written(shape, row)
        except RowError as reason:
            said.unsaid[str(reason)] += 1
            continue
        said.used += 1
        said.origins[origin] += len(lines)
        said.first = said.first or lines[0]
        for line in lines:
            if shape.companion:
                said.columns.update(line)
            yield line


def _written(shape: Format, row: SnapshotRow) -> list[Fields]:
    # Answers without a pair are chosen only for shapes that hold them, but an earlier snapshot may have some.
    if isinstance(row, LabelledRow) and not shape.write_labelled:
        raise RowError(f"{shape.name} holds pairs and no single answers with a label")
    if isinstance(row, PromptRow):
        raise RowError(f"{shape.name} holds answers, and this snapshot has prompts alone")
    return shape.write(row)


def _report(
    shape: Format,
    selection: Selection,
    said: _Said,
    out: Path,
    *,
    replaced: bool,
    companion: Placed | None = None,
    dry_run: bool = False,
) -> ExportReport:
    left_out = dict(selection.left_out + said.unsaid)
    return ExportReport(
        shape.name,
        str(out),
        str(manifest_of(out)),
        selection.snapshot().id,
        said.used + sum(left_out.values()),
        said.used,
        said.rows,
        said.splits,
        left_out,
        replaced,
        str(companion.path) if companion else "",
        shape.note.replace("FILE", out.name),
        dry_run,
        said.first,
    )


def _companion(
    shape: Format, out: Path, before: dict[str, Any] | None, columns: set[str] | None = None
) -> Placed | None:
    if shape.companion is None:
        return None
    earlier = ((before or {}).get("companion") or {}).get("sha256")
    return companions.place(shape.companion(out.name, columns), out, earlier)


def _nothing(shape: Format, reasons: Counter[str]) -> StudioError:
    why = ", ".join(f"{reason} {number:,}" for reason, number in reasons.most_common())
    what = "examples that end with an answer" if shape.kind == "sft" else "pairs with a better side"
    if reasons and set(reasons) == {"not in the query"}:
        number = reasons.total()
        return StudioError(
            f"The query finds none of the {number:,} rows that could be written.", "Try it in `/` first."
        )
    return StudioError(
        f"There are no {what} to write as {shape.name}" + (f" (left out: {why})." if why else "."),
        "Import or write answers first." if shape.kind == "sft" else "Judge pairs in Compare (3) first.",
    )
