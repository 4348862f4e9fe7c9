"""The search index: it follows what is written, holds nobody up, and can be lost at any time."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from store import examples, journal, pairs, records, responses, search_index
from store.database import Store, create_store, open_store
from store.records import NewRecord
from store.search_file import SEARCH

WORDS = ("fox", "bear", "hare", "owl", "elk")


def add(store: Store, *texts: str) -> list[int]:
    """Add records of one source with these texts."""
    source = records.add_source(store, name="a.jsonl", path="/a.jsonl", container="jsonl", format="plain", size=1)
    rows = [NewRecord(n, f'{{"text": "{text}"}}', {"text": text}, text.encode()) for n, text in enumerate(texts, 1)]
    return list(records.add(store, source, rows))


def say(text: str | None) -> list[dict]:
    return [{"role": "assistant", "content": text}]


def found(store: Store, word: str) -> list[int]:
    rows = store.connection.execute("SELECT rowid FROM search.record_fts WHERE record_fts MATCH ? ORDER BY 1", (word,))
    return [row[0] for row in rows]


def found_examples(store: Store, word: str) -> list[int]:
    rows = store.connection.execute(
        "SELECT rowid FROM search.example_fts WHERE example_fts MATCH ? ORDER BY 1", (word,)
    )
    return [row[0] for row in rows]


@pytest.fixture
def filled(store) -> Store:
    """A record a word, all indexed, and an example of the second with words of its own."""
    add(store, *WORDS)
    example_id = examples.add(store, record_id=2, messages=say("bear"), split="train")
    examples.revise(store, example_id, say("zebra"))
    responses.add(store, example_id, say("okapi"), origin="human")
    search_index.catch_up(store)
    return store


def assert_whole(store: Store) -> None:
    """Make sure that all that `filled` wrote can be found, and nothing else."""
    search_index.catch_up(store)
    assert search_index.pending(store) == 0
    assert [found(store, word) for word in WORDS] == [[n] for n in range(1, len(WORDS) + 1)]
    assert (found_examples(store, "zebra"), found_examples(store, "okapi")) == ([1], [1])
    assert records.count(store) == len(WORDS)


def test_it_follows_the_records(store) -> None:
    add(store, "fox", "bear")
    assert (search_index.pending(store), found(store, "fox")) == (2, [])
    search_index.catch_up(store)
    assert (search_index.pending(store), found(store, "fox")) == (0, [1])
    add(store, "brown fox")
    assert search_index.pending(store) == 1
    search_index.catch_up(store)
    assert found(store, "fox") == [1, 3]


def test_every_kind_of_row_is_searched(store) -> None:
    csv = records.add_source(store, name="a", path="/a", container="csv", format="plain", size=1)
    json_lines = records.add_source(store, name="b", path="/b", container="jsonl", format="plain", size=1)
    half = '{"a": [{"b": "deep"}, 17, null, true], "h": "half \\ud800"}'
    rows = [
        NewRecord(1, half, {}, b"1"),
        NewRecord(2, '{"cut', None, b"2", error="no JSON"),
        NewRecord(3, b"latin \xff", None, b"3", error="no UTF-8"),
        NewRecord(4, '{"n": 1e400, "text": "infinite\\u0000 nul"}', {}, b"4"),
        NewRecord(5, "{}", {}, b"5"),
        NewRecord(6, '{"a": ' + "[" * 950 + '"nested"' + "]" * 950 + "}", {}, b"6"),
    ]
    records.add(store, json_lines, rows)
    records.add(store, csv, [NewRecord(2, "x,y", {"a": "cell", "b": None}, b"7")])
    search_index.catch_up(store)
    asked = ("deep", "17", "half", "cut", "latin", "infinite", "nul", "nested", "cell", "true", "b")
    assert [found(store, word) for word in asked] == [[1], [1], [1], [2], [3], [4], [4], [6], [7], [], []]
    assert search_index.pending(store) == 0


def test_own_words_of_an_example_are_searched_as_they_are_now(store) -> None:
    add(store, "fox")
    example_id = examples.add(store, record_id=1, messages=say("fox"), split="train")
    responses.add(store, example_id, say("from its file"), origin="file")
    alone = examples.add(store, record_id=None, messages=say("heron \ud83d"), split="train")
    assert search_index.pending(store) == 2
    search_index.catch_up(store)
    assert (found_examples(store, "heron"), found_examples(store, "file")) == ([alone], [])
    examples.revise(store, example_id, say("zebra"))
    examples.revise(store, alone, say(None))
    assert search_index.pending(store) == 2
    search_index.catch_up(store)
    responses.add(store, example_id, [*say("okapi"), *say(None)], origin="model")
    search_index.catch_up(store)
    assert found_examples(store, "zebra file okapi") == [example_id]
    assert found_examples(store, "heron") == []
    assert search_index.pending(store) == 0


def test_it_can_be_stopped_between_batches(store, monkeypatch) -> None:
    monkeypatch.setattr(search_index, "BATCH_ROWS", 2)
    add(store, *WORDS)
    batches = []
    search_index.catch_up(store, stop=lambda: len(batches) == 1, after_batch=lambda: batches.append(1))
    assert search_index.pending(store) == 3
    search_index.catch_up(store)
    assert [found(store, word) for word in WORDS] == [[1], [2], [3], [4], [5]]
    monkeypatch.setattr(search_index, "BATCH_CHARACTERS", 1)
    add(store, *WORDS)
    search_index.catch_up(store)
    assert found(store, "elk") == [5, 10]


def index_of(store: Store) -> Path:
    return store.path.with_name("search.db")


def test_a_verdict_never_waits_for_the_index(filled) -> None:
    offered = [responses.add(filled, 1, say(word), origin="file") for word in ("a", "b")]
    pair = pairs.get(filled, pairs.add_pair(filled, 1, *offered, seed=0))
    with closing(sqlite3.connect(index_of(filled), isolation_level=None, timeout=0)) as index:
        index.execute("BEGIN EXCLUSIVE")
        index.execute("DELETE FROM example_fts")
        journal.judge(filled, pair, "left", rater="Ada")
        # Nor do those wait who search or open the project meanwhile.
        assert found(filled, "fox") == [1]
        with open_store(filled.path) as other:
            assert pairs.counts(other) == {"pairs": 1, "left": 1}
        index.execute("ROLLBACK")


def test_the_index_of_records_never_waits_for_a_verdict(filled) -> None:
    add(filled, "heron")
    with open_store(filled.path) as other, other.transaction():
        records.set_flagged(other, 1, True)
        search_index.catch_up(filled)
    assert found(filled, "heron") == [6]


def remove(index: Path) -> None:
    for path in index.parent.glob("search.db*"):
        path.unlink()


def empty(index: Path) -> None:
    remove(index)
    index.touch()


def garble(index: Path) -> None:
    remove(index)
    index.write_bytes(b"SQLite format 3\0" + os.urandom(50_000))


def write_letter(index: Path) -> None:
    remove(index)
    index.write_text("Dear reader, " * 1000)


def put_other_database(index: Path) -> None:
    remove(index)
    with closing(sqlite3.connect(index)) as other:
        other.executescript("CREATE TABLE record_fts (text); PRAGMA user_version=1")


def make_older(index: Path) -> None:
    with closing(sqlite3.connect(index)) as old:
        old.executescript("PRAGMA user_version=0")


def make_newer(index: Path) -> None:
    with closing(sqlite3.connect(index)) as new:
        new.executescript("PRAGMA user_version=99")


def drop_table(index: Path) -> None:
    with closing(sqlite3.connect(index)) as other:
        other.executescript("DROP TABLE example_fts")


@pytest.mark.parametrize(
    "harm",
    [remove, empty, garble, write_letter, put_other_database, make_older, make_newer, drop_table],
    ids=lambda f: f.__name__,
)
def test_an_index_that_is_no_use_is_made_anew(filled, harm: Callable[[Path], None]) -> None:
    filled.close()
    harm(index_of(filled))
    with open_store(filled.path) as store:
        assert search_index.pending(store) == len(WORDS) + 1
        assert_whole(store)
        assert stat.S_IMODE(index_of(store).stat().st_mode) == 0o600


def test_an_index_that_is_deleted_while_it_is_open_is_made_anew(filled) -> None:
    for end in ("", "-wal", "-shm"):
        index_of(filled).with_name(f"search.db{end}").unlink(missing_ok=True)
    assert search_index.pending(filled) == len(WORDS) + 1
    assert_whole(filled)


def test_an_index_that_another_process_made_anew_is_seen(filled) -> None:
    with open_store(filled.path) as other:
        SEARCH.make_anew(other.path, other.connection)
        search_index.catch_up(other)
    assert search_index.pending(filled) == 0
    add(filled, "heron")
    search_index.catch_up(filled)
    assert len(found(filled, "heron")) == 1


def test_damage_inside_is_found_while_indexing_and_mended(filled) -> None:
    add(filled, *("word" * 50 + str(n) for n in range(3000)))
    search_index.catch_up(filled)
    filled.close()
    index = index_of(filled)
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(index.read_bytes())
    content[8 * 8192 : -8192] = os.urandom(len(content) - 9 * 8192)
    index.write_bytes(content)
    with open_store(filled.path) as store:
        examples.revise(store, 1, say("zebra"))
        add(store, *("else" * 50 + str(n) for n in range(3000)))
        search_index.catch_up(store)
        assert search_index.pending(store) == 0
        assert (found(store, "fox"), found_examples(store, "zebra")) == ([1], [1])
        assert len(found(store, "word*")) == 3000


@pytest.fixture
def backup(filled, tmp_path) -> Path:
    """A copy of the project's file as it was at first."""
    path = tmp_path / "backup.db"
    filled.connection.execute("VACUUM INTO ?", (str(path),))
    return path


