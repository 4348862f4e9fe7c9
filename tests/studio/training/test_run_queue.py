"""Runs that wait for their turn: in order, one at a time, whatever becomes of the one before."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from store import runs
from store.database import Store
from studio.commands import training
from studio.errors import StudioError
from studio.process import is_held, launching, only_one, started_at
from studio.project import Project, open_project
from studio.training.folder import RunFolder, Status, write_json
from studio.training.history import watch
from studio.training.history.watch import describe_progress, sync_all, sync_run
from studio.training.launch import put_first, resume_run, start_run, stop_run
from studio.training.waiting import keeper, queue
from tests.studio.training.ended_runs import made

pytestmark = pytest.mark.xdist_group("training")


class Trainers:
    """Stands for the trainers: processes that sleep until they are told to end."""

    def __init__(self) -> None:
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def spawn(self, store: Store, run_id: str, folder: RunFolder) -> None:
        if run_id == "dpo-3":
            raise OSError("no room for a log")
        process = self.started[run_id] = subprocess.Popen(["sleep", "1000"])
        folder.status.unlink(missing_ok=True)
        runs.update(store, run_id, status="starting", pid=process.pid, pid_started=started_at(process.pid))

    def end(self, run_id: str) -> None:
        self.started[run_id].kill()
        self.started[run_id].wait()


@pytest.fixture
def trainers(monkeypatch: pytest.MonkeyPatch) -> "Trainers":
    found = Trainers()
    monkeypatch.setattr(queue, "spawn_trainer", found.spawn)
    monkeypatch.setattr(keeper, "wake", lambda _: None)
    monkeypatch.setattr(queue, "POLL_SECONDS", 0.02)
    yield found  # type: ignore[misc]
    for run_id in found.started:
        found.end(run_id)


def states(store: Store) -> dict[str, str]:
    return {run.id: run.status for run in runs.all_runs(store)}


def turn(project: Project, store: Store) -> None:
    """Do what the keeper does each second."""
    queue.active(project, store)
    with launching(project.runs):
        queue.advance(project, store)


def test_one_trains_at_a_time_in_the_order_of_asking(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    first, second, third, fourth = (start_run(judged, store, "dpo", model=str(tiny_model)) for _ in range(4))
    assert states(store) == {first: "starting", second: "queued", third: "queued", fourth: "queued"}
    assert describe_progress(judged, store, runs.get(store, second)) == "waits, next in the queue"
    assert describe_progress(judged, store, runs.get(store, fourth)) == "waits, number 3 in the queue"
    turn(judged, store)
    assert list(trainers.started) == [first]
    with pytest.raises(StudioError, match=f"{second} is queued; there is nothing to resume"):
        resume_run(judged, store, second)
    stop_run(judged, store, second)
    trainers.end(first)
    turn(judged, store)
    # The third can't be started, which keeps nobody waiting.
    assert states(store) == {first: "failed", second: "stopped", third: "failed", fourth: "starting"}
    assert "no room for a log" in (runs.get(store, third).error or "")
    resume_run(judged, store, second)
    waiting = sync_run(judged, store, second)
    assert (waiting.status, waiting.pid, waiting.ended_at) == ("queued", None, None)
    trainers.end(fourth)
    turn(judged, store)
    assert list(trainers.started) == [first, fourth, second]


def test_as_many_train_at_once_as_the_settings_say(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    toml = judged.folder / "studio.toml"
    toml.write_text(f"{toml.read_text()}\n[train]\nat_once = 2\n")
    both = open_project(judged.folder)
    started = [start_run(both, store, "dpo", model=str(tiny_model)) for _ in range(2)]
    waiting = [start_run(both, store, "sft", model=str(tiny_model), overrides=["answers=chosen"]) for _ in range(2)]
    assert list(trainers.started) == started
    trainers.end(started[1])
    turn(both, store)
    assert list(trainers.started) == [*started, waiting[0]]
    assert states(store)[waiting[1]] == "queued"
    toml.write_text(toml.read_text().replace("at_once = 2", "at_once = 3"))
    # Which the keeper notices, though it knew the project before.
    queue.keep(both)
    assert list(trainers.started) == [*started, *waiting]
    last = start_run(both, store, "dpo", model=str(tiny_model))
    toml.write_text("[train\n")
    for run_id in [started[0], *waiting]:
        trainers.end(run_id)
    queue.keep(both)
    assert list(trainers.started)[-1] == last, "a mistake in the settings stops no queue"


def test_a_waiting_run_is_put_before_the_others(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    first, second, third, fourth = (start_run(judged, store, "dpo", model=str(tiny_model)) for _ in range(4))
    put_first(judged, store, fourth)
    assert [run.id for run in runs.queued(store)] == [fourth, second, third]
    assert describe_progress(judged, store, runs.get(store, fourth)) == "waits, next in the queue"
    put_first(judged, store, third)
    put_first(judged, store, third)
    assert [run.id for run in runs.queued(store)] == [third, fourth, second]
    with pytest.raises(StudioError, match=f"{first} does not wait; it is starting"):
        put_first(judged, store, first)
    # One that comes now is the last.
    fifth = start_run(judged, store, "dpo", model=str(tiny_model))
    assert [run.id for run in runs.queued(store)] == [third, fourth, second, fifth]


def test_the_keeper_stays_until_no_run_waits(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    first, second = (start_run(judged, store, "dpo", model=str(tiny_model)) for _ in range(2))
    trainers.end(first)
    with only_one(keeper.lock_of(judged)) as free:
        assert free
        queue.keep(judged)
    assert states(store) == {first: "failed", second: "starting"}


def test_a_start_that_broke_off_keeps_nobody_waiting(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    first, second = (start_run(judged, store, "dpo", model=str(tiny_model)) for _ in range(2))
    trainers.end(first)
    with store.transaction() as connection:
        connection.execute("UPDATE run SET status = 'starting', pid = NULL, pid_started = NULL WHERE id = ?", (first,))
    turn(judged, store)
    assert states(store) == {first: "failed", second: "starting"}


def test_a_run_whose_starter_was_killed_before_noting_it_gets_no_second_trainer(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    first, second = (start_run(judged, store, "dpo", model=str(tiny_model)) for _ in range(2))
    trainers.end(first)
    folder = RunFolder(judged.runs / second)
    with only_one(folder.lock):
        turn(judged, store)
        assert list(trainers.started) == [first]
        assert states(store) == {first: "failed", second: "starting"}
        me = os.getpid()
        write_json(folder.status, Status("running", me, started_at(me), step=3))
        assert sync_run(judged, store, second).pid == me


def test_a_trainer_that_lives_is_not_given_up_when_the_clock_is_set(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model))
    folder, pid = RunFolder(judged.runs / run_id), trainers.started[run_id].pid
    write_json(folder.status, Status("running", pid, started_at(pid) - 3600, step=3))
    runs.update(store, run_id, status="running", pid_started=started_at(pid) - 3600)
    with only_one(folder.lock):
        assert sync_run(judged, store, run_id).status == "running"
    assert sync_run(judged, store, run_id).status == "failed"


def test_what_was_found_out_of_an_earlier_trainer_does_not_hold_of_the_next(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers
) -> None:
    run_id = start_run(judged, store, "dpo", model=str(tiny_model))
    seen = runs.get(store, run_id)
    trainers.end(run_id)
    assert sync_run(judged, store, run_id).status == "failed"
    resume_run(judged, store, run_id)
    # Another app, which had looked before that, says it only now.
    runs.update(store, run_id, status="failed", error="dead", seen=seen)
    assert (runs.get(store, run_id).status, runs.get(store, run_id).error) == ("starting", None)


def test_a_run_that_is_put_into_the_queue_between_two_looks_stays_there(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made(project, store, status="starting")

    def enqueued(_: Path) -> bool:
        runs.enqueue(store, run.id)
        return False

    monkeypatch.setattr(watch, "is_launching", enqueued)
    assert sync_run(project, store, run.id).status == "queued"
    assert [each.id for each in runs.queued(store)] == [run.id]


def test_a_run_that_is_trained_by_hand_is_followed_and_others_wait_for_it(
    project: Project, store: Store, trainers: Trainers
) -> None:
    run, other = made(project, store, status="stopped"), made(project, store)
    folder, me = RunFolder(project.runs / run.id), os.getpid()
    runs.enqueue(store, other.id)
    write_json(folder.status, Status("running", me, started_at(me), step=3, started_at="2026-01-02"))
    assert sync_run(project, store, run.id).status == "stopped", "killed long ago: nobody is at it"
    with only_one(folder.lock):
        turn(project, store)
        assert states(store) == {run.id: "running", other.id: "queued"}
        with pytest.raises(StudioError, match=f"{run.id} is running"):
            resume_run(project, store, run.id)
        write_json(folder.status, Status("done", me, started_at(me), started_at="2026-01-02", result={"steps": 3}))
    found = sync_run(project, store, run.id)
    assert (found.status, found.result) == ("done", {"steps": 3})


def test_what_a_run_by_hand_came_to_is_seen_afterwards(project: Project, store: Store) -> None:
    run = made(project, store, status="stopped")
    ended = Status("done", 7, 1.0, started_at="2026-01-02", ended_at="2026-01-03", result={"steps": 3})
    write_json(RunFolder(project.runs / run.id).status, ended)
    found = sync_run(project, store, run.id)
    assert (found.status, found.result, found.ended_at) == ("done", {"steps": 3}, "2026-01-03")
    runs.enqueue(store, run.id)
    assert sync_run(project, store, run.id).status == "queued", "what is said of the part before is known"


def test_who_looks_at_a_lock_does_not_seem_to_hold_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    with lock.open("r+") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not is_held(lock)
        with only_one(lock) as free:
            assert not free


def test_a_disk_without_locks_can_be_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with only_one(tmp_path / "lock") as free:
        assert free
        assert not is_held(tmp_path / "lock")
    assert capsys.readouterr().err.count("can't be locked on this disk") == 1


def test_who_waits_for_a_run_keeps_the_queue_going(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (start_run(judged, store, "dpo", model=str(tiny_model)) for _ in range(2))
    monkeypatch.setattr(training, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(keeper, "wake", lambda _: trainers.end(first) or turn(judged, store))
    monkeypatch.setattr(training, "progress", lambda _: trainers.started.get(second) and trainers.end(second))
    assert training._wait(judged, store, second).status == "failed"


@pytest.mark.usefixtures("trainers")
def test_a_keeper_ends_when_told_to_and_with_a_database_that_is_too_new_for_it(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        start_run(judged, store, "dpo", model=str(tiny_model))
    monkeypatch.undo()
    keeper.wake(judged)
    os.kill(kept := _keeper_of(judged), signal.SIGTERM)
    _gone(kept)
    keeper.wake(judged)
    kept = _keeper_of(judged)
    version = store.connection.execute("PRAGMA user_version").fetchone()[0]
    store.connection.execute(f"PRAGMA user_version = {version + 1}")
    try:
        _gone(kept)
    finally:
        store.connection.execute(f"PRAGMA user_version = {version}")
    assert (judged.runs / keeper.LOG).read_text().count("by a newer Tuning Studio") == 1


@pytest.mark.usefixtures("trainers")
def test_of_two_keepers_one_goes_away(judged: Project) -> None:
    command = [sys.executable, "-m", "studio.training.waiting.queue", str(judged.folder)]
    with only_one(keeper.lock_of(judged)) as free:
        assert free
        assert subprocess.run(command, check=False, timeout=60).returncode == 0
        with only_one(keeper.lock_of(judged)) as again:
            assert not again


def test_a_queue_whose_keeper_was_killed_is_kept_again(
    judged: Project, store: Store, tiny_model: Path, trainers: Trainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (start_run(judged, store, "dpo", model=str(tiny_model)) for _ in range(2))
    monkeypatch.undo()
    sync_all(judged, store)
    killed = _keeper_of(judged)
    assert os.getsid(killed) == killed, "no terminal that closes takes it along"
    os.kill(killed, signal.SIGKILL)
    _gone(killed)
    sync_all(judged, store)
    kept = _keeper_of(judged)
    assert kept != killed
    # With nobody waiting it has nothing to stay for.
    stop_run(judged, store, second)
    _gone(kept)
    assert states(store) == {first: "starting", second: "stopped"}


def _keeper_of(project: Project) -> int:
    import psutil

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in psutil.Process().children():
            with suppress(psutil.ZombieProcess):
                if "studio.training.waiting.queue" in child.cmdline() and is_held(keeper.lock_of(project)):
                    return int(child.pid)
        time.sleep(0.05)
    raise TimeoutError("no keeper came")


def _gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            pytest.fail("the keeper stays")
        time.sleep(0.05)
