"""Reading what a run's folder says into the store, and finding out runs that died without a word."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from store import curves, runs
from store.database import Store, now
from store.runs import ACTIVE, Metric, Run
from studio.process import is_alive, is_held, is_launching
from studio.project import Project
from studio.training.faults import memory
from studio.training.folder import RunFolder, Status, read_description, read_status
from studio.training.recipe import settings
from studio.training.waiting import keeper

_read_up_to: dict[tuple[Path, int], int] = {}
"""How many bytes of each metrics file this process has stored already; results that come back are another file."""

AT_ONCE_BYTES = 1 << 20
TAIL_BYTES = 1 << 16
LOG_BYTES = 1 << 20
"""Of a log only its end is read, since it is looked at each second."""


def sync_run(project: Project, store: Store, run_id: str) -> Run:
    """Take over what the run's folder says and return the run.

    Raises:
        MissingRowError: there is no run of that id.
    """
    run = runs.get(store, run_id)
    folder = RunFolder(project.runs / run_id)
    _store_metrics(store, run_id, folder.metrics)
    if run.status not in ACTIVE:
        return _sync_ended(store, run, folder)
    being_launched = run.pid is None and is_launching(project.runs)
    if run.pid is None and not being_launched:
        # Between the two looks it may have been put into the queue, or its trainer started.
        run = runs.get(store, run_id)
        if run.status not in ACTIVE:
            return run
    # Liveness first: a trainer that ends between the two looks has then written its last word already.
    # By its lock too, as the start of a process is told from a clock that may have been set meanwhile.
    alive = is_alive(run.pid, run.pid_started) or is_held(folder.lock)
    status = read_status(folder)
    if status and (status.status not in ACTIVE or alive):
        _store_status(store, run, status)
    elif not alive and not being_launched:
        _store_death(store, run, folder, status)
    else:
        return run
    _store_metrics(store, run_id, folder.metrics)
    return runs.get(store, run_id)


def _sync_ended(store: Store, run: Run, folder: RunFolder) -> Run:
    """Take over what a trainer says that was started by hand in a run that had ended, as by `accelerate launch`."""
    if run.status == "queued" or (status := read_status(folder)) is None:
        return run
    is_another = status.started_at not in (None, run.started_at)
    if not (is_held(folder.lock) if status.status in ACTIVE else is_another):
        return run
    _store_status(store, run, status)
    return runs.get(store, run.id)


def sync_all(project: Project, store: Store) -> list[Run]:
    """Do the same for every run, and return them newest first; a queue whose keeper has died is kept again."""
    found = [sync_run(project, store, run.id) for run in runs.all_runs(store)]
    if any(run.status == "queued" for run in found):
        # Where no process can be started the runs go on waiting, which is what they are shown to do.
        with suppress(OSError):
            keeper.wake(project)
    return found


def log_tail(project: Project, run_id: str, lines: int = 50) -> list[str]:
    """Return the last lines that the trainer printed; a progress line counts as its last state."""
    return _end_of(RunFolder(project.runs / run_id).log, lines)


def _end_of(log: Path, lines: int) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
            found = file.read().decode(errors="replace").removesuffix("\n").split("\n")
    except FileNotFoundError:
        return []
    return [line.split("\r")[-1] for line in found[max(0, len(found) - lines) :]] if found != [""] else []


def describe_progress(project: Project, store: Store, run: Run) -> str:
    """Say in one line where a run is."""
    if run.status == "failed":
        return run.error or "failed"
    if run.status == "queued":
        return _place_in_queue(store, run)
    status = read_status(RunFolder(project.runs / run.id))
    parts = [run.error] if run.error else []
    if status and status.total_steps:
        parts.append(f"step {status.step}/{status.total_steps}")
    if status and run.status in ACTIVE and status.doing:
        parts.append(status.doing)
    latest = latest_metrics(store, run, status)
    parts.extend(f"{label} {latest[name].value:.3f}" for name, label in _HEADLINES if name in latest)
    return ", ".join(parts) or run.status


def latest_metrics(store: Store, run: Run, status: Status | None) -> dict[str, Metric]:
    """Return the last value of each metric; of a run that goes on none of steps that a resume has yet to do again."""
    if run.status not in ACTIVE:
        return curves.latest(store, run.id)
    return curves.latest(store, run.id, last=status.step if status else 0)


def describe_run(project: Project, store: Store, run: Run) -> list[str]:
    """Say all about a run, a line a fact."""
    folder = RunFolder(project.runs / run.id)
    lines = [
        f"run        {run.id} ({run.method}), {run.status}",
        f"model      {run.base_model}" + (f", going on from {run.parent_id}" if run.parent_id else ""),
        f"snapshot   {run.snapshot_id[:12]}",
        f"folder     {folder.path}",
        f"progress   {describe_progress(project, store, run)}",
    ]
    called = {"name": run.name, "tags": ", ".join(run.tags), "note": " ".join(run.note.split())}
    lines += [f"{label:<10} {words}" for label, words in called.items() if words]
    lines += [f"template   {origin}" for origin in [_template_origin(folder)] if origin]
    matters = {setting.name for setting in settings(run.method)}
    lines += [f"recipe     {name} = {value}" for name, value in run.recipe.items() if name in matters]
    lines += [f"result     {name} = {_shown(value)}" for name, value in run.result.items() if value is not None]
    return lines


def _place_in_queue(store: Store, run: Run) -> str:
    waiting = [each.id for each in runs.queued(store)]
    if run.id not in waiting:
        return "starting"
    place = waiting.index(run.id)
    return "waits, next in the queue" if place == 0 else f"waits, number {place + 1} in the queue"


def _template_origin(folder: RunFolder) -> str:
    try:
        return read_description(folder).chat_template
    except (OSError, ValueError, TypeError):
        return ""


_HEADLINES = (
    ("loss", "loss"),
    ("rewards/margins", "margin"),
    ("eval_loss", "held-out loss"),
    ("eval_rewards/accuracies", "held-out accuracy"),
)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value) if isinstance(value, dict) else str(value)


def _store_status(store: Store, run: Run, status: Status) -> None:
    # A stop that was asked for stays shown until the trainer has ended.
    shown = "stopping" if run.status == "stopping" and status.status in ACTIVE else status.status
    known = (run.status, run.error, run.pid, run.result, run.started_at, run.ended_at)
    if known == (shown, status.error, status.pid, status.result or {}, status.started_at, status.ended_at):
        return
    runs.update(
        store,
        run.id,
        status=shown,
        pid=status.pid,
        pid_started=status.pid_started,
        error=status.error,
        result=status.result,
        started_at=status.started_at,
        ended_at=status.ended_at,
        seen=run,
    )


def _store_death(store: Store, run: Run, folder: RunFolder, status: Status | None) -> None:
    if run.pid is None:
        cause = "the start was broken off before training"
        runs.update(store, run.id, status="failed", error=cause, ended_at=now(), seen=run)
        return
    killed = memory.was_killed(status)
    result = {**run.result, **(status.result or {} if status else {}), **({memory.KILLED: True} if killed else {})}
    cause = _cause_of_death(folder, status, killed)
    runs.update(store, run.id, status="failed", error=cause, result=result, ended_at=now(), seen=run)


def _cause_of_death(folder: RunFolder, status: Status | None, killed: bool) -> str:
    step = f" after step {status.step}" if status and status.step else ""
    checkpoint = folder.latest_checkpoint()
    kept = f"checkpoint {checkpoint.name.rpartition('-')[2]} is kept" if checkpoint else "there is no checkpoint yet"
    if killed:
        return (
            f"the trainer was killed{step}, by the system for want of memory as it seems; {kept}, and when resumed"
            " it computes on fewer rows at a time"
        )
    # The trainer's metrics, which it prints as dictionaries, say nothing about why it died.
    last = next((line for line in reversed(_end_of(folder.log, 5)) if line.strip() and not line.startswith("{")), "")
    cause = f"the trainer process ended without a word{step} (killed, or out of memory?); {kept}"
    return f"{cause}; last line: {last}" if last else cause


def _store_metrics(store: Store, run_id: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            known, size = (path, state.st_ino), state.st_size
            start = _read_up_to[known] if known in _read_up_to else _stored_up_to(store, run_id, file)
            start = _read_up_to[known] = start if size >= start else 0
            file.seek(start)
            # Some at a time, so that nobody who writes meanwhile waits long.
            while lines := file.readlines(AT_ONCE_BYTES):
                whole = lines if lines[-1].endswith(b"\n") else lines[:-1]
                if whole:
                    runs.add_metrics(store, run_id, list(_parse(whole)))
                    start += sum(map(len, whole))
                    _read_up_to[known] = start
                if whole != lines:
                    break  # the trainer is writing that line
    except FileNotFoundError:
        return


def _stored_up_to(store: Store, run_id: str, file: IO[bytes]) -> int:
    """Return where a file that this process has not read yet goes on after what is stored: its end, or its beginning.

    What is stored of a file is stored from its beginning on, so that with its last line all of it is.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    # The first may have been cut by the look, the last by a full disk.
    lines = file.read().split(b"\n")
    whole = lines[1:-1] if size > TAIL_BYTES else lines[:-1]
    last = next((found for line in reversed(whole) if (found := list(_parse([line])))), None)
    return size - len(lines[-1]) if last and runs.has_metrics(store, run_id, last) else 0


def _parse(lines: Iterable[bytes]) -> Iterator[Metric]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            # Cut short by a full disk; what the trainer says after a resume is whole again.
            continue
        for name, value in entry["values"].items():
            yield Metric(name, entry["step"], value, entry["at"])
