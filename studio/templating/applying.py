"""Applying a template to records that are in the project: planned first, done in batches, and taken back again."""

from array import array
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from store import examples, find, records, responses, restating
from store.database import Store
from store.examples import Example
from store.query import QueryError
from store.quoting import dumps, places, quote
from store.records import Record
from store.restating import Restated
from studio import templates
from studio.errors import StudioError
from studio.ingest import Ingest, Understood
from studio.project import Project
from studio.retrieval.lookup import Lookup
from studio.settings import TemplateSettings
from studio.templating import versions
from studio.templating.effects import Effect, effect

BATCH = 500
"""Records of a transaction: others that write wait for a fraction of a second."""

FAILURES_NAMED = 1000
"""How many records that a template can't be applied to are named; all are counted."""


@dataclass(frozen=True)
class Progress:
    """How far it is."""

    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.done:,} of {self.total:,} records"


@dataclass(frozen=True)
class Failure:
    """A record that the template can't be applied to."""

    record_id: int
    place: str
    """Its file and line."""
    reason: str


@dataclass
class Plan:
    """What applying a template would do."""

    records: int = 0
    changed: int = 0
    """Examples that would say something else."""
    equal: int = 0
    new: int = 0
    """Records without an example that would get one."""
    conflicts: list[int] = field(default_factory=list)
    """Examples whose newest state a person wrote, and of which the template makes something else."""
    failing: int = 0
    failures: list[Failure] = field(default_factory=list)
    unreadable: int = 0
    """Records that hold no fields."""
    other_responses: int = 0
    """Examples whose responses are not as many as the template makes; responses stay as they are."""
    stopped: bool = False
    """Whether it was cancelled; then it tells of the records before that."""

    def described(self) -> list[str]:
        """Return the counts in words, those that are zero left out except the first."""
        lines = [f"{self.changed:,} examples change", f"{self.equal:,} stay as they are"]
        optional = (
            (len(self.conflicts), "edited by hand and different: the edits are kept unless you say otherwise"),
            (self.new, "records that made none get an example"),
            (self.failing, "records fail; what they have stays"),
            (self.unreadable, "records can't be read and stay out"),
            (self.other_responses, "examples have other responses than the template makes; they keep theirs"),
        )
        return lines + [f"{number:,} {words}" for number, words in optional if number]


@dataclass
class Applied:
    """What applying a template did."""

    template_id: int
    changed: int = 0
    made: int = 0
    kept: int = 0
    """Edits by hand that were kept."""
    taken: int = 0
    """Edits by hand that the template's version was put over; the edit stays in the revisions."""
    stopped: bool = False


def _never() -> bool:
    return False


def plan(
    store: Store,
    template: TemplateSettings,
    query: str = "",
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] = _never,
) -> Plan:
    """Return what applying a template to the records of a query would do; writes nothing.

    Raises:
        StudioError: the template is wrong, or the query can't be understood.
    """
    templates.compile_template(template)
    ids = ids_of(store, query)
    found = Plan()
    with Lookup(store) as lookup:
        for batch, done in batches(store, ids):
            if cancelled():
                found.stopped = True
                break
            counted = responses.counts(store, [example.id for _, example in batch if example])
            for record, example in batch:
                _count(found, record, example, effect(template, record, example, lookup), counted)
            if on_progress:
                on_progress(Progress(done, len(ids)))
    return found


def _count(found: Plan, record: Record, example: Example | None, made: Effect, counted: dict[int, int]) -> None:
    found.records += 1
    match made.kind:
        case "changed":
            found.changed += 1
        case "equal":
            found.equal += 1
        case "new":
            found.new += 1
        case "unreadable":
            found.unreadable += 1
        case "conflict":
            assert example is not None
            found.conflicts.append(example.id)
        case "failing":
            found.failing += 1
            if len(found.failures) < FAILURES_NAMED:
                where = f" ({made.part}, {made.place})" if made.place.line else ""
                found.failures.append(Failure(record.id, f"{record.source}:{record.line}", made.reason + where))
    if example and made.row and made.row.candidates:
        found.other_responses += counted.get(example.id, 0) != len(made.row.candidates)


