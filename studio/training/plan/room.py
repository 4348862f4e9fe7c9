"""How much disk a run needs in its course, reckoned from the model's shape: nothing is loaded for it."""

from dataclasses import dataclass
from pathlib import Path

from studio.errors import StudioError
from studio.training.plan.architecture import Architecture, read_architecture
from studio.training.plan.memory import trained_of
from studio.training.recipe import Recipe

_OPTIMIZER = {"adamw": 8, "adamw_8bit": 2.1, "paged_adamw_8bit": 2.1}
"""Bytes that a checkpoint keeps of the optimiser for each number that is trained."""
_LEARNT, _FOR_LLAMA = 4, 2
"""Bytes of each number that is saved at the end, as PEFT loads it and as llama.cpp does."""

_BESIDE = 2
"""The best checkpoint, and the one that is written before another is removed."""


@dataclass(frozen=True)
class Room:
    """What a run needs on the disk at most, in bytes."""

    checkpoint: int
    checkpoints: int
    """How many there are at a time."""
    learnt: int
    """What the run leaves behind."""

    @property
    def needed(self) -> int:
        """All of it."""
        return self.checkpoint * self.checkpoints + self.learnt

    @property
    def can_be_less(self) -> bool:
        """Whether fewer checkpoints could be kept."""
        return self.checkpoints > _BESIDE + 1

    def lacks(self, free: int) -> str:
        """Say what is lacking where so many bytes are free; nothing where they do."""
        if free >= self.needed:
            return ""
        return (
            f"The run may need {self.needed / 1e9:,.1f} GB of disk, for {self.checkpoints} checkpoints of"
            f" {self.checkpoint / 1e9:,.1f} GB and what it has learnt, and {free / 1e9:,.1f} GB are free."
        )


def room_of(recipe: Recipe, shape: Architecture, *, from_adapter: bool = False) -> Room:
    """Return the disk that a run with a model of this shape needs.

    Args:
        recipe: the run's.
        shape: the model's.
        from_adapter: whether it goes on from another run's adapter.
    """
    trained = trained_of(recipe, shape)
    # TRL refers to the adapter as it was by a copy of it, which PEFT saves with each checkpoint.
    copied = 4 if from_adapter and _refers(recipe) else 0
    # llama.cpp knows no DoRA, so what it changes is worked into a copy of the model.
    is_whole = recipe.use_dora and recipe.quantisation == "none"
    for_llama = _FOR_LLAMA * (shape.parameters if is_whole else trained)
    return Room(
        checkpoint=int(trained * (4 + copied + _OPTIMIZER[recipe.optimizer])),
        checkpoints=recipe.keep_checkpoints + _BESIDE,
        learnt=_LEARNT * trained + for_llama,
    )


def room_for(recipe: Recipe, model: Path, *, from_adapter: bool) -> Room | None:
    """Return the disk that a run with the model in a folder needs; None where its shape can't be told."""
    try:
        return room_of(recipe, read_architecture(model), from_adapter=from_adapter)
    except StudioError:
        return None


def _refers(recipe: Recipe) -> bool:
    return recipe.method in ("dpo", "kto") or (recipe.method == "grpo" and recipe.beta > 0)
