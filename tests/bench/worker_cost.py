"""What the worker costs over the bare trainer with the same settings: all that reports, watches and guards a run.

    python tests/bench/worker_cost.py            about 4 minutes on two cores
    python tests/bench/worker_cost.py --quick    few steps

What it adds to a step does not hang on the model, so it is measured where it can be seen: with a model of two layers
and a short pair, whose steps take milliseconds. By turns a step is taken with everything that the worker puts around
the trainer, and with nothing of it: callbacks, hooks in the model, the wrapped step. Each line of metrics is put down
on the disk for good, as it is where a step takes a second. To that comes the thread that looks at the machine, by how
long a look takes.

Both are held against a step of the default model over a single pair of middling length, the shortest step that it has;
the same turns with it are printed, too, but differ by per cents for no reason.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any

from killed_runs import tiny_model

from studio.training.course import report
from studio.training.plan.sampled import tokens_of
from studio.training.watching import machine
from studio.training.watching.watchers import MachineWatcher

WARM_STEPS = 2
RESAMPLES = 2_000
LOOKS = 50
# What learns a row by heart comes to numbers so small that a processor is slow with them.
STEP = ["gradient_accumulation=1", "learning_rate=1e-9", "evaluations=0", "samples=0", "general_text=false"]

Times = tuple[float, float]
"""Seconds by the clock and of the processor."""


class Done(BaseException):
    """Enough steps are taken."""


def main() -> None:
    """Print what the worker adds to a step, and its share of a step of the default model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    few = parser.parse_args().quick
    os.environ["HF_HUB_OFFLINE"] = "1"
    report.SYNC_SECONDS = -1.0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        small = measure(place / "small", 40 if few else 800, str(tiny_model(place)))
        real = measure(place / "real", 8 if few else 40, None)
        look = seconds_a_look(place / "machine.jsonl")
    for number, name in enumerate(("clock", "processor")):
        of_small, of_real = (
            {side: [step[number] for step in found[side]] for side in found} for found in (small, real)
        )
        added = [(a - b) / 2 for a, b in zip(*map(in_twos, of_small.values()), strict=True)]
        a_step, low, high = (1000 * each for each in (statistics.median(added), *interval(added)))
        bare, worker = (statistics.median(of_real[side]) for side in ("bare", "worker"))
        share = a_step / 1000 / bare + look[number] / machine.SECONDS
        print(f"By the {name}:")
        print(f"  a step of the small model: {1000 * statistics.median(of_small['bare']):.1f} ms")
        print(f"  what the worker adds to it: {a_step:.2f} ms ({low:.2f} to {high:.2f})")
        print(f"  a look at the machine, each {machine.SECONDS:g} s: {1000 * look[number]:.2f} ms")
        print(f"  a step of the default model: {bare:.3f} s, in the worker {worker / bare - 1:+.1%}")
        print(f"  the worker's share of it, reckoned: {share:.2%}")


def seconds_a_look(path: Path) -> Times:
    """Return how long it takes to look at the machine and to write that down."""
    sampler = machine.Sampler(path, machine.gpus_of_this_process())
    begun = _now()
    for _ in range(LOOKS):
        machine.append(path, sampler._look())
    clock, processor = (end - begin for end, begin in zip(_now(), begun, strict=True))
    return clock / LOOKS, processor / LOOKS