def restore(store: Store, backup: Path) -> Store:
    store.close()
    shutil.copy(backup, store.path)
    return open_store(store.path)


def test_an_older_project_file_put_back_is_indexed_anew(filled, backup) -> None:
    add(filled, "heron", "stork")
    search_index.catch_up(filled)
    with restore(filled, backup) as store:
        assert search_index.pending(store) > 0
        assert_whole(store)
        assert found(store, "heron") == []


def test_other_rows_imported_after_that_are_found(filled, backup) -> None:
    add(filled, "heron", "stork")
    search_index.catch_up(filled)
    with restore(filled, backup) as store:
        add(store, "swan", "goose", "teal")
        search_index.catch_up(store)
        assert [found(store, word) for word in ("heron", "swan", "teal", "fox")] == [[], [6], [8], [1]]


def test_edits_that_were_put_back_are_forgotten(filled, backup) -> None:
    examples.revise(filled, 1, say("tapir"))
    search_index.catch_up(filled)
    assert (found_examples(filled, "tapir"), found_examples(filled, "zebra")) == ([1], [])
    with restore(filled, backup) as store:
        assert search_index.pending(store) == 1
        assert_whole(store)
        assert found_examples(store, "tapir") == []


def test_an_edit_during_indexing_is_not_missed(filled) -> None:
    examples.revise(filled, 1, say("tapir"))
    with open_store(filled.path) as other:
        edits = [lambda: examples.revise(other, 1, say("quagga"))]

        def edit_once_the_text_was_read(statement: str) -> None:
            if "FROM response" in statement and edits:
                edits.pop()()

        filled.connection.set_trace_callback(edit_once_the_text_was_read)
        search_index.catch_up(filled)
        assert not edits
    assert (found_examples(filled, "quagga"), found_examples(filled, "tapir")) == ([1], [])


