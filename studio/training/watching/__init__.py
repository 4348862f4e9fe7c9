"""Watching a run: speed, the machine's load, answers as it learns, and whether it forgets.

The reading sides know no torch; what the trainer process does is imported by `callbacks` alone.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.rendering import ChatTokenizer
    from studio.training.course.report import Reporter
    from studio.training.folder import RunFolder
    from studio.training.recipe import Recipe
    from studio.training.trainer.hardware import Hardware


def callbacks(
    recipe: "Recipe",
    folder: "RunFolder",
    tokenizer: "ChatTokenizer",
    hardware: "Hardware",
    trainer: Any,
    reporter: "Reporter",
) -> list[Any]:
    """Return what the trainer is watched by; to be added before what reports its logs, which they add to.

    In a run of several processes each calls this for itself; only the main one writes.
    """
    from studio.training.watching.watchers import MachineWatcher, SampleWatcher, SpeedWatcher

    found: list[Any] = [SpeedWatcher(trainer, hardware, reporter), MachineWatcher(folder, reporter)]
    if recipe.samples and recipe.method != "reward":
        found.append(SampleWatcher(recipe, folder, tokenizer, trainer))
    return found
