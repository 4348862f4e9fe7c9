"""`studio parity`: the proof that what was trained is what llama.cpp runs."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError

if TYPE_CHECKING:
    from studio.inference.proof import Evidence

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("parity")
@click.argument("ref", required=False, metavar="[RUN|MODEL]")
@click.option("--tokenizer", type=_FOLDER, metavar="DIR", help="A tokenizer's folder, of a model not trained here.")
@click.option("--gguf", type=_FILE, metavar="FILE", help="The GGUF to compare with it.")
@click.option("--template", type=_FILE, metavar="FILE", help="The chat template (default: the tokenizer's own).")
@click.option("--adapter", type=_FILE, metavar="FILE", help="A LoRA adapter, as a GGUF.")
@click.option("--trained-adapter", "peft", type=_FOLDER, metavar="DIR", help="The same adapter as PEFT saved it.")
@click.option("--weights", type=_FOLDER, metavar="DIR", help="The Hugging Face folder that the GGUF was made from.")
@click.option("--conversations", type=_FILE, metavar="FILE", help="JSON Lines of messages (default: varied ones).")
@project_option
@json_option
def parity(
    ref: str | None,
    tokenizer: Path | None,
    gguf: Path | None,
    template: Path | None,
    adapter: Path | None,
    peft: Path | None,
    weights: Path | None,
    conversations: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Prove that llama.cpp runs what was trained: text, tokens, special tokens, weights, adapter, logits.

    Of a run or a model of the project; or of any tokenizer and GGUF, named by --tokenizer and --gguf.
    """
    if ref and not (tokenizer or gguf or template or adapter or peft or weights or conversations):
        found = _of_project(folder, ref)
    elif tokenizer and gguf and not ref:
        found = _of_files(tokenizer, gguf, template, adapter, peft, weights, conversations)
    else:
        raise click.UsageError("Name a run or a model, or --tokenizer DIR with --gguf FILE.")
    progress_done()
    _print(found, as_json=as_json)


def _of_project(folder: Path, ref: str) -> "Evidence":
    from store import runs
    from store.errors import MissingRowError
    from studio.inference.proof.asking import check_at_rest, keep
    from studio.inference.proof.proving import prove_ref
    from studio.training.history.watch import sync_run

    with opened(folder) as (project, store):
        try:
            sync_run(project, store, runs.get(store, ref).id)
        except MissingRowError as error:
            if not _is_model(ref):
                raise StudioError(
                    f"{error}", "`studio runs` lists the runs; a model's name can be given too."
                ) from error
        check_at_rest(store, ref)
        found = prove_ref(project, ref, say=progress)
        keep(store, ref, found)
    return found


def _is_model(ref: str) -> bool:
    from studio.models import resolve

    try:
        resolve(ref)
    except StudioError:
        return False
    return True


def _of_files(
    tokenizer: Path,
    gguf: Path,
    template: Path | None,
    adapter: Path | None,
    peft: Path | None,
    weights: Path | None,
    conversations: Path | None,
) -> "Evidence":
    from studio.inference.engine import Engine
    from studio.inference.proof.conversations import of_file, varied
    from studio.inference.proof.proving import prove
    from studio.inference.proof.subjects import Subject

    try:
        text = template.read_text(encoding="utf-8") if template else None
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{template} can't be read: {error}.") from error
    if adapter and weights and not peft:
        raise click.UsageError("--adapter beside --weights needs --trained-adapter DIR, which torch applies to them.")
    # An adapter that llama.cpp is not given is worked into the GGUF.
    is_merged = adapter is None and peft is not None
    subject = Subject(gguf.name, tokenizer, gguf, text, True, adapter, peft, weights, is_merged)
    chosen = list(of_file(conversations) if conversations else varied())
    with tempfile.TemporaryDirectory() as place, Engine(Path(place) / "engine.log") as engine:
        return prove(subject, engine, chosen, chosen, say=progress)


def _print(found: "Evidence", *, as_json: bool) -> None:
    from studio.inference.proof.evidence import lines

    if as_json:
        print_json(found.as_json())
    else:
        for line in lines(found):
            say(line)
    if not found.equal:
        raise click.exceptions.Exit(1)


COMMANDS = (parity,)
