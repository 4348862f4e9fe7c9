"""Runs that go through their course in the test's own process, and can be broken off anywhere in it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.database import Store
from studio.project import Project
from studio.training import launch
from studio.training.course import course
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder
from studio.training.launch import start_run

QUICK = ["device=cpu", "dtype=fp32", "lora_rank=2", "samples=0", "general_text=false", "max_length=128"]


class Broken(BaseException):
    """As good as a kill: nothing of the trainer's own catches it."""


def write_run(project: Project, store: Store, method: str, model: Path, *overrides: str) -> RunFolder:
    """Write a run's folder; nothing trains it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "enqueue", lambda *_: None)
        run_id = start_run(project, store, method, model=str(model), overrides=[*QUICK, *overrides])
    return RunFolder(project.runs / run_id)


def copy_of(folder: RunFolder, name: str) -> RunFolder:
    """Return the same run, with a folder of its own."""
    shutil.copytree(folder.path, folder.path.with_name(name))
    return RunFolder(folder.path.with_name(name))


def go(
    folder: RunFolder, *, touched: Callable[[Any], None] = lambda _: None, reporter: Reporter | None = None
) -> Reporter:
    """Go through a run, with its trainer touched before it begins; return what it reported."""
    reporter = reporter or Reporter(folder)
    made = course.make_trainer

    def make(*arguments: Any, **named: Any) -> Any:
        trainer = made(*arguments, **named)
        touched(trainer)
        return trainer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "make_trainer", make)
        course.go_through(folder, reporter)
    return reporter


def raising_at(number: int, error: BaseException, name: str = "training_step") -> Callable[[Any], None]:
    """Return what makes a trainer raise at the so-manieth call of one of its methods."""

    def touch(trainer: Any) -> None:
        given, calls = getattr(trainer, name), [0]

        def call(*arguments: Any, **named: Any) -> Any:
            calls[0] += 1
            if calls[0] == number:
                raise error
            return given(*arguments, **named)

        setattr(trainer, name, call)

    return touch


def broken_off(folder: RunFolder, number: int, name: str = "training_step") -> None:
    """Go through a run until it is broken off at the so-manieth call of one of the trainer's methods."""
    with pytest.raises(Broken):
        go(folder, touched=raising_at(number, Broken(), name))


def weights(folder: RunFolder) -> dict[str, Any]:
    """Return the trained weights."""
    from safetensors.torch import load_file

    found: dict[str, Any] = load_file(folder.adapter / "adapter_model.safetensors")
    return found


def largest_difference(one: RunFolder, other: RunFolder) -> float:
    """Return the largest difference between the weights of two runs."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def curve(folder: RunFolder, name: str) -> dict[int, float]:
    """Return a metric by step, what was said last of a step counting."""
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    return {line["step"]: line["values"][name] for line in lines if name in line["values"]}
