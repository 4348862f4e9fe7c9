"""What a run or an export uses: chosen by rules, counted, and frozen under the hash of its content."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import eq
from typing import Any, NamedTuple

import orjson

from store import material, snapshots
from store.database import Store
from store.errors import StoreError
from store.examples import Split
from store.held_out import HeldOut
from store.material import Alike, Columns, Material
from store.snapshots import Items, Snapshot, SnapshotItem, SnapshotKind
from studio.errors import StudioError
from studio.formats.row import PreferenceRow
from studio.snapshot_rows import LeftOut, SnapshotRow, row_of

ID_LENGTH = 32
"""Hexadecimal digits of a snapshot's id."""


@dataclass(frozen=True)
class Wanted:
    """What a snapshot is to be made of."""

    kind: SnapshotKind
    split: Split | None = None
    query: str = ""
    """Only examples that it finds, or the pairs of these."""
    labelled: bool = False
    """With the pairs, also the answers that were called good or bad by themselves."""
    teacher: str = ""
    """Of `distillation`: whose answers; those of every model where it is empty."""

    @property
    def description(self) -> str:
        """What was asked for, as a query."""
        if self.split is None:
            return self.query
        return f"split:{self.split} ({self.query})" if self.query else f"split:{self.split}"

    @property
    def parts(self) -> tuple[str, ...]:
        """What the store is asked for, one after the other."""
        if self.kind != "preference":
            return (_PARTS[self.kind],)
        return ("judged_pairs", "labelled_answers") if self.labelled else ("judged_pairs",)


_PARTS = {
    "sft": "conversations",
    "prompts": "conversations",
    "unpaired": "unpaired_answers",
    "distillation": "taught_answers",
}


@dataclass(frozen=True)
class Built:
    """A snapshot with the rows that it stands for; the caller saves it."""

    snapshot: Snapshot
    rows: list[tuple[SnapshotItem, SnapshotRow]]

    @property
    def left_out(self) -> dict[str, int]:
        """How many others were left out for which reason."""
        return dict(self.snapshot.counts["left_out"])


class Block(NamedTuple):
    """Some of what is used, and the rows that it makes."""

    used: Columns
    rows: Iterable[SnapshotRow]
    """To be gone through once."""
    alike: Alike | None = None
    """What they say, where all are pairs of three single messages that have a role and a text and nothing else."""


def pairs_of(said: Alike) -> Iterator[PreferenceRow]:
    """Yield the rows of pairs that are alike."""
    asks, answers, loses = said.roles
    for prompt, chosen, rejected in zip(said.prompts, said.chosen, said.rejected, strict=True):
        yield PreferenceRow(
            [{"role": asks, "content": prompt}],
            [{"role": answers, "content": chosen}],
            [{"role": loses, "content": rejected}],
        )


@dataclass
class Selection:
    """Rows to be used, which are read while one goes through them; what was counted is complete after the last."""

    kind: SnapshotKind
    materials: Iterator[Columns]
    description: str = ""
    held_out: HeldOut | None = None
    """The prompts that no row of another split may have; None where the rows were chosen before."""
    left_out: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    kept: Snapshot | None = None
    """The snapshot that the rows come from, where it was there before."""
    _items: Items = field(default_factory=Items)
    _texts: tuple[str | None, ...] = ()
    _ids: tuple[Any, ...] = field(default_factory=lambda: tuple(hashlib.sha256() for _ in SnapshotItem._fields))
    _stored: Any = field(default_factory=hashlib.sha256)
    _records: Any = field(default_factory=hashlib.sha256)

    def __iter__(self) -> Iterator[Block]:
        """Go through the rows, once, some at a time, in a transaction of the store."""
        for found in self.materials:
            block = self._make_alike(found) or self._make_each(found)
            self._note(block)
            yield block

    def snapshot(self) -> Snapshot:
        """Return the snapshot of the rows, after the last."""
        if self.kept:
            return self.kept
        counts = {**self.splits, "left_out": dict(self.left_out)}
        digests = [digest.hexdigest() for digest in (*self._ids, self._stored, self._records)]
        content = " ".join([self.kind, *digests])
        number = hashlib.sha256(content.encode()).hexdigest()[:ID_LENGTH]
        return Snapshot(number, self.kind, self._items, self.description, counts)

    def _make_alike(self, found: Columns) -> Block | None:
        """Do for many pairs what `_make` does for one, where all are stored alike and none has to be left out."""
        said = material.alike(found) if self.kind == "preference" else None
        if said is None or said.roles[0] != "user" or any(map(eq, said.chosen, said.rejected)):
            return None
        if not all(map(str.strip, said.chosen)) or not all(map(str.strip, said.rejected)):
            return None
        held_out = self.held_out.shared if self.held_out else {}
        if max(found.revision) > 1 or tuple(map(held_out.get, found.group, found.split)) != found.split:
            return None
        return Block(found, pairs_of(said), said)

    def _make_each(self, found: Columns) -> Block:
        made = [(each, row) for each in found.each() if (row := self._make(each))]
        return Block(Columns.of(each for each, _ in made) if made else Columns(), [row for _, row in made])

    def _make(self, found: Material) -> SnapshotRow | None:
        try:
            return row_of(self.kind, found, self.held_out)
        except LeftOut as reason:
            self.left_out[str(reason)] += 1
            return None

    def _note(self, block: Block) -> None:
        """Count and hash what is used: as it is stored, which with its record is all that its text is made of."""
        used = block.used
        if not used.split:
            return
        # Most are stored as the one before; hashed where they change, however many were taken together.
        stored = zip(used.messages, used.tools, used.chosen, used.rejected, strict=True)
        for place, texts in enumerate(islice(stored, 1) if block.alike else stored, len(self._items)):
            if texts != self._texts:
                self._texts = texts
                self._stored.update(orjson.dumps([place, *texts]))
        ids = used[:6]
        for digest, column in zip(self._ids, ids, strict=True):
            # With a comma in the place of the closing bracket, for the same reason.
            digest.update(orjson.dumps(column)[1:-1] + b",")
        self._items.extend(ids)
        self.splits.update(used.split)
        self._records.update(b"".join([each or b"" for each in used.record_is]))


