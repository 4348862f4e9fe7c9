"""The proof beside a training: of its texts before any time is spent, of what it has left at its end."""

import traceback
from pathlib import Path

from studio import __version__
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.inference.gguf.conversion import check_converter
from studio.inference.proof.conversations import sample_of_run
from studio.inference.proof.evidence import FILE, Evidence, read, write
from studio.inference.proof.proving import prove_run, prove_texts, shown
from studio.inference.proof.subjects import Subject
from studio.models import BaseModel, base_gguf, prepare
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder, read_description

MOST_ROWS = 5_000
"""Rows whose tokens are compared before a training: of more the first would wait for minutes or hours."""


def make_comparable(base: BaseModel, reporter: Reporter) -> str:
    """Convert a Hugging Face folder for llama.cpp, once on this machine; say why that can't be done.

    Without it the run is trained all the same. Of several processes all take part, so that none waits for another
    within a collective step.
    """
    if base.kind == "gguf":
        return ""
    try:
        check_converter()
        prepare(base, "gguf", on_progress=reporter.doing)
    except StudioError as error:
        return str(error)
    return ""


def before_training(folder: RunFolder, base: BaseModel, reporter: Reporter, *, lacking: str = "") -> str:
    """Compare texts and tokens with llama.cpp's, and keep what was found; say it in a sentence.

    Args:
        folder: the run's.
        base: the model that it starts from.
        reporter: told what is being done.
        lacking: why the base has no GGUF.
    """
    gguf = base_gguf(base)
    if gguf is None:
        return f"not checked: {lacking or 'llama.cpp has no use for this kind of model'}"
    description = read_description(folder)
    known = read(folder.path)
    if known and description.studio_version == __version__ and _still_holds(folder, gguf, known):
        return known.sentence
    is_own = "of the project" not in description.chat_template
    subject = Subject(description.id, folder.tokenizer, gguf, is_own_template=is_own)
    try:
        with Engine(folder.path / "engine.log") as engine:
            conversations, note = sample_of_run(folder, MOST_ROWS)
            evidence = prove_texts(subject, engine, conversations, note=note, say=reporter.doing)
    except StudioError as error:
        return f"not checked: {error}"
    write(folder.path, evidence)
    return evidence.sentence


def _still_holds(folder: RunFolder, gguf: Path, known: Evidence) -> bool:
    """Tell whether an earlier part of the run has compared the tokens of the very files that lie there."""
    tokens = known.check("tokens")
    if tokens is None or tokens.outcome == "not checked" or known.files.get("gguf") != shown(gguf):
        return False
    inputs = [gguf, *folder.data.iterdir(), *folder.tokenizer.iterdir()]
    return all(path.stat().st_mtime <= (folder.path / FILE).stat().st_mtime for path in inputs)


def after_training(folder: RunFolder, reporter: Reporter) -> None:
    """Compare what was saved too: weights, adapter, logits; whatever comes of it, the run is trained."""
    if not reporter.is_main or reporter.stop_requested or not folder.has_gguf:
        return
    reporter.doing("comparing the model with what llama.cpp runs")
    try:
        words = prove_run(folder, again=False).sentence
    except Exception as error:
        # What was trained is saved: no fault of the proof may make a failed run of it.
        if not isinstance(error, StudioError):
            traceback.print_exc()
        known = read(folder.path)
        words = f"{known.sentence if known else 'not checked'}; what was saved is not compared: {error}"
    reporter.found({"parity": words})
