"""Files of earlier schemas: they open, keep all that they hold, and are as they were when that fails."""

import gzip
import json
import sqlite3
import stat
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from stored import current_verdicts, examples_of, records_of, responses_of, standing_verdicts

from store import (
    chats,
    database,
    duplicates,
    examples,
    interface_state,
    jobs,
    journal,
    judgements,
    migrations,
    pairs,
    records,
    runs,
    saved_queries,
    snapshots,
    synthetic,
    tags,
    templates,
)
from store.database import Store, create_store, open_store
from store.errors import NewerSchemaError, StoreError
from store.upgrade import Upgrade

FIXTURES = Path(__file__).parent / "fixtures"
OLD = list(range(1, database.SCHEMA_VERSION))


def unpacked(folder: Path, version: int) -> Path:
    """Put the file of an earlier schema into a folder of its own."""
    path = folder / f"project-{version}" / "studio.db"
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_bytes(gzip.decompress((FIXTURES / f"schema-{version}.db.gz").read_bytes()))
    return path


def written(version: int) -> dict[str, Any]:
    """Return what the program of that time read in its file."""
    return json.loads((FIXTURES / f"schema-{version}.json").read_text(encoding="ascii"))


def snapshot(store: Store, snapshot_id: str) -> dict[str, Any]:
    """Return a snapshot as the first program gave it: its items were a list of objects."""
    found = snapshots.get(store, snapshot_id)
    return {**vars(found), "items": [item._asdict() for item in found.items]}


def _numbers(store: Store, table: str) -> list[int]:
    return [row[0] for row in store.connection.execute(f"SELECT id FROM {table} ORDER BY id")]


def content(store: Store) -> dict[str, Any]:
    """Return the same as today's program reads it."""
    rows = [row for source in records.sources(store) for row in records_of(store, source.id)]
    made = examples_of(store)
    all_runs = runs.all_runs(store)
    found = {
        "sources": [asdict(s) for s in records.sources(store)],
        "records": [asdict(row) for row in rows],
        "examples": [asdict(examples.get(store, e.id)) for e in made],
        "revisions": {e.id: [asdict(r) for r in examples.revisions(store, e.id)] for e in made},
        "responses": [asdict(r) for r in responses_of(store)],
        "pairs": [pairs.get(store, number)._asdict() for number in _numbers(store, "pair")],
        "journal": [asdict(e) for e in journal.entries(store)],
        "standing": [e.id for e in standing_verdicts(store)],
        "current": [e.id for e in current_verdicts(store)],
        "counts": pairs.counts(store),
        "jobs": [asdict(jobs.get(store, each.id)) for each in jobs.standings(store)],
        "synthetic": [asdict(each) for each in synthetic.origins(store, [e.id for e in made]).values()],
        "judgements": [cell._asdict() for cell in judgements.cells(store, "Ada")],
        "snapshots": [snapshot(store, r.snapshot_id) for r in all_runs],
        "runs": [asdict(r) for r in all_runs],
        "templates": [asdict(t) for t in templates.everything(store)],
        "metrics": {r.id: [[asdict(m) for m in v] for v in runs.metrics(store, r.id).values()] for r in all_runs},
        "turns": [asdict(t) for t in chats.turns(store, chats.latest(store) or 0)],
        "state": interface_state.recall(store, "data"),
        "tags": {
            "record": tags.of_many(store, "record", [row.id for row in rows]),
            "example": tags.of_many(store, "example", [e.id for e in made]),
        },
        "saved queries": [asdict(query) for query in saved_queries.all_saved(store)],
        "duplicates": [asdict(group) for group in duplicates.groups(store, "near")],
    }
    return json.loads(json.dumps(found, default=lambda value: {"bytes": value.hex()}))


