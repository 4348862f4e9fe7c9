"""Records: rows as they were read, marked, linked and counted."""

import sqlite3

import pytest

from store import bulk, examples, records, repeats
from store.database import Store, open_store
from store.errors import MissingRowError
from store.records import NewRecord, Source

TEXTS = ("fox", "bear", "fox", "hare", "fox", "bear")


def add_source(store: Store, container: str = "jsonl") -> int:
    return records.add_source(store, name="a.jsonl", path="/a.jsonl", container=container, format="plain", size=1)


def new(line: int, text: str, **faults: str) -> NewRecord:
    return NewRecord(line, f'{{"text": "{text}"}}', {"text": text}, text.encode(), **faults)


@pytest.fixture
def filled(store) -> Store:
    """The texts above, numbered from 1."""
    added = records.add(store, add_source(store), [new(number, text) for number, text in enumerate(TEXTS, 1)])
    assert added == range(1, len(TEXTS) + 1)
    return store


def test_rows_stay_as_they_were_read(store) -> None:
    rows = [
        NewRecord(1, '{"a": "\u00e4", "n": 1e400}', {"a": "\u00e4"}, b"1"),
        NewRecord(2, b"\xff\xfe", None, b"2", error="no UTF-8"),
        NewRecord(3, '{"half": "\\ud800"}', {"half": "\ud800"}, b"3", problem="half"),
        NewRecord(4, '{"cut": "\0', None, b"4", error="no JSON"),
    ]
    ids = list(records.add(store, add_source(store), rows))
    read = list(records.get_many(store, ids).values())
    assert read == [records.get(store, record_id) for record_id in ids]
    assert [(r.line, r.raw, r.error, r.problem, r.length) for r in read] == [
        (row.line, row.raw, row.error, row.problem, len(row.raw)) for row in rows
    ]
    assert read[0].fields == {"a": "\u00e4", "n": float("inf")}
    assert read[2].fields == {"half": "\ud800"}
    assert (read[1].fields, read[3].fields) == (None, None)


@pytest.mark.parametrize("container", ["csv", "text"])
def test_fields_of_a_row_that_is_no_json_are_kept_beside_its_text(store, container) -> None:
    row = NewRecord(2, "x,\ud800".encode(errors="replace").decode(), {"a": "x", "b": "\ud800", "c": None}, b"")
    [record_id] = records.add(store, add_source(store, container), [row])
    assert records.get(store, record_id).fields == row.fields
    assert records.get(store, record_id).raw == row.raw


def test_a_glimpse_of_a_long_row_is_its_beginning(store) -> None:
    long, cut = "\u6771" * 40, b"\xff" * 400
    rows = [new(1, "short"), new(2, long), NewRecord(3, cut, None, b"", error="no UTF-8")]
    ids = list(records.add(store, add_source(store), rows))
    seen = records.glimpse_many(store, ids, 30)
    assert seen[1] == records.get(store, 1)
    assert rows[1].raw.startswith(seen[2].raw)
    assert 0 < len(seen[2].raw) <= 30
    assert (seen[3].raw, seen[3].length) == (cut[:30], 400)
    assert records.glimpse_many(store, ids, 1000) == records.get_many(store, ids)
    assert (records.get_many(store, []), records.glimpse_many(store, [], 9)) == ({}, {})


def test_marks_are_kept(filled) -> None:
    for record_id in (2, 5):
        records.set_flagged(filled, record_id, True)
    records.set_flagged(filled, 5, False)
    records.set_excluded(filled, 3, True)
    records.set_problem(filled, 4, "no answer")
    read = records.get_many(filled, list(records.span(filled)))
    assert [number for number, record in read.items() if record.flagged] == [2]
    assert [number for number, record in read.items() if record.excluded] == [3]
    assert [number for number, record in read.items() if record.problem] == [4]


@pytest.mark.parametrize("at_once", [1, 100])
def test_repeated_rows_are_linked_to_the_first(filled, monkeypatch, at_once) -> None:
    monkeypatch.setattr(repeats, "MARKED_AT_ONCE", at_once)
    repeats.mark_duplicates(filled)
    again = add_source(filled)
    records.add(filled, again, [new(1, "fox"), new(2, "new"), new(3, "new")])
    for _ in range(2):
        repeats.mark_duplicates(filled)
        links = [record.duplicate_of for record in records.get_many(filled, list(records.span(filled))).values()]
        assert links == [None, None, 1, None, 1, 2, 1, None, 8]
    assert (repeats.duplicates(filled, 1), repeats.duplicates(filled, again)) == (3, 2)


