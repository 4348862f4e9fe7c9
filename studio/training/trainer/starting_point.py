"""What a run starts from: the parent's adapter with its shape, and the chat template."""

import os
from dataclasses import replace
from typing import Any

from store.runs import Run
from studio.chat_templates import ChatTemplate, check, chosen
from studio.errors import StudioError
from studio.models import BaseModel, resolve
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.recipe import Recipe, from_table

_SHAPE = ("tuning", "lora_rank", "lora_alpha", "lora_dropout", "lora_targets", "use_dora", "use_rslora")
"""What an adapter is, which can't be changed once it has been trained."""


def template_of(project: Project, base: BaseModel, parent: Run | None) -> ChatTemplate:
    """Return the template to train with: what an adapter has learnt so far was rendered with its own.

    Raises:
        StudioError: neither the model nor the project has a usable one.
    """
    kept = RunFolder(project.runs / parent.id).chat_template if parent else None
    if parent and kept and kept.is_file():
        return ChatTemplate(kept.read_text(encoding="utf-8"), f"{parent.id}, which it goes on from")
    template = chosen(project, base)
    if template is None:
        raise StudioError(
            f"{base.name} has no chat template, so nobody can tell how a conversation reads to it.",
            "Use the model's instruction-tuned form, or teach it to answer with: studio chat-template --ready plain.",
        )
    check(template.text)
    return template


def check_kin(parent: Run, recipe: Recipe) -> None:
    """Raise a StudioError where a run can't go on from what its parent has learnt."""
    theirs = from_table(parent.recipe)
    if theirs.method == "reward" and recipe.method != "reward":
        raise StudioError(f"{parent.id} scores answers and writes none.", "Only another reward run can go on from it.")
    if recipe.method == "reward" and theirs.method != "reward" and theirs.tuning == "lora":
        raise StudioError(
            f"The adapter of {parent.id} writes answers, and a reward model needs one that scores.",
            "Start it without a parent, or from a run with tuning=full.",
        )


def base_of(project: Project, parent: Run | None, model: str | None) -> BaseModel:
    """Return the model that is trained: the one that is named, the parent's, or the project's own.

    Of a parent that trained all weights it is what came of that; as a GGUF where there is one, which chat can run.

    Raises:
        StudioError: there is no such model, or the parent was trained on another or is not done.
    """
    if parent is None:
        return resolve(model or project.settings.model)
    if from_table(parent.recipe).tuning != "full":
        return resolve(model or parent.base_model)
    if model and resolve(model).name != parent.base_model:
        raise StudioError(f"{parent.id} was trained on {parent.base_model}, not on {model}.", "Leave the model out.")
    folder = RunFolder(project.runs / parent.id)
    trained = folder.model_gguf if folder.model_gguf.is_file() else folder.model
    if not trained.exists():
        raise StudioError(f"{parent.id} has no model to go on from; it is {parent.status}.")
    return resolve(str(trained))


def parent_adapter(project: Project, parent: Run | None, base: BaseModel) -> str | None:
    """Return where the adapter lies that training goes on from, from the folder of the runs; None of a whole model.

    Raises:
        StudioError: there is none, or it belongs to another model.
    """
    if parent is None or from_table(parent.recipe).tuning == "full":
        return None
    adapter = RunFolder(project.runs / parent.id).adapter
    if not (adapter / "adapter_config.json").is_file():
        raise StudioError(f"{parent.id} has no adapter to go on from; it is {parent.status}.")
    if parent.base_model != base.name:
        raise StudioError(f"{parent.id} was trained on {parent.base_model}, not on {base.name}.")
    return os.path.relpath(adapter, project.runs)


def shape_of(parent: Run) -> dict[str, Any]:
    """Return what a run's adapter is like, by setting; nothing of a whole model, after which all can be chosen."""
    kept = from_table(parent.recipe)
    return {} if kept.tuning == "full" else {name: getattr(kept, name) for name in _SHAPE}


def with_shape_of(parent: Run, recipe: Recipe, overrides: list[str]) -> Recipe:
    """Return the recipe with the shape of the adapter that it goes on from; after a whole model it stays as it is.

    Raises:
        StudioError: an override asks for another shape.
    """
    shape = shape_of(parent)
    for text in overrides:
        name = text.partition("=")[0].strip()
        if name in shape and getattr(recipe, name) != shape[name]:
            raise StudioError(f"{name} is {shape[name]} in {parent.id}, and its adapter goes on as it is.")
    return replace(recipe, **shape)
