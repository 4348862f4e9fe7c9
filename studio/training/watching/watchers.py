"""The trainer's callbacks that watch it: imported by the trainer process alone."""

import math
import sys
from typing import Any

import torch
from transformers import TrainerCallback, TrainerState

from store.database import now
from studio.free_memory import peak_memory
from studio.rendering import ChatTokenizer
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder
from studio.training.recipe import Recipe
from studio.training.rows.data import load_rows
from studio.training.trainer.hardware import Hardware
from studio.training.watching import machine, samples
from studio.training.watching.counting import Counter
from studio.training.watching.machine import Sampler
from studio.training.watching.pace import Pace
from studio.training.watching.peaks import peak_of
from studio.training.watching.samples import Sample

_GIB = 1 << 30


class SpeedWatcher(TrainerCallback):  # type: ignore[misc]
    """Adds to each step's log how fast it went, how much of the device it used, and how long the rest will take."""

    def __init__(self, trainer: Any, hardware: Hardware, reporter: Reporter) -> None:
        self._processes = trainer.accelerator.num_processes
        self._counter = Counter(trainer.model)
        self._peak = peak_of(hardware)
        self._reporter = reporter
        self._pace = Pace()

    def on_train_begin(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Start the clock, and say what the device is measured against."""
        self._pace = Pace()
        self._counter.take()
        if self._peak and state.is_world_process_zero:
            self._reporter.found({"device_peak": self._peak.source})

    def on_step_begin(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Leave out of the clock and of the count what was no training: measuring, and answering prompts."""
        if self._pace.step_begins():
            self._counter.take()

    def on_log(
        self, args: Any, state: TrainerState, _control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Add the step's speed to its log."""
        if logs is None or "loss" not in logs:
            return
        seconds, work = self._pace.step_ended(), self._counter.take()
        if work.tokens:
            logs["tokens_per_second"] = work.tokens * self._processes / seconds
        if work.flops and self._peak:
            logs["mfu"] = work.flops / seconds / self._peak.flops
        logs["step_seconds"] = seconds
        steps = max(0, state.max_steps - state.global_step)
        logs["eta_seconds"] = self._pace.left(steps, math.ceil(steps / max(1, int(args.eval_steps or steps))))

    def on_evaluate(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Note that a measurement came between the steps."""
        self._pace.pause()

    def on_save(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        """Note that saving came between the steps."""
        self._pace.pause()


class MachineWatcher(TrainerCallback):  # type: ignore[misc]
    """Has the machine looked at while the run trains, and tells at the end how much memory it took at most."""

    _sampler: Sampler | None = None
    """The process's only one: a training that broke off and was begun anew must not leave its own behind."""

    def __init__(self, folder: RunFolder, reporter: Reporter) -> None:
        self._folder, self._reporter = folder, reporter

    def on_train_begin(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Begin to look."""
        self._end()
        if state.is_world_process_zero:
            MachineWatcher._sampler = Sampler(self._folder.machine, machine.gpus_of_this_process())
            MachineWatcher._sampler.start()

    def on_train_end(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Look no more."""
        self._end()
        if state.is_world_process_zero:
            self._reporter.found(_peaks())

    def _end(self) -> None:
        if MachineWatcher._sampler:
            MachineWatcher._sampler.end()
            MachineWatcher._sampler = None


class SampleWatcher(TrainerCallback):  # type: ignore[misc]
    """Has the held-out prompts answered before the first step and at each measurement."""

    def __init__(self, recipe: Recipe, folder: RunFolder, tokenizer: ChatTokenizer, trainer: Any) -> None:
        self._tokens, self._folder, self._tokenizer, self._trainer = recipe.sample_tokens, folder, tokenizer, trainer
        # Weights that are shared out are only together for a step, in which all processes take part.
        shared_out = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
        rows = [] if shared_out else load_rows(folder.data / "validation.jsonl")
        self._prompts = samples.choose(tokenizer, rows, recipe.samples, recipe.seed)
        self._done = {sample.step for sample in samples.read(folder.samples)}

    def on_evaluate(self, _args: Any, state: TrainerState, _control: Any, **_: Any) -> None:
        """Answer the prompts, once for each step."""
        if not self._prompts or not state.is_world_process_zero or state.global_step in self._done:
            return
        self._done.add(state.global_step)
        try:
            self._answer(state.global_step)
        except Exception as error:  # a run must not end of being watched
            sys.stdout.write(f"the held-out prompts are answered no more: {type(error).__name__}: {error}\n")
            self._prompts = []

    def _answer(self, step: int) -> None:
        model = self._trainer.accelerator.unwrap_model(self._trainer.model)
        replies = samples.answer(model, self._tokenizer, self._prompts, self._tokens)
        at, asked = now(), zip(self._prompts, replies, strict=True)
        found = [Sample(step, at, prompt.example, prompt.asked, reply, ended) for prompt, (reply, ended) in asked]
        samples.append(self._folder.samples, found)


def _peaks() -> dict[str, float]:
    """Return the most memory that this process held, in GB."""
    found = {"peak_memory_gb": round(peak_memory() / _GIB, 2)}
    if torch.cuda.is_available():
        found["peak_gpu_memory_gb"] = round(torch.cuda.max_memory_allocated() / _GIB, 2)
    return found
