"""What a store holds, as the tests look at it."""

from dataclasses import replace

from store import examples, find, journal, pair_queues, pairs, records, responses
from store.database import Store
from store.examples import Example
from store.journal import Entry
from store.pair_queues import Scope
from store.pairs import Pair
from store.records import Record
from store.responses import Response


def records_of(store: Store, source_id: int) -> list[Record]:
    """Return the records of a source in order."""
    found = records.get_many(store, list(records.span(store)))
    return [found[number] for number in sorted(found) if found[number].source_id == source_id]


def examples_of(store: Store) -> list[Example]:
    """Return all examples in order, those of excluded records as excluded."""
    out = {number for chunk in find.ids(store, "example", "is:excluded") for number in chunk}
    found = examples.get_many(store, list(examples.span(store)))
    return [replace(found[number], excluded=number in out) for number in sorted(found)]


def responses_of(store: Store) -> list[Response]:
    """Return all responses, oldest first."""
    found = [one for example in examples_of(store) for one in responses.of_example(store, example.id)]
    return sorted(found, key=lambda response: response.id)


def waiting_pairs(store: Store) -> list[Pair]:
    """Return the pairs without a verdict whose data is in use, as they came in."""
    return [pairs.get(store, number) for number in pair_queues.undecided(store, Scope())]


def current_verdicts(store: Store) -> list[Entry]:
    """Return the verdict that counts for each judged pair, in journal order."""
    return _entries(store, "SELECT id FROM current_verdict")


def standing_verdicts(store: Store) -> list[Entry]:
    """Return every verdict that was not undone, of every purpose and person, in journal order."""
    return _entries(store, "SELECT id FROM standing_verdict")


def standing_criteria(store: Store) -> list[Entry]:
    """Return everything that was said by criterion and not undone, in journal order."""
    return _entries(store, "SELECT id FROM standing WHERE kind = 'criterion'")


def _entries(store: Store, sql: str) -> list[Entry]:
    wanted = {number for (number,) in store.connection.execute(sql)}
    return [entry for entry in journal.entries(store) if entry.id in wanted]
