"""What a run would be made of, gathered as a start does it; too little of it is noted and not raised."""

from dataclasses import dataclass
from pathlib import Path

from store import runs
from store.database import Store
from studio.chat_templates import ChatTemplate
from studio.checks.settings import Check, chosen
from studio.errors import StudioError
from studio.models import BaseModel, check_unchanged
from studio.project import Project
from studio.snapshots import Built
from studio.training.folder import RunFolder
from studio.training.plan.facts import Finding
from studio.training.plan.question import Question
from studio.training.recipe import Recipe, make_recipe
from studio.training.rows.enough import refuse_too_little
from studio.training.rows.run_data import write_data
from studio.training.rows.run_rows import rows_of
from studio.training.trainer.starting_point import base_of, check_kin, parent_adapter, template_of, with_shape_of


@dataclass(frozen=True)
class Gathered:
    """All that a run is made of, and what stands in its way."""

    recipe: Recipe
    base: BaseModel
    built: Built
    template: ChatTemplate
    parent_adapter: str | None
    """The folder of the adapter that it goes on from."""
    checks: tuple[Check, ...]
    problems: tuple[Finding, ...]
    runs: Path
    """Where its folder would be."""

    def write(self, folder: RunFolder) -> None:
        """Write what a run's folder holds."""
        write_data(folder, self.built.rows, self.base, self.template, self.checks)


def gather(project: Project, store: Store, question: Question) -> Gathered:
    """Gather it.

    Raises:
        StudioError: a setting does not fit, the parent is no run to go on from, or the model is not to be had.
    """
    overrides = list(question.overrides)
    recipe = make_recipe(question.method, overrides)
    parent = runs.get(store, question.parent) if question.parent else None
    if parent:
        check_kin(parent, recipe)
    base = base_of(project, parent, question.model)
    adapter = parent_adapter(project, parent, base)
    checks = chosen(project.settings.checks, recipe.checks) if recipe.method == "grpo" else ()
    built = rows_of(store, recipe, parent)
    recipe = make_recipe(question.method, overrides, rows=built.snapshot.counts.get("train", 0))
    if parent:
        recipe = with_shape_of(parent, recipe, overrides)
    if parent and adapter:
        check_unchanged(base, parent.base_hash)
    return Gathered(
        recipe=recipe,
        base=base,
        built=built,
        template=template_of(project, base, parent),
        parent_adapter=str(project.runs / adapter) if adapter else None,
        checks=tuple(checks),
        problems=_too_little(question, built),
        runs=project.runs,
    )


def _too_little(question: Question, built: Built) -> tuple[Finding, ...]:
    try:
        refuse_too_little(question.method, built.snapshot.counts)
    except StudioError as error:
        return (Finding("blocks", error.message, error.hint),)
    return ()
