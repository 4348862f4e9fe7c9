"""What the worker costs over the bare trainer with the same settings: all that reports, watches and guards a run.

    python tests/bench/worker_cost.py            about 15 minutes on two cores
    python tests/bench/worker_cost.py --quick    one round of few steps

Both train the demo's pairs with the default model, each in a process of its own, in turn. Timed is from the beginning
of the second step to that of the last, so that no measurement of held-out rows and no checkpoint lies between.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Print the seconds a step of each round, and the ratio's median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.steps = 1, 6
    if arguments.side:
        print(json.dumps(run(arguments.side, arguments.steps)))
        return
    ratios: list[list[float]] = [[], []]
    for number in range(arguments.rounds):
        order = ("bare", "worker") if number % 2 == 0 else ("worker", "bare")
        found = {side: in_a_process(side, arguments.steps) for side in order}
        for place, each in enumerate(ratios):
            each.append(found["worker"][place] / found["bare"][place])
        print(f"round {number + 1}: {json.dumps(found)}", flush=True)
    clock, processor = (statistics.median(each) for each in ratios)
    print(f"The worker takes {clock:.3f} of the bare trainer's time by the clock, {processor:.3f} of the processor's.")


def in_a_process(side: str, steps: int) -> list[float]:
    """Return the seconds a step by the clock and of the processor."""
    command = [sys.executable, __file__, "--side", side, "--steps", str(steps)]
    done = subprocess.run(
        command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stderr[-3000:])
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(side: str, steps: int) -> list[float]:
    """Train one side; return the seconds a step."""
    import judged_projects
    from transformers import TrainerCallback

    from studio.training import launch
    from studio.training.course import course
    from studio.training.course.report import Reporter
    from studio.training.folder import RunFolder
    from studio.training.launch import start_run

    class Stopwatch(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.marks: list[tuple[float, float]] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.marks.append((time.perf_counter(), time.process_time()))

    watch, make = Stopwatch(), course.make_trainer

    def timed(*given: Any, **named: Any) -> Any:
        trainer = make(*given, **named)
        trainer.add_callback(watch)
        return trainer

    with tempfile.TemporaryDirectory() as name:
        project = judged_projects.demo(Path(name) / "project")
        launch.enqueue = lambda *_: None
        changes = ["device=cpu", f"max_steps={steps}", "evaluations=0", "samples=0", "general_text=false"]
        with project.open_store() as store:
            run_id = start_run(project, store, "dpo", overrides=changes)
        folder = RunFolder(project.runs / run_id)
        course.make_trainer = timed
        if side == "worker":
            course.go_through(folder, Reporter(folder))
        else:
            bare(folder, timed)
    first, last = watch.marks[1], watch.marks[-1]
    return [(end - begin) / (len(watch.marks) - 2) for begin, end in zip(first, last, strict=True)]


def bare(folder: Any, make: Any) -> None:
    """Train the same run with nothing around its trainer."""
    from studio.training.course.ready import get_ready
    from studio.training.course.report import Reporter
    from studio.training.trainer.model import load_model

    ready = get_ready(folder, Reporter(folder))
    model = load_model(str(ready.base.folder), ready.recipe, ready.hardware)
    train, held_out = ready.splits["train"], ready.splits["validation"]
    trainer = make(ready.recipe, folder, ready.hardware, model, train, held_out, None)
    trainer.args.eval_on_start = False
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    trainer.train()


if __name__ == "__main__":
    main()