CATCH_UP = """
import sys
from pathlib import Path
from store import search_index
from store.database import open_store
search_index.BATCH_ROWS = 50
search_index.BATCH_EXAMPLES = 3
sys.stdin.readline()
with open_store(Path(sys.argv[1])) as store:
    search_index.catch_up(store)
    print(search_index.pending(store))
"""


def test_processes_share_the_work(store) -> None:
    add(store, *(f"common row{n}" for n in range(1000)))
    for n in range(10):
        examples.add(store, record_id=None, messages=say(f"own words{n}"), split="train")
    # The first that opens the file makes the index: here it is gone, and three are the first.
    path = store.path
    store.close()
    remove(path.with_name("search.db"))
    command = [sys.executable, "-c", CATCH_UP, str(path)]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate()[0] for child in children] == ["0\n"] * 3
    with open_store(path) as again:
        assert search_index.pending(again) == 0
        assert len(found(again, "common")) == 1000
        assert len(found_examples(again, "own")) == 10


def test_it_is_not_in_the_way_of_a_new_project(tmp_path) -> None:
    (tmp_path / "search.db").write_text("left behind")
    with create_store(tmp_path / "studio.db") as store:
        add(store, "fox")
        search_index.catch_up(store)
        assert found(store, "fox") == [1]
