"""The file itself: private, never harmed by what can't be read, whole after any failure."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stored import records_of

from store import database, journal, migrations, records, runs, search_index
from store.database import Store, create_store, open_store
from store.errors import CorruptStoreError, StoreError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A closed database of some hundred pages, alone in its folder."""
    path = tmp_path / "closed" / "studio.db"
    path.parent.mkdir()
    with create_store(path) as store:
        fill(store, rows=400)
    for name in ("search.db", "findings.db"):
        for file in path.parent.glob(f"{name}*"):
            file.unlink()
    assert [p.name for p in path.parent.iterdir()] == ["studio.db"]
    return path


def fill(store: Store, *, rows: int, text: str = "x" * 1000) -> int:
    new = (records.NewRecord(n, f'{{"text": "{text}"}}', {"text": text}, b"") for n in range(rows))
    with store.transaction():
        source = records.add_source(store, name="a.jsonl", path="/a.jsonl", container="jsonl", format="plain", size=1)
        return len(records.add(store, source, new))


def test_the_newest_migration_is_the_schema_version(store) -> None:
    assert len(migrations.MIGRATIONS) == database.SCHEMA_VERSION
    assert store.connection.execute("PRAGMA user_version").fetchone()[0] == database.SCHEMA_VERSION


def test_the_file_and_what_stands_beside_it_are_private(tmp_path) -> None:
    old = os.umask(0)
    try:
        with create_store(tmp_path / "studio.db") as store:
            runs.all_runs(store)
            fill(store, rows=1)
            modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    finally:
        os.umask(old)
    assert {"studio.db", "studio.db-wal", "studio.db-shm", "search.db", "findings.db"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_nothing_is_made_over_a_file(tmp_path) -> None:
    path = tmp_path / "studio.db"
    path.write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        create_store(path)
    assert path.read_text() == "mine"


def test_a_place_that_can_not_be_written_is_named(tmp_path) -> None:
    with pytest.raises(StoreError, match=r"absent/studio\.db can't be made: No such file"):
        create_store(tmp_path / "absent" / "studio.db")


def test_an_absent_file_is_not_made(tmp_path) -> None:
    with pytest.raises(StoreError, match="is not there"):
        open_store(tmp_path / "studio.db")
    assert not list(tmp_path.iterdir())


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def first_page(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + os.urandom(4080) + path.read_bytes()[4096:])


def other_kind(path: Path) -> None:
    path.write_text("This is a letter, not a database.\n" * 200)


@pytest.mark.parametrize("harm", [truncate, empty, first_page, other_kind], ids=lambda f: f.__name__)
def test_a_damaged_file_is_explained_and_left_untouched(filled, harm: Callable[[Path], None]) -> None:
    harm(filled)
    before = contents(filled.parent)
    with pytest.raises(CorruptStoreError, match=r"is not a usable database.*restore it from a backup") as caught:
        open_store(filled)
    assert str(filled) in str(caught.value)
    assert contents(filled.parent) == before


def test_another_programs_database_is_left_untouched(tmp_path) -> None:
    path = tmp_path / "studio.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE place (url TEXT)")
    connection.close()
    before = contents(tmp_path)
    with pytest.raises(StoreError, match="another program"):
        open_store(path)
    assert contents(tmp_path) == before


def test_damage_in_the_middle_is_an_error_where_it_is_met(filled) -> None:
    content = bytearray(filled.read_bytes())
    middle = len(content) // 4096 // 2 * 4096
    content[middle : middle + 40 * 4096] = os.urandom(40 * 4096)
    filled.write_bytes(content)
    with open_store(filled) as store:
        with pytest.raises(sqlite3.DatabaseError) as caught:
            records_of(store, 1)
        explained = database.explain(filled, caught.value)
    assert isinstance(explained, CorruptStoreError)
    # It may have been the index, and a backup of the project is not to be put back for that.
    assert str(explained).index("delete search.db and findings.db") < str(explained).index("restore it from a backup")
    assert filled.read_bytes() == content


def test_a_second_opener_reads_and_writes(store) -> None:
    fill(store, rows=3)
    with open_store(store.path) as other:
        assert records.count(other) == 3
        records.set_flagged(other, 2, True)
    assert records.get(store, 2).flagged


