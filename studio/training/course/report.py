"""The trainer's side of a run's folder: its state, its metrics, and the wish to stop."""

import json
import math
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from store.database import now
from studio.process import started_at
from studio.training.course.agreeing import any_process
from studio.training.elsewhere.results import FILE as RESULTS
from studio.training.faults import memory
from studio.training.folder import RunFolder, Status, read_status, write_json

STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""What ends a run at the end of its step."""

SYNC_SECONDS = 1.0
"""A network disk takes up to 30 ms to put a line down for good, which each step would wait for."""

NOT_METRICS = {"epoch", "total_flos", "train_runtime", "train_samples_per_second", "train_steps_per_second"}


class StopRequested(BaseException):
    """The user asked the run to stop before training had begun; no library may take it for a fault of its own."""


class Reporter:
    """Says what the trainer does, through the run's folder."""

    def __init__(self, folder: RunFolder, *, is_main: bool = True) -> None:
        """Begin to report.

        Args:
            folder: the run's.
            is_main: whether this process speaks for the run; of several only one does.
        """
        self.folder, self.is_main = folder, is_main
        self.stop_requested = False
        self._synced_at = 0.0
        pid = os.getpid()
        before = read_status(folder) or read_status(folder, folder.earlier_status)
        self.status = Status(
            "starting",
            pid,
            started_at(pid),
            doing="starting",
            started_at=now(),
            # What earlier parts of the run found out stays found out.
            result=before.result if before else None,
            memory_kills=memory.kills(),
        )
        self._write()
        if is_main:
            for path in (folder.metrics, folder.samples, folder.machine):
                _end_cut_line(path)
            # From now on the hashes of an earlier part's results are not those of this one's.
            (folder.path / RESULTS).unlink(missing_ok=True)

    def listen_for_stop(self) -> None:
        """Take SIGTERM and SIGINT as the wish to stop: at once before training, then at the step's end.

        So is SIGHUP, the end of the terminal that a run was started in by hand, unless the run is to outlive it (nohup;
        torch's launcher of several processes passes it on all the same).

        Raises:
            StopRequested: at any later moment before the first step.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            # One that is gone is no terminal any more.
            self._terminals = [stream for stream in (1, 2) if os.isatty(stream)]
            signal.signal(signal.SIGHUP, self._on_hangup)
        # Held back since the process began: see `spawn`, and `worker` for one that began again.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def doing(self, words: str) -> None:
        """Say what is being done now; ends the run here when a stop was asked for.

        Raises:
            StopRequested: the user wants no more.
        """
        if self.stop_requested:
            raise StopRequested
        self._update(doing=words)

    def at_step(self, step: int, total: int) -> None:
        """Say how far training is."""
        self._update(status="running", doing="training", step=step, total_steps=total)

    def metrics(self, step: int, values: dict[str, float]) -> None:
        """Append one line of metrics; what a power cut may take of them is a second's."""
        if not self.is_main:
            return
        line = json.dumps({"step": step, "at": now(), "values": values})
        with self.folder.metrics.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            if time.monotonic() - self._synced_at > SYNC_SECONDS:
                os.fsync(file.fileno())
                self._synced_at = time.monotonic()

    def found(self, facts: dict[str, Any]) -> None:
        """Add to the run's results what is known already."""
        self._update(result=(self.status.result or {}) | facts)

    def ended(self, status: str, *, error: str | None = None) -> None:
        """Say how it ended."""
        self._update(status=status, doing="", error=error, ended_at=now())

    def _on_signal(self, *_: object) -> None:
        # Only the first ends what is being done: another would break off the end itself.
        is_first, self.stop_requested = not self.stop_requested, True
        if is_first and self.status.status == "starting":
            raise StopRequested

    def _on_hangup(self, *_: object) -> None:
        # Whatever is printed to a terminal that is gone would be an error.
        with self.folder.log.open("ab") as log:
            for stream in self._terminals:
                os.dup2(log.fileno(), stream)
        self._on_signal()

    def _update(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        self._write()

    def _write(self) -> None:
        if self.is_main:
            write_json(self.folder.status, self.status)


class ReportingCallback(TrainerCallback):  # type: ignore[misc]
    """Turns the trainer's events into reports, and the wish to stop into a checkpoint and an end."""

    def __init__(self, reporter: Reporter, accelerator: Any) -> None:
        self.reporter, self._accelerator = reporter, accelerator

    def on_train_begin(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Tell the number of steps."""
        self.reporter.at_step(state.global_step, state.max_steps)

    def on_step_end(self, _args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell the step; stop with a checkpoint when asked, unless this was the last step."""
        self.reporter.at_step(state.global_step, state.max_steps)
        self.reporter.stop_requested = any_process(self._accelerator, self.reporter.stop_requested)
        if self.reporter.stop_requested and state.global_step < state.max_steps:
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self, _args: Any, state: TrainerState, _control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write the numbers down."""
        values = {k: float(v) for k, v in (logs or {}).items() if k not in NOT_METRICS and _is_number(v)}
        if state.global_step == 0:
            # The tuned model is the base still: every reward is 0 and no accuracy means anything.
            values = {k: v for k, v in values.items() if "rewards/" not in k}
        if values:
            self.reporter.metrics(state.global_step, {k: v for k, v in values.items() if math.isfinite(v)})


def _end_cut_line(path: Path) -> None:
    """End a line that a full disk cut short, so that the next one does not grow onto it."""
    content = path.read_bytes() if path.is_file() else b""
    if content and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
