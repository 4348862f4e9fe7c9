"""Starting, stopping and resuming runs; the trainer is a process of its own that outlives the terminal."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from store import runs, snapshots
from store.database import Store
from store.runs import ACTIVE, Run
from store.snapshots import SnapshotItem
from studio import __version__
from studio.chat_templates import ChatTemplate, check, chosen
from studio.errors import StudioError
from studio.models import BaseModel, check_unchanged, model_hash, prepare, resolve
from studio.process import launching, started_at
from studio.project import Project
from studio.snapshots import Built, SnapshotRow, build
from studio.training.folder import Description, RunFolder, write_json
from studio.training.recipe import KINDS, Recipe, as_table, make_recipe, write_recipe
from studio.training.watch import sync_all, sync_run

MINIMUM_ROWS = {"sft": 2, "dpo": 4}
"""Fewer training rows than this are no training."""

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")

Progress = Callable[[str], None]


def start_run(
    project: Project,
    store: Store,
    method: str,
    *,
    model: str | None = None,
    overrides: list[str] | None = None,
    parent: str | None = None,
    on_progress: Progress | None = None,
) -> str:
    """Freeze the data, write the run's folder, start the trainer; return the run's id.

    Raises:
        StudioError: a setting does not fit, there is too little data, another run is going on,
            or the model is not to be had.
    """
    recipe = make_recipe(method, overrides or [])
    refuse_second(project, store)
    parent_run = runs.get(store, parent) if parent else None
    base = resolve(model or (parent_run.base_model if parent_run else project.settings.model))
    parent_adapter = _parent_adapter(project, parent_run, base)
    if parent_run:
        recipe = _with_lora_of(parent_run, recipe, overrides or [])
    built = build(project, store, KINDS[recipe.method])
    refuse_too_little(method, built.snapshot.counts)
    prepare(base, "tokenizer", on_progress=on_progress)
    template = _template_of(project, base, parent_run)
    digest = model_hash(base)
    if parent_run:
        check_unchanged(base, parent_run.base_hash)
    with launching(project.runs):
        refuse_second(project, store)
        return _launch(project, store, recipe, base, digest, built, template, parent, parent_adapter)


def _launch(
    project: Project,
    store: Store,
    recipe: Recipe,
    base: BaseModel,
    digest: str,
    built: Built,
    template: ChatTemplate,
    parent: str | None,
    parent_adapter: str | None,
) -> str:
    method = recipe.method
    snapshots.save(store, built.snapshot)
    run_id = runs.add(
        store,
        method=method,
        base_model=base.name,
        base_hash=digest,
        snapshot_id=built.snapshot.id,
        recipe=as_table(recipe),
        parent_id=parent,
        after=_highest_number(project.runs),
    )
    folder = RunFolder(project.runs / run_id)
    description = Description(
        id=run_id,
        method=method,
        base_model=base.name,
        base_hash=digest,
        snapshot=built.snapshot.id,
        parent=parent,
        parent_adapter=parent_adapter,
        studio_version=__version__,
        chat_template=template.origin,
    )
    try:
        folder.path.mkdir(parents=True, mode=0o700)
        write_json(folder.description, description)
        write_data(folder, built.rows, base, template)
        # Last, since a folder with a recipe can be started again.
        write_recipe(recipe, folder.recipe)
    except OSError as error:
        message = f"{folder.path} can't be written: {error.strerror}."
        runs.update(store, run_id, status="failed", error=message)
        raise StudioError(message, "Free some disk space and start again.") from error
    _spawn(store, run_id, folder)
    return run_id


def stop_run(project: Project, store: Store, run_id: str) -> None:
    """Ask a run to stop at the end of its step; it keeps a checkpoint.

    Raises:
        StudioError: the run is not going on.
    """
    run = sync_run(project, store, run_id)
    if run.status not in ACTIVE or run.pid is None:
        raise StudioError(f"{run_id} is not running; it is {run.status}.")
    try:
        os.kill(run.pid, signal.SIGTERM)
    except ProcessLookupError:
        raise StudioError(f"{run_id} has just ended.", f"See `studio runs {run_id}`.") from None
    runs.update(store, run_id, status="stopping")


def resume_run(project: Project, store: Store, run_id: str) -> None:
    """Start a stopped or failed run again, from its last checkpoint or else from its beginning.

    Raises:
        StudioError: the run is going on or is done, or its folder is gone.
    """
    run = sync_run(project, store, run_id)
    if run.status in ACTIVE or run.status == "done":
        raise StudioError(f"{run_id} is {run.status}; there is nothing to resume.")
    folder = RunFolder(project.runs / run_id)
    if not folder.recipe.is_file():
        raise StudioError(f"{folder.path} is gone or not complete.", f"Start anew: studio train {run.method}.")
    check_unchanged(resolve(run.base_model), run.base_hash)
    refuse_second(project, store)
    with launching(project.runs):
        refuse_second(project, store)
        folder.status.unlink(missing_ok=True)
        _spawn(store, run_id, folder)


def refuse_second(project: Project, store: Store) -> None:
    """Raise a StudioError where another run is going on."""
    active = next((r for r in sync_all(project, store) if r.status in ACTIVE), None)
    if active:
        raise StudioError(f"{active.id} is going on.", f"Wait for it, or stop it: studio stop {active.id}.")


def refuse_too_little(method: str, counts: dict[str, Any]) -> None:
    """Raise a StudioError where a snapshot's counts are too few rows to train on, or none to measure with."""
    train, held_out = counts.get("train", 0), counts.get("validation", 0)
    if train < MINIMUM_ROWS[method]:
        what = "judged pairs" if method == "dpo" else "examples with an answer"
        raise StudioError(
            f"There are {train} {what} to train on and {MINIMUM_ROWS[method]} are needed.",
            "Judge more pairs in Compare (3)."
            if method == "dpo"
            else "Import or write examples that end in an answer.",
        )
    if not held_out:
        raise StudioError(
            "No row is held out, so nothing could be measured.",
            "Judge or add a few more, or raise validation under [splits] in studio.toml before importing.",
        )


