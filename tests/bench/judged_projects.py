"""Projects with judged pairs, for measurements: the demo with all of its verdicts, and a public data set."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from studio.chat_templates import chosen
from studio.importing import import_file
from studio.models import BaseModel, prepare, resolve
from studio.project import Project, create_project
from studio.rendering import ChatTokenizer
from studio.snapshots import build
from studio.training.folder import RunFolder
from studio.training.recipe import make_recipe
from studio.training.rows.data import load_rows, tokenise
from studio.training.rows.run_data import write_data

Rows = dict[str, list[dict[str, Any]]]
"""Of each split."""


def demo(folder: Path) -> Project:
    """Make the demo project with the verdicts that it holds back."""
    sample = files("sample_data") / "support"
    lines = (sample / "held_back_verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    verdicts = {row["id"]: row for row in map(json.loads, lines)}
    rows = map(json.loads, (sample / "emails.jsonl").read_text(encoding="utf-8").splitlines())
    project = create_project(folder, (sample / "studio.toml").read_text(encoding="utf-8"))
    judged = folder / "emails.jsonl"
    judged.write_text("\n".join(json.dumps({**row, **verdicts.get(row["id"], {})}) for row in rows), encoding="utf-8")
    with project.open_store() as store:
        import_file(project, store, judged)
    return project


def public(folder: Path, file: Path) -> Project:
    """Make a project of a file of pairs."""
    project = create_project(folder)
    with project.open_store() as store:
        import_file(project, store, file)
    return project


def written(project: Project, folder: Path) -> tuple[BaseModel, Rows, Rows]:
    """Return the base model, ready to train, and the pairs of each split: as messages, and as token ids."""
    base = resolve(project.settings.model)
    prepare(base, "weights")
    template = chosen(project, base)
    assert template
    run = RunFolder(folder)
    folder.mkdir()
    with project.open_store() as store:
        write_data(run, build(store, "preference").rows, base, template)
    tokenizer, recipe = ChatTokenizer.load(run.tokenizer), make_recipe("dpo", [])
    rows = {split: load_rows(run.data / f"{split}.jsonl") for split in ("train", "validation")}
    return base, rows, {split: tokenise(tokenizer, recipe, each).rows for split, each in rows.items()}
