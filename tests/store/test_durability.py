"""A verdict that was shown as taken is there, whatever happens to the process next."""

import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from stored import current_verdicts

from store import bulk, examples, journal, pairs, responses
from store.database import explain, open_store
from store.errors import StoreError

JUDGE_UNTIL_KILLED = """
import sys
from itertools import cycle
from pathlib import Path
from store import journal, pairs
from store.database import open_store
with open_store(Path(sys.argv[1])) as store:
    queue = [pairs.get(store, number) for number in range(1, 21)]
    for pair, verdict in zip(cycle(queue), cycle(("left", "right", "tie"))):
        print(journal.judge(store, pair, verdict, rater="Ada"), pair.id, verdict, flush=True)
"""

IMPORT_UNTIL_KILLED = """
import sys
from itertools import count
from pathlib import Path
from store import examples
from store.database import open_store
with open_store(Path(sys.argv[1])) as store, store.transaction():
    for number in count():
        examples.add(store, record_id=None, messages=[{"role": "user", "content": "x" * 2000}], split="train")
        print(number, flush=True)
"""


@pytest.fixture
def queue(store) -> Path:
    """A database with twenty pairs to judge."""
    with store.transaction():
        for number in range(20):
            example_id = examples.add(
                store, record_id=None, messages=[{"role": "user", "content": f"Q{number}"}], split="train"
            )
            first, second = (responses.add(store, example_id, [], origin="human") for _ in range(2))
            pairs.add_pair(store, example_id, first, second, seed=number)
    return store.path


def run_and_kill(script: str, path: Path, lines: int) -> list[str]:
    """Run a script until it has printed some lines, kill it at once, and return all that it printed."""
    child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    printed = [child.stdout.readline() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate()
    assert child.returncode == -signal.SIGKILL
    # The kill may cut the last line off; a verdict that was not said whole was not promised.
    return [line for line in "".join([*printed, rest]).splitlines(keepends=True) if line.endswith("\n")]


def test_every_verdict_that_was_told_outlives_a_kill(queue) -> None:
    chance = random.Random(20250111)
    told: list[tuple[int, int, str]] = []
    for _ in range(5):
        lines = run_and_kill(JUDGE_UNTIL_KILLED, queue, chance.randint(1, 60))
        told += [(int(entry), int(pair), verdict) for entry, pair, verdict in map(str.split, lines)]
        with open_store(queue) as store:
            stored = {(e.id, e.pair_id, e.verdict) for e in journal.entries(store)}
            assert store.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert set(told) <= stored
        # At most the one verdict a round that was on the disk but not said yet.
        assert len(stored) <= len(told) + 5


def test_two_processes_judge_at_once_and_nothing_is_lost(queue) -> None:
    raters = ("Ada", "Ben")
    children = {
        rater: subprocess.Popen(
            [sys.executable, "-c", JUDGE_UNTIL_KILLED.replace("Ada", rater), str(queue)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rater in raters
    }
    told = {rater: [child.stdout.readline().split() for _ in range(60)] for rater, child in children.items()}
    for child in children.values():
        child.kill()
        child.communicate()
    with open_store(queue) as store:
        written = list(journal.entries(store))
        assert store.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        counting = {e.pair_id: e.id for e in current_verdicts(store)}
    assert [entry.id for entry in written] == list(range(1, len(written) + 1))
    by_id = {entry.id: (entry.rater, entry.pair_id, entry.verdict) for entry in written}
    for rater, lines in told.items():
        assert all(by_id[int(line)] == (rater, int(pair), verdict) for line, pair, verdict in lines)
    assert counting == {entry.pair_id: entry.id for entry in written}


def test_half_an_import_leaves_nothing(queue) -> None:
    with open_store(queue) as store:
        before = examples.count(store)
    run_and_kill(IMPORT_UNTIL_KILLED, queue, 1500)
    with open_store(queue) as store:
        assert examples.count(store) == before
        examples.add(store, record_id=None, messages=[{"role": "user", "content": "next"}], split="train")
        assert examples.count(store) == before + 1


def test_nothing_is_written_to_a_file_that_is_not_in_its_place_any_more(store, tmp_path) -> None:
    store.path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError, match="nothing can be saved"), store.transaction():
        raise AssertionError
    (tmp_path / "elsewhere.db").rename(store.path)
    with store.transaction():
        pass


@pytest.mark.parametrize(
    ("name", "words"),
    [("SQLITE_CANTOPEN", "make /data writable"), ("SQLITE_IOERR_WRITE", "disk is full or failing")],
)
def test_what_the_disk_refuses_is_said_with_what_to_do(name, words) -> None:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorname = name
    assert words in str(explain(Path("/data/studio.db"), error))


def test_writes_wait_for_the_disk(store) -> None:
    settings = {
        name: store.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_log_that_is_moved_into_the_file_does_not_grow(queue, store) -> None:
    log = queue.with_name(f"{queue.name}-wal")
    sizes = []
    for number in range(1, 21):
        journal.judge(store, pairs.get(store, number), "left", rater="Ada")
        with open_store(queue) as beside:
            bulk.checkpoint(beside)
        sizes.append(log.stat().st_size)
    assert sizes[-1] == sizes[0]


def test_a_copy_of_the_file_alone_is_whole_after_closing(queue, tmp_path, store) -> None:
    journal.judge(store, pairs.get(store, 1), "left", rater="Ada")
    store.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes(queue.read_bytes())
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT COUNT(*) FROM comparison").fetchone()[0] == 1
    connection.close()