def measure(place: Path, steps: int, model: str | None) -> dict[str, list[Times]]:
    """Take so many steps with a model, or with the default one; return how long those of each kind took."""
    import judged_projects

    from studio.training import launch
    from studio.training.course import course
    from studio.training.course.report import Reporter
    from studio.training.folder import RunFolder
    from studio.training.launch import start_run

    project = judged_projects.demo(place)
    launch.enqueue = lambda *_: None
    changes = ["device=cpu", f"max_steps={steps + WARM_STEPS + 1}", *STEP]
    with project.open_store() as store:
        folder = RunFolder(project.runs / start_run(project, store, "dpo", model=model, overrides=changes))
    make, get_ready = course.make_trainer, course.get_ready
    turns: list[Turns] = []

    def watched(*given: Any, **named: Any) -> Any:
        trainer = make(*given, **named)
        turns.append(Turns(trainer, steps))
        return trainer

    def alike(*given: Any) -> Any:
        ready = get_ready(*given)
        for name, tokens in ready.splits.items():
            by_length = sorted(tokens.rows, key=tokens_of)
            row = by_length[0 if model else len(by_length) // 2]
            kept = len(tokens.rows) if name == "train" else 2
            rows = [dict(row) for _ in range(kept)]
            ready.splits[name] = replace(tokens, rows=rows, examples=tokens.examples[:kept])
        return ready

    course.make_trainer, course.get_ready = watched, alike
    try:
        course.go_through(folder, Reporter(folder))
    except Done:
        return turns[0].found
    finally:
        course.make_trainer, course.get_ready = make, get_ready
    raise SystemExit("The run ended before all steps were measured.")


@dataclass(frozen=True)
class Around:
    """What is around a trainer's steps."""

    callbacks: list[Any]
    step: Any
    """What stands in the place of the trainer's own method, if anything does."""
    hooks: list[tuple[Any, OrderedDict[int, Any]]]
    """Of each module of the model."""


class Turns:
    """The first of a trainer's callbacks: takes from the trainer what is around it, and gives it back, by turns."""

    def __init__(self, trainer: Any, steps: int) -> None:
        self.trainer, self.callbacks = trainer, trainer.callback_handler.callbacks
        self.bare, self.worker = self._around(), None
        self.found: dict[str, list[Times]] = {"worker": [], "bare": []}
        # The other kind begins each time, so that a machine that grows slower favours neither.
        order = islice(cycle(["worker", "bare", "bare", "worker"]), steps)
        self.order = chain(["worker"] * WARM_STEPS, order)
        self.sides: list[str] = []
        self.begun = (0.0, 0.0)
        self.callbacks.insert(0, self)

    def __getattr__(self, name: str) -> Any:
        """Do nothing at all other events."""
        if name.startswith("on_"):
            return lambda *_, **__: None
        raise AttributeError(name)

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """End the time of a step, and begin that of the next one, which may be of the other kind.

        Raises:
            Done: that was the last one.
        """
        ended = _now()
        self.worker = self.worker or self._around()
        if len(self.sides) > WARM_STEPS:
            taken = tuple(end - begin for end, begin in zip(ended, self.begun, strict=True))
            self.found[self.sides[-1]].append(taken)  # type: ignore[arg-type]
        side = next(self.order, None)
        if side is None:
            raise Done
        self.sides.append(side)
        self._change(self.worker if side == "worker" else self.bare, is_watched=side == "worker")
        self.begun = _now()

    def _around(self) -> Around:
        hooks = [(module, OrderedDict(module._forward_pre_hooks)) for module in self.trainer.model.modules()]
        callbacks = [each for each in self.callbacks if each is not self]
        return Around(callbacks, self.trainer.__dict__.get("training_step"), hooks)

    def _change(self, around: Around, *, is_watched: bool) -> None:
        # In place: the trainer is going through this very list.
        self.callbacks[:] = [self, *around.callbacks]
        self.trainer.__dict__.pop("training_step", None)
        if around.step:
            self.trainer.training_step = around.step
        for module, hooks in around.hooks:
            module._forward_pre_hooks = OrderedDict(hooks)
        [watcher] = (each for each in self.worker.callbacks if isinstance(each, MachineWatcher))
        if is_watched and not MachineWatcher._sampler:
            watcher.on_train_begin(None, self.trainer.state, None)
        elif not is_watched:
            watcher._end()


def _now() -> Times:
    return time.perf_counter(), time.process_time()


def in_twos(times: list[float]) -> list[float]:
    """Return what each two steps took that stand beside, or around, two of the other kind."""
    return [sum(pair) for pair in zip(times[::2], times[1::2], strict=True)]


def interval(values: list[float]) -> tuple[float, float]:
    """Return the 95 % interval of their median, by drawing from them again and again."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return medians[round(0.025 * RESAMPLES)], medians[round(0.975 * RESAMPLES)]


if __name__ == "__main__":
    main()
