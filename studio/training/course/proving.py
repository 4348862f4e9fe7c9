"""The proof beside a training: of its texts before any time is spent, of what it has left at its end."""

import traceback

from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.inference.gguf.conversion import check_converter
from studio.inference.proof.conversations import of_run
from studio.inference.proof.evidence import read, write
from studio.inference.proof.proving import prove_run, prove_texts
from studio.inference.proof.subjects import Subject
from studio.models import BaseModel, base_gguf, prepare
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder, read_description


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
    reporter.doing("comparing the tokens with llama.cpp's")
    description = read_description(folder)
    is_own = "of the project" not in description.chat_template
    subject = Subject(description.id, folder.tokenizer, gguf, is_own_template=is_own)
    try:
        with Engine(folder.path / "engine.log") as engine:
            evidence = prove_texts(subject, engine, of_run(folder))
    except StudioError as error:
        return f"not checked: {error}"
    write(folder.path, evidence)
    return evidence.sentence


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
