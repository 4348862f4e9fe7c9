"""All that a trainer process has at hand before it trains: the recipe as it holds here, the rows as tokens."""

import sys
from dataclasses import dataclass
from typing import Any

from studio.errors import StudioError
from studio.models import BaseModel, check_unchanged, prepare, resolve
from studio.rendering import ChatTokenizer
from studio.training.course import proving
from studio.training.course.report import Reporter
from studio.training.course.results import facts_of
from studio.training.elsewhere.accelerate import processes, share_of
from studio.training.fast.tokenised import tokenised
from studio.training.faults import disk, memory
from studio.training.folder import SPLITS, Description, RunFolder, read_description
from studio.training.plan.room import room_for
from studio.training.recipe import Recipe
from studio.training.recipe_file import read_recipe
from studio.training.rows.data import Tokenised
from studio.training.rows.telling import Say, silently
from studio.training.trainer import hardware as machine
from studio.training.trainer.hardware import Hardware


@dataclass(frozen=True)
class Ready:
    """A run that can be trained now."""

    folder: RunFolder
    description: Description
    recipe: Recipe
    """As this process trains by it: its share of the effective batch, and no more than the memory has held."""
    base: BaseModel
    hardware: Hardware
    tokenizer: ChatTokenizer
    splits: dict[str, Tokenised]
    """Until the trainer has its own copy."""

    def rendered(self, split: str) -> Tokenised:
        """Return the rows of a split again: as they were kept, or rendered anew."""
        return _rendered(self.folder, self.tokenizer, self.recipe, split)

    @property
    def parent_adapter(self) -> str | None:
        """The folder of the adapter that training goes on from."""
        name = self.description.parent_adapter
        return str(self.folder.path.parent / name) if name else None


def get_ready(folder: RunFolder, reporter: Reporter) -> Ready:
    """Prepare the base model, render the rows, prove their tokens.

    Raises:
        StudioError: the base model has changed or is not to be had, the disk is too small, or no row of a split can be
            trained on.
    """
    description = read_description(folder)
    asked, changes = memory.adjusted(folder, read_recipe(folder.recipe))
    recipe = share_of(asked, processes())
    hardware = machine.choose(recipe)
    base = resolve(description.base_model)
    check_unchanged(base, description.base_hash)
    prepare(base, "weights", on_progress=reporter.doing)
    room = room_for(recipe, base.folder, from_adapter=description.parent_adapter is not None)
    if reporter.is_main and room:
        disk.refuse_too_small(folder, room)
    # llama.cpp has no use for a model that scores.
    lacking = proving.make_comparable(base, reporter) if recipe.method != "reward" else ""
    tokenizer = ChatTokenizer.load(folder.tokenizer)
    splits = _splits(folder, tokenizer, recipe, reporter)
    if reporter.is_main:
        reporter.found({"parity": proving.before_training(folder, base, reporter, lacking=lacking)})
    facts: dict[str, Any] = {"device": hardware.name, "dtype": hardware.dtype_name, **facts_of(recipe, splits)}
    reporter.found(facts | ({"changed_for_memory": " ".join(changes)} if changes else {}))
    return Ready(folder, description, recipe, base, hardware, tokenizer, splits)


def _splits(folder: RunFolder, tokenizer: ChatTokenizer, recipe: Recipe, reporter: Reporter) -> dict[str, Tokenised]:
    reporter.doing("rendering the data")

    def say(done: int) -> None:
        reporter.doing(f"rendering the data, {done:,} rows so far")

    splits = {name: _rendered(folder, tokenizer, recipe, name, say) for name in SPLITS}
    for name, split in splits.items():
        if reporter.is_main:
            sys.stdout.writelines(f"left out of {name}: {problem}\n" for problem in split.problems)
        if not split.rows:
            raise _no_rows(name, split, recipe)
    return splits


def _rendered(
    folder: RunFolder, tokenizer: ChatTokenizer, recipe: Recipe, split: str, say: Say = silently
) -> Tokenised:
    return tokenised(tokenizer, recipe, folder.data / f"{split}.jsonl", folder.tokenizer, say)


def _no_rows(name: str, split: Tokenised, recipe: Recipe) -> StudioError:
    if split.problems:
        return StudioError(f"No {name} row can be rendered; the first is {split.problems[0]}")
    return StudioError(f"No {name} row fits into max_length={recipe.max_length} tokens.", "Raise max_length.")
