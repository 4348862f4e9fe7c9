"""The trainer's side of a run's folder: its state, its metrics, and the wish to stop."""

import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from store.database import now
from studio.process import started_at
from studio.training.folder import RunFolder, Status, write_json

NOT_METRICS = {"epoch", "total_flos", "train_runtime", "train_samples_per_second", "train_steps_per_second"}


class StopRequested(BaseException):
    """The user asked the run to stop before training had begun; no library may take it for a fault of its own."""


class Reporter:
    """Says what the trainer does, through the run's folder."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.stop_requested = False
        pid = os.getpid()
        self.status = Status("starting", pid, started_at(pid), doing="starting", started_at=now())
        self._write()
        _end_cut_line(folder.metrics)

    def listen_for_stop(self) -> None:
        """Take SIGTERM and SIGINT as the wish to stop: at once before training, then at the step's end.

        Raises:
            StopRequested: at any later moment before the first step.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # Held back since the process began: see `launch`.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

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
        """Append one line of metrics and put it on the disk."""
        line = json.dumps({"step": step, "at": now(), "values": values})
        with self.folder.metrics.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def found(self, facts: dict[str, Any]) -> None:
        """Add to the run's results what is known already."""
        self._update(result=(self.status.result or {}) | facts)

    def ended(self, status: str, *, error: str | None = None) -> None:
        """Say how it ended."""
        self._update(status=status, doing="", error=error, ended_at=now())

    def _on_signal(self, *_: object) -> None:
        self.stop_requested = True
        if self.status.status == "starting":
            raise StopRequested

    def _update(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        self._write()

    def _write(self) -> None:
        write_json(self.folder.status, self.status)


class ReportingCallback(TrainerCallback):  # type: ignore[misc]
    """Turns the trainer's events into reports, and the wish to stop into a checkpoint and an end."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def on_train_begin(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Tell the number of steps."""
        self.reporter.at_step(state.global_step, state.max_steps)

    def on_step_end(self, _args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell the step; stop with a checkpoint when asked, unless this was the last step."""
        self.reporter.at_step(state.global_step, state.max_steps)
        if self.reporter.stop_requested and state.global_step < state.max_steps:
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self, _args: Any, state: TrainerState, _control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write the numbers down; a loss that is no number ends the run."""
        values = {k: float(v) for k, v in (logs or {}).items() if k not in NOT_METRICS and _is_number(v)}
        if state.global_step == 0:
            # The tuned model is the base still: every reward is 0 and no accuracy means anything.
            values = {k: v for k, v in values.items() if "rewards/" not in k}
        if values:
            self.reporter.metrics(state.global_step, {k: v for k, v in values.items() if math.isfinite(v)})
        if "loss" in values and not math.isfinite(values["loss"]):
            raise FloatingPointError(
                f"the loss became {values['loss']} at step {state.global_step}; try a smaller learning_rate"
            )


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