def build(
    store: Store,
    kind: SnapshotKind,
    *,
    split: Split | None = None,
    teacher: str = "",
) -> Built:
    """Return the rows that can be used now, all in memory, as `select` chooses them."""
    with store.reading():
        selection = select(store, Wanted(kind, split, teacher=teacher))
        rows = [
            (SnapshotItem._make(item), row)
            for block in selection
            for item, row in zip(zip(*block.used[:6], strict=True), block.rows, strict=True)
        ]
    return Built(selection.snapshot(), rows)


def survey(store: Store, kind: SnapshotKind, *, teacher: str = "") -> Snapshot:
    """Return the snapshot that `build` would make now, its rows counted and not kept."""
    with store.reading():
        selection = select(store, Wanted(kind, teacher=teacher))
        for _ in selection:
            pass
    return selection.snapshot()


def select(store: Store, wanted: Wanted) -> Selection:
    """Choose what can be used now, in the order that examples or pairs were made; the caller holds `store.reading`.

    For `sft` these are the examples that end with an answer, for `preference` the pairs whose current
    verdict names a better side, for `unpaired` the answers that verdicts or labels call good or bad, for
    `prompts` all that can be asked, for `distillation` the prompts that a teacher has answered. Excluded and
    rejected examples stay out, and synthetic ones until somebody approved them; flagged ones, which only wait
    for a second look, stay in.

    Raises:
        StudioError: the query can't be understood.
    """
    narrowed = bool(wanted.query.strip())
    if narrowed:
        _narrow(store, wanted.query)
    scope: dict[str, Any] = {"split": wanted.split, "narrowed": narrowed}
    left_out: Counter[str] = Counter()
    for part in wanted.parts:
        found = material.count(store, part, narrowed=narrowed)
        left_out["not in the query"] += material.count(store, part) - found if narrowed else 0
        if wanted.split:
            left_out[f"not in the {wanted.split} split"] += found - material.count(store, part, **scope)
    materials = chain.from_iterable(_read(store, part, wanted.teacher, **scope) for part in wanted.parts)
    return Selection(wanted.kind, materials, wanted.description, HeldOut(store), +left_out)


def _read(store: Store, part: str, teacher: str, **scope: Any) -> Iterator[Columns]:
    if part == "taught_answers":
        return material.taught_answers(store, teacher=teacher, **scope)
    found: Iterator[Columns] = getattr(material, part)(store, **scope)
    return found


class Outcome(NamedTuple):
    """What becomes of an example or a pair: a row, or the reason why it is left out."""

    item: SnapshotItem
    row: SnapshotRow | None
    reason: str = ""


def outcomes(store: Store, kind: SnapshotKind, examples: Iterable[int], *, teacher: str = "") -> list[Outcome]:
    """Return what becomes of some examples, or of their pairs, in the order in which they were made."""
    found = []
    with store.reading():
        material.narrow(store, [list(examples)])
        held_out = HeldOut(store)
        for part in Wanted(kind).parts:
            for columns in _read(store, part, teacher, narrowed=True):
                found += [_outcome(kind, each, held_out) for each in columns.each()]
    return found


def _outcome(kind: SnapshotKind, found: Material, held_out: HeldOut) -> Outcome:
    item = SnapshotItem._make(found[:6])
    try:
        return Outcome(item, row_of(kind, found, held_out))
    except LeftOut as reason:
        return Outcome(item, None, str(reason))


def _narrow(store: Store, query: str) -> None:
    from store import find

    try:
        material.narrow(store, find.ids(store, "example", query))
    except StoreError as error:
        raise StudioError(str(error)) from error


def recall(store: Store, snapshot_id: str) -> Selection:
    """Choose exactly what an earlier snapshot was made of; the caller holds `store.reading`.

    Raises:
        StudioError: there is no snapshot of that id.
    """
    try:
        kept = snapshots.get(store, snapshot_id)
    except StoreError as error:
        raise StudioError(str(error), "Each export's manifest names its snapshot, and each run has one.") from error
    left_out = Counter(kept.counts.get("left_out", {}))
    return Selection(kept.kind, material.of_items(store, kept.items), kept.query, left_out=left_out, kept=kept)