def old_part(new: Any, old: Any) -> Any:
    """Return a value without the names that the earlier one does not have."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: old_part(new[name], value) for name, value in old.items() if name in new}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [old_part(*both) for both in zip(new, old, strict=True)]
    return new


def test_each_earlier_schema_has_a_fixture() -> None:
    assert sorted(path.name for path in FIXTURES.glob("*.db.gz")) == [f"schema-{n}.db.gz" for n in OLD]


@pytest.mark.parametrize("version", OLD)
def test_an_earlier_file_keeps_its_content(tmp_path, version) -> None:
    before = written(version)
    with open_store(unpacked(tmp_path, version)) as store:
        after = content(store)
        assert {name: old_part(after[name], value) for name, value in before.items()} == before
        assert {name: len(after[name]) for name in before if name != "counts"} == {
            name: len(value) for name, value in before.items() if name != "counts"
        }
        assert store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert store.connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("version", OLD)
def test_an_earlier_file_is_as_one_that_is_made_today(tmp_path, version) -> None:
    def schema(store: Store) -> dict[tuple[str, str], Any]:
        names = store.connection.execute("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
        return {(kind, name): store.connection.execute(f"PRAGMA table_info({name})").fetchall() for kind, name in names}

    with create_store(tmp_path / "studio.db") as new, open_store(unpacked(tmp_path, version)) as old:
        assert schema(old) == schema(new)


@pytest.mark.parametrize("version", OLD)
def test_a_private_copy_is_made_first_and_once(tmp_path, version) -> None:
    path = unpacked(tmp_path, version)
    for _ in range(2):
        open_store(path).close()
    backups = list(path.parent.glob("*backup*"))
    assert [b.name for b in backups] == [f"studio.db.backup-{version}"]
    assert stat.S_IMODE(backups[0].stat().st_mode) == 0o600
    # The copy is a project file like the one that it was made from.
    backups[0].replace(path)
    with open_store(path) as store:
        assert records.count(store) == len(written(version)["records"])


def test_what_schema_two_adds_is_filled_in(tmp_path) -> None:
    with open_store(unpacked(tmp_path, 1)) as store:
        rows = [row for source in records.sources(store) for row in records_of(store, source.id)]
        assert [row.length for row in rows] == [len(row.raw) for row in rows]
        assert {row.id: row.duplicate_of for row in rows if row.duplicate_of} == {9: 3, 18: 3, 22: 20}
        assert [(s.rows, s.state, s.encoding, s.compression) for s in records.sources(store)] == [
            (18, "complete", "utf-8", ""),
            (4, "complete", "utf-8", ""),
        ]
        own = store.connection.execute("SELECT id FROM example WHERE own_text ORDER BY id").fetchall()
        assert own == [(1,), (2,), (3,), (18,)]
        current = {e.pair_id: (e.id, e.verdict) for e in current_verdicts(store)}
        beside = store.connection.execute("SELECT id, verdict_id, verdict FROM pair WHERE verdict_id IS NOT NULL")
        assert {pair: (entry, verdict) for pair, entry, verdict in beside} == current


def test_chats_of_schema_five_become_a_tree(tmp_path) -> None:
    """Answers stand beside each other below their question, and each question follows the answers before it."""
    with open_store(unpacked(tmp_path, 5)) as store:
        number = chats.latest(store)
        assert number is not None
        kept, turns = chats.get(store, number), chats.turns(store, number)
        assert (kept.models, kept.settings, kept.questions) == (("smollm2", "dpo-2"), {}, 3)
        tree = [(turn.id, turn.role, turn.opening, turn.parent_id, turn.side, turn.follows) for turn in turns]
        assert tree == [
            (2, "system", True, None, None, ()),
            (3, "user", False, None, None, ()),
            (4, "assistant", False, 3, 0, ()),
            (5, "assistant", False, 3, 1, ()),
            (6, "user", False, 3, None, (4, 5)),
            (7, "assistant", False, 6, 0, ()),
            (8, "assistant", False, 6, 1, ()),
            (9, "user", False, 6, None, (7, 8)),
        ]
        assert kept.shown_id == 9
        assert {chats.trace(store, turn.id) for turn in turns} == {None}
        # The unanswered question can be taken back, one that others follow can't.
        assert [chats.remove_unanswered(store, turn) for turn in (3, 9)] == [False, True]


def test_an_earlier_file_goes_on_where_it_was(tmp_path) -> None:
    with open_store(unpacked(tmp_path, 1)) as store:
        assert journal.redo(store, rater="file pairs.jsonl") is not None
        assert pairs.counts(store)["pairs"] == written(1)["counts"]["pairs"]
        assert examples.revise(store, 1, [{"role": "user", "content": "new"}]) == 2
        assert examples.add(store, record_id=1, messages=[], split="train") == 19


class Breaking:
    """A database whose power goes off after some statements."""

    def __init__(self, db: Any, left: int) -> None:
        self._db = db
        self._left = left

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, *statement: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise sqlite3.OperationalError("the power went off")
        return self._db.execute(*statement)


@pytest.mark.parametrize("version", OLD)
def test_a_migration_that_breaks_off_anywhere_changes_nothing(tmp_path, version, monkeypatch) -> None:
    path = unpacked(tmp_path, version)
    before = dump(path)
    step = migrations.MIGRATIONS[version]
    for statements in range(200):
        monkeypatch.setattr(
            migrations,
            "MIGRATIONS",
            (
                *migrations.MIGRATIONS[:version],
                lambda db, n=statements: step(Breaking(db, n)),
                *migrations.MIGRATIONS[version + 1 :],
            ),
        )
        try:
            open_store(path).close()
        except StoreError as error:
            assert "the power went off" in str(error)  # noqa: PT017
            assert dump(path) == before
        else:
            break
    assert statements >= 3
    with open_store(path) as store:
        assert records.count(store) == len(written(version)["records"])


def test_a_full_disk_is_named_although_it_ends_the_transaction_by_itself(tmp_path, monkeypatch) -> None:
    def fill_the_disk(db: Any) -> None:
        db.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    path = unpacked(tmp_path, 1)
    monkeypatch.setattr(migrations, "MIGRATIONS", (migrations.MIGRATIONS[0], fill_the_disk))
    with pytest.raises(StoreError, match="disk is full"):
        open_store(path)


def test_half_a_copy_of_a_process_that_was_killed_is_taken_away(tmp_path) -> None:
    path = unpacked(tmp_path, 1)
    for name in ("studio.db.backup-1.part", "studio.db.backup-1.part-journal"):
        path.with_name(name).write_bytes(b"half")
    open_store(path).close()
    assert [p.name for p in path.parent.glob("*backup*")] == ["studio.db.backup-1"]


@pytest.mark.parametrize("version", OLD)
def test_what_is_done_is_said_before_it_takes_its_time(tmp_path, version, monkeypatch) -> None:
    monkeypatch.setattr(migrations, "STEPS_BETWEEN_LOOKS", 10)
    monkeypatch.setattr(migrations, "SECONDS_BETWEEN_WORDS", 0)
    path, said = unpacked(tmp_path, version), []
    for _ in range(2):
        open_store(path, said.append).close()
    assert {at.backup.name for at in said} == {f"studio.db.backup-{version}"}
    first, *shares = [at.copied for at in said]
    assert first is None
    assert shares
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_an_interruption_ends_a_copy_and_changes_nothing(tmp_path, monkeypatch) -> None:
    def interrupt(at: Upgrade) -> None:
        if at.copied is not None:
            raise KeyboardInterrupt

    monkeypatch.setattr(migrations, "STEPS_BETWEEN_LOOKS", 10)
    monkeypatch.setattr(migrations, "SECONDS_BETWEEN_WORDS", 0)
    path = unpacked(tmp_path, 2)
    before = dump(path)
    with pytest.raises(KeyboardInterrupt):
        open_store(path, interrupt)
    assert dump(path) == before
    assert not list(path.parent.glob("*backup*"))


OPEN_WHEN_TOLD = """
import sys
from pathlib import Path
from store import records
from store.database import open_store
sys.stdin.readline()
with open_store(Path(sys.argv[1])) as store:
    print(records.count(store))
"""


def test_two_processes_bring_a_file_up_to_date_once(tmp_path) -> None:
    path = unpacked(tmp_path, 1)
    command = [sys.executable, "-c", OPEN_WHEN_TOLD, str(path)]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate()[0] for child in children] == ["22\n"] * 4
    assert [p.name for p in path.parent.glob("*backup*")] == ["studio.db.backup-1"]


def test_a_newer_file_is_refused_and_kept(tmp_path) -> None:
    path = unpacked(tmp_path, 1)
    open_store(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={database.SCHEMA_VERSION + 1}")
    connection.close()
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    with pytest.raises(NewerSchemaError, match="update the program"):
        open_store(path)
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before


def dump(path: Path) -> list[str]:
    """Return the whole file as SQL, and its schema's number."""
    connection = sqlite3.connect(path)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return [*connection.iterdump(), str(version)]
    finally:
        connection.close()