def test_a_reader_is_not_held_up_by_an_open_write(store) -> None:
    fill(store, rows=3)
    with open_store(store.path) as other, store.transaction():
        records.set_flagged(store, 1, True)
        assert not records.get(other, 1).flagged


def test_two_writers_take_turns_or_say_so(store, monkeypatch) -> None:
    fill(store, rows=1)
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    with open_store(store.path) as other:
        with store.transaction(), pytest.raises(StoreError, match="written by another process"):
            records.set_flagged(other, 1, True)
        records.set_flagged(other, 1, True)
    assert records.get(store, 1).flagged


def write(store: Store, times: int) -> None:
    for _ in range(times):
        fill(store, rows=2)


def test_nested_writes_are_rolled_back_whole(store) -> None:
    def outer() -> None:
        with store.transaction():
            write(store, 2)
            with store.transaction():
                write(store, 1)
            assert records.count(store) == 6
            raise KeyError

    with pytest.raises(KeyError):
        outer()
    assert (records.count(store), records.sources(store)) == (0, [])
    write(store, 1)
    assert records.count(store) == 2


def test_a_failure_inside_takes_the_outside_along(store) -> None:
    def inner() -> None:
        with store.transaction():
            write(store, 1)
            raise KeyboardInterrupt

    def outer() -> None:
        with store.transaction():
            write(store, 1)
            inner()

    with pytest.raises(KeyboardInterrupt):
        outer()
    assert records.count(store) == 0


def test_a_write_that_breaks_a_reference_is_refused(store) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        journal.comment(store, 99, "about nothing", rater="Ada")
    assert not store.connection.in_transaction


def test_a_full_disk_loses_nothing_earlier(store) -> None:
    write(store, 2)
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count={pages + 20}")
    with pytest.raises(StoreError, match="full; free some space"):
        fill(store, rows=400)
    assert (records.count(store), len(records.sources(store))) == (4, 2)
    store.connection.execute(f"PRAGMA max_page_count={pages + 1000}")
    write(store, 1)
    with open_store(store.path) as other:
        assert records.count(other) == 6


FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from store import records
from store.database import open_store
from store.errors import StoreError
with open_store(Path(sys.argv[1])) as store:
    size = Path(sys.argv[1] + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 65536, resource.RLIM_INFINITY))
    try:
        records.set_flagged(store, 1, True)
        for flagged in (False, True) * 20:
            records.set_flagged(store, 2, flagged)
        print("no error")
    except StoreError as error:
        print(type(error).__name__)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    records.set_flagged(store, 3, True)
"""


def test_a_commit_that_fails_does_not_hold_back_the_next_one(store) -> None:
    fill(store, rows=3)
    child = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(store.path)], capture_output=True, text=True, check=False
    )
    assert (child.stdout, child.stderr) == ("StoreError\n", "")
    assert records.get(store, 1).flagged
    assert records.get(store, 3).flagged


def test_an_unfinished_copy_is_made_anew(filled, monkeypatch) -> None:
    with pytest.MonkeyPatch.context() as patch:
        next_migrations(patch, lambda db: db["record"].add_column("seen", int))
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(StoreError, match="No space left"):
            open_store(filled)
        assert sorted(contents(filled.parent)) == ["studio.db"]
    next_migrations(monkeypatch, lambda db: db["record"].add_column("seen", int))
    open_store(filled).close()
    assert f"studio.db.backup-{database.SCHEMA_VERSION - 1}" in contents(filled.parent)


def next_migrations(patch: pytest.MonkeyPatch, step: migrations.Migration) -> None:
    """Make the program as it will be after the next change of the schema."""
    patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, step))
    patch.setattr(database, "SCHEMA_VERSION", database.SCHEMA_VERSION + 1)


def test_a_new_file_needs_no_copy(store) -> None:
    assert not list(store.path.parent.glob("*.backup-*"))


@pytest.mark.parametrize("name", ["file:project?mode=ro", "100% #1", os.fsdecode(b"caf\xe9")], ids=ascii)
def test_a_folder_may_have_any_name(tmp_path, monkeypatch, name) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(name)
    folder.mkdir()
    create_store(folder / "studio.db").close()
    with open_store(folder / "studio.db") as store:
        assert fill(store, rows=2) == 2
        search_index.catch_up(store)
        assert search_index.pending(store) == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