def apply(
    project: Project,
    store: Store,
    template: TemplateSettings,
    query: str = "",
    *,
    over_edits: Collection[int] = (),
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] = _never,
) -> Applied:
    """Apply a template to the records of a query: examples get a new revision; ids, splits and responses stay.

    Edits by hand are kept, except those of the examples in `over_edits`, which stay in the revisions.
    What was done before it is cancelled stays done; doing it again goes on from there.

    Raises:
        StudioError: the template is wrong, or the query can't be understood.
    """
    templates.compile_template(template)
    ids = ids_of(store, query)
    done_so_far = Applied(versions.save(store, template).id)
    over = frozenset(over_edits)
    with Lookup(store, keeps=True) as lookup:
        for batch, done in batches(store, ids):
            if cancelled():
                done_so_far.stopped = True
                break
            effects = [effect(template, record, example, lookup) for record, example in batch]
            with store.transaction():
                _apply_batch(project, store, template, batch, effects, over, done_so_far)
            store.give_way()
            if on_progress:
                on_progress(Progress(done, len(ids)))
    return done_so_far


def _apply_batch(
    project: Project,
    store: Store,
    template: TemplateSettings,
    batch: list[tuple[Record, Example | None]],
    effects: list[Effect],
    over: frozenset[int],
    so_far: Applied,
) -> None:
    restated: list[Restated] = []
    new: dict[str, list[Understood]] = {}
    for (record, example), made in zip(batch, effects, strict=True):
        row = made.row
        if row is None or record.fields is None:
            continue
        if example is None:
            new.setdefault(record.source, []).append(Understood(record.id, _digest(record), record.fields, row))
            if record.problem != row.problem:
                records.set_problem(store, record.id, row.problem)
        elif made.kind == "changed" or (made.kind == "conflict" and example.id in over):
            so_far.taken += made.kind == "conflict"
            tools = None if row.tools is None else dumps(row.tools)
            messages = quote(row.messages, places(record.fields))
            restated.append(Restated(example.id, messages, tools, so_far.template_id, "template"))
        elif made.kind == "conflict":
            so_far.kept += 1
    restating.revise_many(store, restated)
    so_far.changed += len(restated)
    for source, rows in new.items():
        ingest = Ingest(store, project.settings.splits, source, template)
        ingest.add(rows)
        so_far.made += ingest.made.examples


def take_back(
    store: Store,
    template_id: int,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] = _never,
) -> int:
    """Bring examples that a template restated back to the revision before, as a new one; return how many.

    Those that were edited since, and those that the template made in the first place, stay.
    """
    ids = restating.restated_by(store, template_id)
    done = 0
    for start in range(0, len(ids), BATCH):
        if cancelled():
            break
        with store.transaction():
            done += restating.bring_back(store, ids[start : start + BATCH], template_id)
        store.give_way()
        if on_progress:
            on_progress(Progress(min(start + BATCH, len(ids)), len(ids)))
    return done


def ids_of(store: Store, query: str) -> "array[int]":
    """Return the records of a query.

    Raises:
        StudioError: the query can't be understood.
    """
    found = array("q")
    try:
        for chunk in find.ids(store, "record", query):
            found.extend(chunk)
    except QueryError as error:
        raise StudioError(f"The query {query!r} can't be understood: {error}") from error
    return found


def batches(store: Store, ids: "array[int]") -> Iterator[tuple[list[tuple[Record, Example | None]], int]]:
    """Yield records with the examples that were made of them, and how many have come by then."""
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH].tolist()
        found, made = records.get_many(store, part), examples.of_records(store, part)
        batch = [(found[number], made.get(number)) for number in part]
        yield batch, start + len(batch)


def _digest(record: Record) -> bytes:
    from hashlib import blake2b

    data = record.raw if isinstance(record.raw, bytes) else record.raw.encode(errors="surrogatepass")
    return blake2b(data, digest_size=16).digest()
