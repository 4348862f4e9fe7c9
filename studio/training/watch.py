"""Reading what a run's folder says into the store, and finding out runs that died without a word."""

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from store import runs
from store.database import Store, now
from store.runs import ACTIVE, Metric, Run
from studio.process import is_alive, is_launching
from studio.project import Project
from studio.training.folder import RunFolder, Status, read_description, read_status

_read_up_to: dict[Path, int] = {}
"""How many bytes of each metrics file this process has stored already."""


def sync_run(project: Project, store: Store, run_id: str) -> Run:
    """Take over what the run's folder says and return the run.

    Raises:
        MissingRowError: there is no run of that id.
    """
    run = runs.get(store, run_id)
    folder = RunFolder(project.runs / run_id)
    _store_metrics(store, run_id, folder.metrics)
    if run.status not in ACTIVE:
        return run
    being_launched = run.pid is None and is_launching(project.runs)
    if run.pid is None and not being_launched:
        run = runs.get(store, run_id)  # its trainer may have been started between the two looks
    # Liveness first: a trainer that ends between the two looks has then written its last word already.
    alive = is_alive(run.pid, run.pid_started)
    status = read_status(folder)
    if status and (status.status not in ACTIVE or alive):
        _store_status(store, run, status)
    elif not alive and not being_launched:
        _store_death(store, run, folder, status)
    else:
        return run
    _store_metrics(store, run_id, folder.metrics)
    return runs.get(store, run_id)


def sync_all(project: Project, store: Store) -> list[Run]:
    """Do the same for every run, and return them newest first."""
    return [sync_run(project, store, run.id) for run in runs.all_runs(store)]


def log_tail(project: Project, run_id: str, lines: int = 50) -> list[str]:
    """Return the last lines that the trainer printed; a progress line counts as its last state."""
    try:
        with RunFolder(project.runs / run_id).log.open(encoding="utf-8", errors="replace", newline="\n") as log:
            return [line.rstrip("\n").split("\r")[-1] for line in deque(log, maxlen=lines)]
    except FileNotFoundError:
        return []


def describe_progress(project: Project, store: Store, run: Run) -> str:
    """Say in one line where a run is."""
    if run.status == "failed":
        return run.error or "failed"
    status = read_status(RunFolder(project.runs / run.id))
    parts = []
    if status and status.total_steps:
        parts.append(f"step {status.step}/{status.total_steps}")
    if status and run.status in ACTIVE and status.doing:
        parts.append(status.doing)
    latest = {name: series[-1].value for name, series in runs.metrics(store, run.id).items()}
    parts.extend(f"{label} {latest[name]:.3f}" for name, label in _HEADLINES if name in latest)
    return ", ".join(parts) or run.status


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
    lines += [f"template   {origin}" for origin in [_template_origin(folder)] if origin]
    lines += [f"recipe     {name} = {value}" for name, value in run.recipe.items() if name != "method"]
    lines += [f"result     {name} = {_shown(value)}" for name, value in run.result.items()]
    return lines


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
    )


def _store_death(store: Store, run: Run, folder: RunFolder, status: Status | None) -> None:
    # The trainer's metrics, which it prints as dictionaries, say nothing about why it died.
    last = next((line for line in reversed(_log_end(folder)) if line and not line.startswith("{")), "")
    step = f" after step {status.step}" if status and status.step else ""
    checkpoint = folder.latest_checkpoint()
    kept = f"checkpoint {checkpoint.name.rpartition('-')[2]} is kept" if checkpoint else "there is no checkpoint yet"
    if run.pid is None:
        runs.update(store, run.id, status="failed", error="the start was broken off before training", ended_at=now())
        return
    cause = f"the trainer process ended without a word{step} (killed, or out of memory?); {kept}"
    runs.update(store, run.id, status="failed", error=f"{cause}; last line: {last}" if last else cause, ended_at=now())


def _log_end(folder: RunFolder) -> list[str]:
    try:
        with folder.log.open(encoding="utf-8", errors="replace") as log:
            return [line.strip() for line in deque(log, maxlen=5)]
    except FileNotFoundError:
        return []


def _store_metrics(store: Store, run_id: str, path: Path) -> None:
    start = _read_up_to.get(path, 0)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(start if size >= start else 0)
            content = file.read()
    except FileNotFoundError:
        return
    whole = content[: content.rfind(b"\n") + 1]
    if whole:
        runs.add_metrics(store, run_id, _parse(whole))
        _read_up_to[path] = (start if size >= start else 0) + len(whole)


def _parse(lines: bytes) -> Iterator[Metric]:
    for line in lines.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            # Cut short by a full disk; what the trainer says after a resume is whole again.
            continue
        for name, value in entry["values"].items():
            yield Metric(name, entry["step"], value, entry["at"])
