"""What a store holds, as the tests look at it."""

from dataclasses import replace

from store import examples, find, records
from store.database import Store
from store.examples import Example
from store.records import Record


def records_of(store: Store, source_id: int) -> list[Record]:
    """Return the records of a source in order."""
    found = records.get_many(store, list(records.span(store)))
    return [found[number] for number in sorted(found) if found[number].source_id == source_id]


def examples_of(store: Store) -> list[Example]:
    """Return all examples in order, those of excluded records as excluded."""
    out = {number for chunk in find.ids(store, "example", "is:excluded") for number in chunk}
    found = examples.get_many(store, list(examples.span(store)))
    return [replace(found[number], excluded=number in out) for number in sorted(found)]
