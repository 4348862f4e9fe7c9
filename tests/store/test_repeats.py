"""Groups of records with the same bytes, and queries that are broken off."""

import sqlite3
from pathlib import Path

import pytest

from store import records, repeats
from store.database import Store, create_store
from store.interruption import until
from store.records import NewRecord
from store.repeats import Repeated


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Seven records: 1, 3 and 6 have the same bytes, and so have 2 and 7."""
    opened = create_store(tmp_path / "studio.db")
    source = records.add_source(opened, name="a", path="/a", container="jsonl", format="plain", size=1)
    hashes = [b"a", b"b", b"a", b"c", b"d", b"a", b"b"]
    records.add(opened, source, [NewRecord(n, "{}", {}, h) for n, h in enumerate(hashes, start=1)])
    repeats.mark_duplicates(opened)
    return opened


def test_groups_begin_with_the_first_of_their_rows(store: Store) -> None:
    records.set_excluded(store, 6, True)
    assert repeats.firsts(store) == [1, 2]
    assert repeats.get_many(store, [1, 2]) == {1: Repeated(1, 3, 2), 2: Repeated(2, 2, 2)}
    assert repeats.members(store, 1) == [1, 3, 6]


def test_all_but_the_first_are_excluded_and_let_in_again(store: Store) -> None:
    assert repeats.keep_first(store, 1) == 2
    assert [r.excluded for r in records.get_many(store, [1, 2, 3, 6]).values()] == [False, False, True, True]
    assert repeats.get_many(store, [1])[1].in_use == 1
    assert repeats.restore(store, 1) == 2
    assert repeats.get_many(store, [1])[1].in_use == 3


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


def test_a_query_is_broken_off_in_the_middle_and_the_store_goes_on(store: Store) -> None:
    with until(store, lambda: True):
        store.connection.execute(ENDLESS).fetchone()
        raise AssertionError("the query came to its end")
    assert records.count(store) == 7


def test_other_faults_are_not_hidden(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), until(store, lambda: False):
        store.connection.execute("SELECT * FROM absent")