def _template_of(project: Project, base: BaseModel, parent: Run | None) -> ChatTemplate:
    """Return the template to train with: what an adapter has learnt so far was rendered with its own."""
    kept = RunFolder(project.runs / parent.id).chat_template if parent else None
    if parent and kept and kept.is_file():
        return ChatTemplate(kept.read_text(encoding="utf-8"), f"{parent.id}, which it goes on from")
    template = chosen(project, base)
    if template is None:
        raise StudioError(
            f"{base.name} has no chat template, so nobody can tell how a conversation reads to it.",
            "Use the model's instruction-tuned form, or give the project a template: studio chat-template --set FILE.",
        )
    check(template.text)
    return template


def _parent_adapter(project: Project, parent: Run | None, base: BaseModel) -> str | None:
    if parent is None:
        return None
    adapter = RunFolder(project.runs / parent.id).adapter
    if not (adapter / "adapter_config.json").is_file():
        raise StudioError(f"{parent.id} has no adapter to go on from; it is {parent.status}.")
    if parent.base_model != base.name:
        raise StudioError(f"{parent.id} was trained on {parent.base_model}, not on {base.name}.")
    return os.path.relpath(adapter, project.runs)


def _with_lora_of(parent: Run, recipe: Recipe, overrides: list[str]) -> Recipe:
    """Return the recipe with the shape of the adapter that it goes on from, which can't be changed any more."""
    shape = {name: parent.recipe[name] for name in ("lora_rank", "lora_alpha", "lora_dropout")}
    for text in overrides:
        name = text.partition("=")[0].strip()
        if name in shape and getattr(recipe, name) != shape[name]:
            raise StudioError(f"{name} is {shape[name]} in {parent.id}, and its adapter goes on as it is.")
    return replace(recipe, **shape)


def _highest_number(folder: Path) -> int:
    """Return the highest number of a run's folder, which may be left from a database that is no more."""
    ends = (path.name.rpartition("-")[2] for path in folder.glob("*-*"))
    return max((int(end) for end in ends if end.isdecimal()), default=0)


def write_data(
    folder: RunFolder, rows: list[tuple[SnapshotItem, SnapshotRow]], base: BaseModel, template: ChatTemplate
) -> None:
    """Write all that rows are made into tokens of: the rows of both splits, the tokenizer, the chat template."""
    for sub in (folder.data, folder.tokenizer, folder.checkpoints):
        sub.mkdir()
    for name in TOKENIZER_FILES:
        if (base.folder / name).is_file():
            shutil.copyfile(base.folder / name, folder.tokenizer / name)
    for split in ("train", "validation"):
        _write_rows(folder.data / f"{split}.jsonl", [pair for pair in rows if pair[0].split == split])
    folder.chat_template.write_text(template.text, encoding="utf-8")


def _write_rows(path: Path, rows: list[Any]) -> None:
    with path.open("wb") as file:
        for item, row in rows:
            content = {name: value for name, value in row._asdict().items() if value is not None}
            file.write(orjson.dumps({"example": item.example_id, **content}) + b"\n")


def _spawn(store: Store, run_id: str, folder: RunFolder) -> None:
    environment = {
        # Threads that spin while they wait would take the processor from the screen and from each other.
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }
    # A stop that comes before the trainer listens waits for it, where it would have killed it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with folder.log.open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "studio.training.worker", str(folder.path.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
                cwd=folder.path,
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    runs.update(store, run_id, status="starting", pid=child.pid, pid_started=started_at(child.pid))
