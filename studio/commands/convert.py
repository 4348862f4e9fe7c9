"""`studio convert`: a model or a run as a GGUF, and what a GGUF says of itself."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError
from studio.sizes import size_in_words

if TYPE_CHECKING:
    from studio.inference.gguf.facts import GgufFacts
    from studio.inference.gguf.metadata import Metadata


@click.command("convert")
@click.argument("what", metavar="RUN|MODEL|FILE")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write a whole model there.")
@click.option("--show", is_flag=True, help="Only say what a GGUF says of itself.")
@click.option("--licence", default="", metavar="NAME", help="Name the licence in the file, such as apache-2.0.")
@project_option
@json_option
def convert(what: str, out: Path | None, show: bool, licence: str, folder: Path, as_json: bool) -> None:
    """Make a run, a Hugging Face folder or a quantised GGUF a GGUF in 16-bit floats.

    With --out one file is written that holds all of the model, the adapter worked into the weights. Without it what
    chat needs is made and kept in the cache or the run's folder.
    """
    from studio.inference.gguf.facts import describe

    found = _there(what, folder) if show else _make(what, out, licence, folder)
    _print(describe(found), as_json)


def _there(what: str, folder: Path) -> Path:
    """Return the GGUF that is there for a file, a run or a model."""
    from studio.models import base_gguf, resolve
    from studio.training.folder import RunFolder

    run = RunFolder(folder / "runs" / what)
    places = (Path(what), run.model_gguf, run.adapter_gguf)
    found = next((place for place in places if place.is_file()), None) or base_gguf(resolve(what))
    if found is None:
        raise StudioError(f"There is no GGUF of {what} yet.", f"Make it: studio convert {what}.")
    return found


def _make(what: str, out: Path | None, licence: str, folder: Path) -> Path:
    from studio.inference.gguf.merged import merge

    model, adapter, metadata = _prepared(what, folder)
    progress_done()
    if out is None:
        return adapter or model
    if out.is_dir():
        raise StudioError(f"{out} is a folder.", "Name the file to write.")
    metadata = replace(metadata, name=metadata.name or out.stem, licence=licence)
    merge(model, adapter, out, metadata=metadata, on_progress=lambda done: progress(f"writing {out.name}: {done:.0%}"))
    progress_done()
    return out


def _prepared(what: str, folder: Path) -> "tuple[Path, Path | None, Metadata]":
    """Return the GGUF of a run or a model, its adapter, and what a file made of both says of itself."""
    from studio.inference.chat import resolve_chat_model
    from studio.inference.gguf.metadata import Metadata
    from studio.inference.gguf.of_run import metadata_of, prepared
    from studio.models import resolve
    from studio.project import is_project
    from studio.training.folder import RunFolder, read_description

    if not is_project(folder):
        return prepared(what, on_progress=progress), None, Metadata()
    with opened(folder) as (project, store):
        found = resolve_chat_model(project, store, what, on_progress=progress)
    run = RunFolder(project.runs / what)
    if not run.description.is_file():
        return found.gguf, found.adapter, Metadata()
    return found.gguf, found.adapter, metadata_of(run, resolve(read_description(run).base_model))


def _print(facts: "GgufFacts", as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    rows = {
        "file": str(facts.path),
        "kind": facts.kind,
        "name": facts.name or "-",
        "architecture": facts.architecture,
        "licence": facts.licence or "-",
        "quantisation": facts.quantisation,
        "size": f"{size_in_words(facts.bytes)}, {facts.parameters:,} parameters",
        "context": f"{facts.context:,} tokens" if facts.context else "-",
        "tokenizer": f"{facts.tokenizer}; {facts.vocabulary:,} tokens" if facts.tokenizer else "-",
        "special tokens": ", ".join(f"{name} {number}" for name, number in facts.special.items()) or "-",
        "chat template": f"{len(facts.chat_template):,} characters" if facts.chat_template else "none",
        "run": facts.run or "-",
        "tensors": ", ".join(f"{count} {kind}" for kind, count in facts.tensors.items()),
    }
    for name, value in rows.items():
        say(f"{name:15} {value}")


COMMANDS = [convert]
