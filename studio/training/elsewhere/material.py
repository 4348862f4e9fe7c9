"""What a recipe is written out from: its rows, its model and its chat template, of a run or of the project as it is."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from store import runs
from store.database import Store
from studio.chat_templates import ChatTemplate
from studio.checks.settings import chosen as chosen_checks
from studio.errors import StudioError
from studio.models import BaseModel, check_unchanged, prepare, resolve
from studio.project import Project
from studio.training.folder import SPLITS, RunFolder, read_description
from studio.training.recipe import METHODS, Recipe, make_recipe
from studio.training.recipe_file import read_recipe
from studio.training.rows.run_data import TOKENIZER_FILES
from studio.training.trainer import starting_point

Row = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """A recipe with all that it is applied to."""

    name: str
    """The run's id, or the method."""
    recipe: Recipe
    base: BaseModel
    rows: dict[str, list[Row]]
    """The rows of each split, as a run's folder holds them."""
    tokenizer: dict[str, bytes]
    """The files of the tokenizer, the chat template among them."""
    checks: list[Row]
    """The checks that reward answers, for grpo."""
    adapter: Path | None = None
    """The adapter that it goes on from."""
    options: tuple[str, ...] = ()
    """What `studio train` is told of the model and the parent."""
    kept: tuple[str, ...] = ()
    """The settings that the parent's adapter decides."""

    @property
    def model(self) -> str:
        """The folder of the base model that transformers loads."""
        return str(self.base.folder)


def of_run(project: Project, store: Store, run_id: str) -> Material:
    """Return what a run was started with.

    Raises:
        StudioError: there is no such run, or its folder is not complete.
    """
    parent = runs.get(store, run_id).parent_id
    folder = RunFolder(project.runs / run_id)
    try:
        description = read_description(folder)
        rows = {split: list(_read(folder.data / f"{split}.jsonl")) for split in SPLITS}
        tokenizer = {path.name: path.read_bytes() for path in sorted(folder.tokenizer.iterdir())}
    except OSError as error:
        raise StudioError(f"{folder.path} is not complete: {error.filename} is missing.") from error
    checks = folder.data / "checks.json"
    return Material(
        run_id,
        read_recipe(folder.recipe),
        resolve(description.base_model),
        rows,
        tokenizer,
        orjson.loads(checks.read_bytes()) if checks.is_file() else [],
        project.runs / description.parent_adapter if description.parent_adapter else None,
        _options(None if description.parent else description.base_model, description.parent),
        tuple(starting_point.shape_of(runs.get(store, parent))) if parent else (),
    )


def of_project(
    project: Project, store: Store, method: str, overrides: list[str], model: str | None, parent: str | None = None
) -> Material:
    """Return what a run would be started with now.

    Raises:
        StudioError: a setting does not fit, or the model or the parent is not to be had.
    """
    from studio.training.rows.run_rows import rows_of

    parent_run = runs.get(store, parent) if parent else None
    if parent_run:
        starting_point.check_kin(parent_run, make_recipe(method, overrides))
    base = starting_point.base_of(project, parent_run, model)
    adapter = starting_point.parent_adapter(project, parent_run, base)
    if parent_run and adapter:
        check_unchanged(base, parent_run.base_hash)
    prepare(base, "tokenizer")
    rows: dict[str, list[Row]] = {split: [] for split in SPLITS}
    for item, row in rows_of(store, make_recipe(method, overrides), parent_run).rows:
        if item.split in rows:
            rows[item.split].append({name: value for name, value in row._asdict().items() if value is not None})
    recipe = make_recipe(method, overrides, rows=len(rows["train"]))
    if parent_run:
        recipe = starting_point.with_shape_of(parent_run, recipe, overrides)
    return Material(
        method,
        recipe,
        base,
        rows,
        _tokenizer(base, starting_point.template_of(project, base, parent_run)),
        _checks(project, recipe),
        project.runs / adapter if adapter else None,
        _options(model, parent),
        tuple(starting_point.shape_of(parent_run)) if parent_run else (),
    )


def of(
    project: Project, store: Store, what: str, overrides: list[str], model: str | None, parent: str | None = None
) -> Material:
    """Return the material of a run's id, or of a method.

    Raises:
        StudioError: there is none of that name, or changes are given to a run, which has its recipe already.
    """
    if what in METHODS:
        return of_project(project, store, what, overrides, model, parent)
    if overrides or model or parent:
        raise StudioError(f"{what} has its recipe and its model already.", "Name a method to try others.")
    return of_run(project, store, what)


def make_ready(material: Material, on_progress: Callable[[str], None]) -> None:
    """See to it that there is something to train on, and that the model's folder holds its weights.

    Raises:
        StudioError: there are no rows yet, or the model can't be prepared.
    """
    for split, rows in material.rows.items():
        if not rows:
            raise StudioError(
                f"No row is in the {split} split, so nothing could be trained.", "Add examples or verdicts."
            )
    prepare(material.base, "weights", on_progress=on_progress)


def _options(model: str | None, parent: str | None) -> tuple[str, ...]:
    return (*(("--model", model) if model else ()), *(("--parent", parent) if parent else ()))


def _read(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for line in file:
            row = orjson.loads(line)
            row.pop("example", None)
            yield row


def _tokenizer(base: BaseModel, template: ChatTemplate) -> dict[str, bytes]:
    found = {name: (base.folder / name).read_bytes() for name in TOKENIZER_FILES if (base.folder / name).is_file()}
    return {**found, "chat_template.jinja": template.text.encode()}


def _checks(project: Project, recipe: Recipe) -> list[Row]:
    if recipe.method != "grpo":
        return []
    return [asdict(check) for check in chosen_checks(project.settings.checks, recipe.checks)]