def test_rows_of_a_small_file_are_linked_to_those_of_a_large_one(filled) -> None:
    repeats.mark_duplicates(filled)
    records.add(filled, add_source(filled), [new(n, f"sheep {n}") for n in range(1, 100)])
    for source in records.sources(filled):
        records.finish_source(filled, source.id, "")
    small = add_source(filled)
    ids = records.add(filled, small, [new(1, "bear"), new(2, "newt"), new(3, "newt")])
    repeats.mark_duplicates(filled)
    links = [record.duplicate_of for record in records.get_many(filled, list(ids)).values()]
    assert links == [2, None, ids[1]]


def test_a_source_is_read_in_pages_while_it_is_written_to(filled) -> None:
    examples.add(filled, record_id=2, messages=[], split="train")
    lines = []
    for record in records.without_example(filled, 1, page=2):
        records.set_problem(filled, record.id, "seen")
        lines.append(record.line)
    assert lines == [1, 3, 4, 5, 6]
    assert list(records.hashes_of_source(filled, 1)) == [text.encode() for text in TEXTS]


def test_a_source_comes_in_bit_by_bit(store) -> None:
    source_id = records.add_source(
        store, name="b.csv", path="/b.csv", container="csv", format="plain", size=7, encoding="latin-1", mapping="{}"
    )
    expected = Source(
        source_id, "b.csv", "/b.csv", "csv", "plain", "", 7, "{}", records.source(store, source_id).imported_at,
        "latin-1", "", 0, "importing",
    )  # fmt: skip
    assert records.sources(store) == [expected]
    for number in (1, 2):
        records.add(store, source_id, [new(number, "x"), new(number, "y")])
        assert records.source(store, source_id).rows == records.count(store) == 2 * number
    records.finish_source(store, source_id, "abc")
    records.set_format(store, source_id, "template", None)
    whole = records.source(store, source_id)
    assert (whole.sha256, whole.state, whole.format, whole.mapping) == ("abc", "complete", "template", None)
    assert records.sources_of_size(store, 7) == [whole]
    assert records.sources_of_size(store, 8) == []


def test_a_batch_that_fails_adds_nothing(filled) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        records.add(filled, 99, [new(1, "x")])
    bad = [new(1, "x"), NewRecord(2, None, None, b"")]
    with pytest.raises(TypeError):
        records.add(filled, 1, bad)
    assert records.count(filled) == len(records.span(filled)) == len(TEXTS)


@pytest.mark.parametrize("ask", [records.get, records.source])
def test_what_is_unknown_is_named(store, ask) -> None:
    with pytest.raises(MissingRowError, match=r"There is no (record|source) 5"):
        ask(store, 5)


def indexes(store: Store) -> set[str]:
    return {row[0] for row in store.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}


def settings(store: Store) -> list[int]:
    names = ("foreign_keys", "synchronous", "wal_autocheckpoint")
    return [store.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]


def test_a_load_of_rows_leaves_the_file_as_it_should_be(filled) -> None:
    before, careful = indexes(filled), settings(filled)
    with bulk.loading(filled, without_indexes=True):
        assert len(indexes(filled)) < len(before)
        records.add(filled, 1, [new(7, "fox")])
        with open_store(filled.path) as other:
            assert settings(other)[:2] == careful[:2]
            assert records.count(other) == 7
            bulk.checkpoint(other)
    assert (indexes(filled), settings(filled)) == (before, careful)
    repeats.mark_duplicates(filled)
    assert records.get(filled, 7).duplicate_of == 1


def test_a_load_that_fails_or_is_killed_can_be_made_good(filled) -> None:
    before, careful = indexes(filled), settings(filled)
    with pytest.raises(KeyError), bulk.loading(filled, without_indexes=True):
        raise KeyError
    assert (indexes(filled), settings(filled)) == (before, careful)
    loading = bulk.loading(filled, without_indexes=True)
    loading.__enter__()
    with open_store(filled.path) as next_process:
        assert indexes(next_process) < before
        bulk.restore_indexes(next_process)
        assert indexes(next_process) == before
