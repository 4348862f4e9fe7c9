"""What a search gives on paper: the first rows that a query finds, with their place and a line of their text."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from store import examples, find, records
from store.database import Store
from store.examples import Example
from store.records import Record

EXCERPT = 200
"""Characters of a row that are given."""

LONGEST_READ = 1_000_000
"""Characters; of a longer row only the beginning is read."""

PAGE = 500
"""Rows that are read in one go."""


@dataclass(frozen=True)
class Hit:
    """A record or an example that was found."""

    id: int
    place: str
    """FILE:LINE; empty where an example comes from no file."""
    excerpt: str


@dataclass(frozen=True)
class Found:
    """What a query finds among the records or the examples."""

    count: int
    rows: list[Hit]
    """The first of them."""


def search(store: Store, kind: find.Kind, text: str, *, limit: int) -> Found:
    """Return how many rows a query finds, and the first of them.

    Raises:
        QueryError: the query can't be read.
    """
    first = list(islice(chain.from_iterable(find.ids(store, kind, text)), limit))
    number = find.count(store, kind, text) if len(first) == limit else len(first)
    return Found(number, list(_hits(store, kind, first)))


def _hits(store: Store, kind: find.Kind, ids: list[int]) -> Iterator[Hit]:
    read = _records if kind == "record" else _examples
    for start in range(0, len(ids), PAGE):
        yield from read(store, ids[start : start + PAGE])


def _records(store: Store, ids: list[int]) -> list[Hit]:
    found = records.glimpse_many(store, ids, LONGEST_READ)
    return [Hit(number, _place(found[number]), _of_record(found[number])) for number in ids]


def _examples(store: Store, ids: list[int]) -> list[Hit]:
    long = examples.from_long_records(store, ids, LONGEST_READ)
    found = examples.get_many(store, [number for number in ids if number not in long])
    said = {number: _of_example(example) for number, example in found.items()}
    said |= {number: f"({length:,} characters)" for number, (_, length) in long.items()}
    every = (*found.values(), *(example for example, _ in long.values()))
    origins = {example.id: example.record_id for example in every if example.record_id is not None}
    # Only their places are wanted, not their texts.
    places = records.glimpse_many(store, list(set(origins.values())), 1)
    return [Hit(n, _place(places[origins[n]]) if n in origins else "", said[n]) for n in ids]


def _place(record: Record) -> str:
    return f"{record.source}:{record.line}"


def _of_record(record: Record) -> str:
    if record.fields is not None:
        values = (v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in record.fields.values())
        return " ".join(values)[:EXCERPT]
    return (record.raw if isinstance(record.raw, str) else record.raw.decode(errors="replace"))[:EXCERPT]


def _of_example(example: Example) -> str:
    asked = next((message for message in example.messages if message["role"] == "user"), None)
    first = asked or (example.messages[0] if example.messages else {})
    return str(first.get("content") or "")[:EXCERPT]
