"""Looks for rows that say the same, and for prompts that are in more than one split."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from store import duplicates, examples, records
from store.database import Store
from store.duplicates import Counts, GroupKind
from store.examples import Split
from store.records import Source
from studio.errors import StudioError
from studio.shingles import fold, likeness, shingles
from studio.sketches import Sketches

LEAST = 0.8
"""The share of common runs from which on two texts are near duplicates."""

SPLITS: tuple[Split, ...] = ("test", "validation", "train")
"""Those that are held out most come first."""

STEP = 500
"""Items between two looks at whether it shall go on."""

REMEMBERED_BYTES = 64 << 20
"""How much of the texts that others are compared with is kept at hand, about."""
RUN_BYTES = 100
"""What a run takes besides its characters."""


class SearchProgress(NamedTuple):
    """How far a search for duplicates has come."""

    doing: str
    done: int
    all: int

    def __str__(self) -> str:
        return f"{self.doing}: {self.done:,} of {self.all:,}"


class Repeat(NamedTuple):
    """A record that repeats one of another source."""

    record_id: int
    of_record_id: int
    similarity: float


@dataclass(frozen=True)
class Between:
    """What two sources have in common."""

    first: Source
    second: Source
    repeats: list[Repeat]
    """Each record of the first that is like one of the second, with the one that it is most like."""


class Cancelled(Exception):
    """The search was stopped; what was found before it is as it was."""


OnProgress = Callable[[SearchProgress], None]


def _never() -> bool:
    return False


def find(
    store: Store, *, near: bool = False, on_progress: OnProgress | None = None, cancelled: Callable[[], bool] = _never
) -> Counts:
    """Group the records that are equal but for case, spaces and punctuation; `near`: also those that are nearly so.

    In a group each one is alike to the first. The groups take the place of those that were found before.

    Raises:
        Cancelled: it was stopped.
    """
    search = _Search(lambda ids: duplicates.texts(store, ids), near, on_progress, cancelled)
    search.take(duplicates.texts_of_source(store, None), records.count(store))
    found: dict[int, dict[int, float]] = {}
    for position, leaders in search.links():
        if leaders:
            leader, similarity = max(leaders.items(), key=lambda link: link[1])
            members = found.setdefault(leader, {leader: 0.0})
            members[position] = similarity
            members[leader] = max(members[leader], similarity)
    return _keep(store, "near", search.ids, [found[leader] for leader in sorted(found)])


def find_leaks(
    store: Store, *, near: bool = False, on_progress: OnProgress | None = None, cancelled: Callable[[], bool] = _never
) -> Counts:
    """Group the examples whose prompt, as it reads now, is in more than one split, compared as `find` does.

    Raises:
        Cancelled: it was stopped.
    """
    search = _Search(lambda ids: duplicates.prompts(store, ids), near, on_progress, cancelled)
    count = examples.count(store)
    for side, split in enumerate(SPLITS):
        search.take(duplicates.prompts_of_split(store, split), count, side)
    joined = _Joined()
    for position, leaders in search.links():
        for leader, similarity in leaders.items():
            joined.join(position, leader, similarity)
    return _keep(store, "leak", search.ids, joined.groups())


def between(
    store: Store,
    first: Source,
    second: Source,
    *,
    near: bool = False,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] = _never,
) -> Between:
    """Return which records of one source are like records of another; nothing is kept of it.

    Raises:
        Cancelled: it was stopped.
        StudioError: both are the same source.
    """
    if first.id == second.id:
        raise StudioError(f"{first.name} can't be compared with itself.", "Name two sources.")
    search = _Search(lambda ids: duplicates.texts(store, ids), near, on_progress, cancelled)
    for side, source in enumerate((second, first)):
        search.take(duplicates.texts_of_source(store, source.id), first.rows + second.rows, side)
    repeats = []
    for position, leaders in search.links():
        if leaders:
            leader, similarity = max(leaders.items(), key=lambda link: link[1])
            repeats.append(Repeat(search.ids[position], search.ids[leader], similarity))
    return Between(first, second, repeats)


def source_named(store: Store, name: str) -> Source:
    """Return the source of a name or a number.

    Raises:
        StudioError: there is none, or more than one.
    """
    known = records.sources(store)
    found = [source for source in known if source.name == name] or [s for s in known if str(s.id) == name]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(str(source.id) for source in found)
        raise StudioError(f"{len(found)} sources are named {name}.", f"Say which by its number: {numbers}.")
    names = ", ".join(f"{source.name} ({source.id})" for source in known) or "none"
    raise StudioError(f"There is no source {name} in this project.", f"It has {names}.")


def _keep(store: Store, kind: GroupKind, ids: Sequence[int], found: Iterable[dict[int, float]]) -> Counts:
    duplicates.replace(store, kind, ([(ids[p], similarity) for p, similarity in group.items()] for group in found))
    return duplicates.counts(store, kind)


class _Search:
    """Texts that are sketched as they come, and then compared where their sketches say that they may be alike.

    Without sides a text is compared with the first ones of each group; with sides, with those of earlier sides.
    """

    def __init__(
        self,
        read: Callable[[Sequence[int]], dict[int, str]],
        near: bool,
        on_progress: OnProgress | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self._read = read
        self._near = near
        self._say = on_progress or (lambda _: None)
        self._cancelled = cancelled
        self._sketches = Sketches(near=near)
        self._sides = array("b")
        self._remembered: OrderedDict[int, set[str]] = OrderedDict()
        self._remembered_bytes = 0
        self._taken = 0

    @property
    def ids(self) -> Sequence[int]:
        """The items' ids, by position."""
        return self._sketches.ids

    def take(self, items: Iterator[tuple[int, str]], count: int, side: int | None = None) -> None:
        """Sketch texts; `count` is how many there will be in all."""
        while batch := list(islice(items, STEP)):
            for item_id, text in batch:
                self._sketches.add(item_id, fold(text))
            if side is not None:
                self._sides.extend([side] * (len(self.ids) - len(self._sides)))
            self._taken += len(batch)
            self._look_up("Reading", self._taken, count)

    def links(self) -> Iterator[tuple[int, dict[int, float]]]:
        """Yield each position that may be alike to others, with the leaders that it is alike to."""
        candidates = self._sketches.candidates()
        positions = candidates.positions
        for start in range(0, len(positions), STEP):
            self._look_up("Comparing", start, len(positions))
            texts = self._read([self.ids[p] for p in positions[start : start + STEP]])
            for number, position in enumerate(positions[start : start + STEP], start):
                runs = self._runs_of(texts.pop(self.ids[position]))
                leaders = [positions[leader] for leader in candidates.of(number)]
                links = {p: self._likeness(runs, p) for p in leaders if self._may_lead(p, position)}
                alike = {leader: similarity for leader, similarity in links.items() if similarity >= LEAST}
                if self._leads(position, bool(alike)):
                    candidates.lead(number)
                    self._remember(position, runs)
                yield position, alike

    def _leads(self, position: int, is_alike: bool) -> bool:
        return self._sides[position] < self._sides[-1] if self._sides else not is_alike

    def _may_lead(self, leader: int, position: int) -> bool:
        return not self._sides or self._sides[leader] < self._sides[position]

    def _likeness(self, runs: set[str], leader: int) -> float:
        if leader in self._remembered:
            self._remembered.move_to_end(leader)
            others = self._remembered[leader]
        else:
            others = self._runs_of(self._read([self.ids[leader]])[self.ids[leader]])
            self._remember(leader, others)
        least, most = sorted((len(runs), len(others)))
        return likeness(runs, others) if least >= LEAST * most else 0.0

    def _runs_of(self, text: str) -> set[str]:
        folded = fold(text)
        return shingles(folded) if self._near else {folded}

    def _remember(self, position: int, runs: set[str]) -> None:
        self._remembered[position] = runs
        self._remembered_bytes += _bytes(runs)
        while self._remembered_bytes > REMEMBERED_BYTES:
            self._remembered_bytes -= _bytes(self._remembered.popitem(last=False)[1])

    def _look_up(self, doing: str, done: int, count: int) -> None:
        self._say(SearchProgress(doing, done, count))
        if self._cancelled():
            raise Cancelled


def _bytes(runs: set[str]) -> int:
    return sum(map(len, runs)) + RUN_BYTES * len(runs)


class _Joined:
    """Positions that are joined to each other, directly or through others."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}
        self._similarities: dict[int, float] = {}

    def join(self, one: int, other: int, similarity: float) -> None:
        """Put two into one group."""
        for position in (one, other):
            self._parents.setdefault(position, position)
            self._similarities[position] = max(similarity, self._similarities.get(position, 0.0))
        first, second = sorted((self._root(one), self._root(other)))
        self._parents[second] = first

    def groups(self) -> list[dict[int, float]]:
        """Return the groups, with how much each is like what it was joined to."""
        found: dict[int, dict[int, float]] = {}
        for position, similarity in sorted(self._similarities.items()):
            found.setdefault(self._root(position), {})[position] = similarity
        return list(found.values())

    def _root(self, position: int) -> int:
        while (parent := self._parents[position]) != position:
            self._parents[position] = self._parents[parent]
            position = parent
        return position
