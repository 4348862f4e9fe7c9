"""What is known of a run for the card that goes with it: its data, its results, and what was measured of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import records
from store.database import Store
from store.runs import Run
from studio.assistant.settings import AssistantSettings
from studio.assistant.system import system_of
from studio.inference.gguf.header import read_header
from studio.inference.proof import read as read_evidence
from studio.inference.quantising.report import Report
from studio.models import BaseModel
from studio.project import Project
from studio.training.elsewhere.about import shown
from studio.training.folder import RunFolder
from studio.training.recipe import Recipe
from studio.training.recipe_file import read_recipe

HUB = {"smollm2": "HuggingFaceTB/SmolLM2-135M-Instruct", "gemma3": "google/gemma-3-270m"}
"""The packaged models by their names on the Hugging Face hub."""

_CARD = "README.md"


@dataclass(frozen=True)
class Base:
    """The model that was started from."""

    name: str
    hash: str
    licence: str
    """As it says itself; empty where it does not."""


@dataclass(frozen=True)
class DataSource:
    """A file that was imported into the project."""

    name: str
    rows: int


@dataclass(frozen=True)
class Story:
    """A run that has ended, as its card tells of it."""

    run: str
    name: str
    note: str
    project: str
    base: Base
    recipe: Recipe
    counts: dict[str, Any]
    """Rows of each split."""
    sources: tuple[DataSource, ...]
    result: dict[str, Any]
    parity: str
    """The proof's sentence; empty where there was none."""
    assistant: AssistantSettings
    system: str
    reports: tuple[Report, ...]
    """Of the quantised forms that are in the bundle."""


def story_of(
    project: Project,
    store: Store,
    run: Run,
    folder: RunFolder,
    base: BaseModel,
    counts: dict[str, Any],
    reports: Sequence[Report],
) -> Story:
    """Return what is known of a run."""
    sources = (DataSource(source.name, source.rows) for source in records.sources(store))
    return Story(
        run=run.id,
        name=run.name,
        note=run.note,
        project=project.settings.name,
        base=Base(HUB.get(base.name, shown(base.name)), run.base_hash or "", licence_of(base)),
        recipe=read_recipe(folder.recipe),
        counts=counts,
        sources=tuple(sources),
        result=run.result,
        parity=_parity(run, folder),
        assistant=project.settings.assistant,
        system=system_of(project),
        reports=tuple(reports),
    )


def licence_of(base: BaseModel) -> str:
    """Return the licence that a base model names: a GGUF in its metadata, a folder at the head of its card."""
    if base.kind == "gguf":
        return read_header(base.source).text("general.license")
    return _head(base.source / _CARD).get("license", "")


def _head(card: Path) -> dict[str, str]:
    """Return the plain settings at the head of a model card."""
    try:
        text = card.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    head = text.removeprefix("---\n").partition("\n---")[0] if text.startswith("---\n") else ""
    pairs = (line.partition(":") for line in head.splitlines() if line[:1].isalpha())
    return {name: value.strip().strip("\"'") for name, _, value in pairs}


def _parity(run: Run, folder: RunFolder) -> str:
    """Return the proof's sentence; of a difference only that there is one, for its words hold texts of the data."""
    evidence = read_evidence(folder.path)
    sentence = evidence.sentence if evidence else str(run.result.get("parity", ""))
    if sentence.startswith("DIFFERENT"):
        return f"DIFFERENT: what llama.cpp runs is not what was trained; `studio parity {run.id}` says where"
    return sentence
