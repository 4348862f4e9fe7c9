"""The whole proof of a subject, or the part of it that needs no weights, kept as its evidence."""

from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from store.database import now
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.inference.proof.adapters import check_adapter
from studio.inference.proof.conversations import Conversation, of_run, varied
from studio.inference.proof.evidence import Check, Evidence, Finding, Name, read, write
from studio.inference.proof.logits import Amount, check_logits, sequences_of
from studio.inference.proof.rendering import check_rendering
from studio.inference.proof.settings import check_settings
from studio.inference.proof.subjects import Say, Subject, of_model, place_of
from studio.inference.proof.subjects import of_run as subject_of_run
from studio.inference.proof.tokens import check_tokens
from studio.inference.proof.vocabulary import check_special_tokens, check_template, read_vocabulary
from studio.inference.proof.weights import Weights, check_weights
from studio.project import Project
from studio.rendering import ChatTokenizer
from studio.training.folder import RunFolder

if TYPE_CHECKING:
    import gguf as gguf_library

RENDERED = 200
"""Conversations of a run whose text transformers renders too."""

TOKENS = "comparing the tokens with llama.cpp's"


def prove(
    subject: Subject,
    engine: Engine,
    conversations: Iterable[Conversation],
    held_out: Iterable[Conversation],
    *,
    known: Check | None = None,
    amount: Amount = Amount(),
    say: Say = lambda _: None,
) -> Evidence:
    """Compare all that can be compared.

    Args:
        subject: what is proven.
        engine: to run llama.cpp.
        conversations: whose texts and tokens are compared.
        held_out: on which logits are compared.
        known: what came of comparing the tokens already, in the place of comparing them again.
        amount: how many logits are compared.
        say: told what is being done.

    Raises:
        StudioError: the tokenizer or the GGUF can't be read.
    """
    tokenizer, reader = ChatTokenizer.load(subject.tokenizer, subject.template), open_gguf(subject.gguf)
    others = iter(conversations)
    first = list(islice(others, RENDERED))
    say("comparing the rendered text with transformers'")
    checks = [_guarded("rendering", lambda: _rendering(subject, tokenizer, first))]
    say(TOKENS)
    all_of_them = chain(first, others)
    checks.append(known or check_tokens(engine, tokenizer, subject.gguf, all_of_them, say=counted(say)))
    checks += _text_of_gguf(subject, tokenizer, reader)
    say("comparing the weights")
    checks += _numbers(subject, reader)
    say("comparing the logits with torch's")
    checks.append(_guarded("logits", lambda: _logits(subject, engine, reader, tokenizer, held_out, amount)))
    return evidence_of(subject, checks)


def prove_texts(
    subject: Subject, engine: Engine, conversations: Iterable[Conversation], *, note: str, say: Say
) -> Evidence:
    """Compare what hangs on no weights, before any time is spent on training: tokens, template, special tokens.

    Args:
        subject: what is proven.
        engine: to run llama.cpp.
        conversations: whose tokens are compared.
        note: which they are, where they are not all.
        say: told what is being done.

    Raises:
        StudioError: the tokenizer or the GGUF can't be read.
    """
    tokenizer = ChatTokenizer.load(subject.tokenizer, subject.template)
    say(TOKENS)
    checks = [check_tokens(engine, tokenizer, subject.gguf, conversations, note=note, say=counted(say))]
    return evidence_of(subject, [*checks, *_text_of_gguf(subject, tokenizer, open_gguf(subject.gguf))])


def counted(say: Say) -> Callable[[int], None]:
    """Return what says of how many texts the tokens are compared."""
    return lambda done: say(f"{TOKENS}, {done:,} texts so far")


def prove_run(folder: RunFolder, *, say: Say = lambda _: None, again: bool = True) -> Evidence:
    """Prove a run and keep the evidence in its folder.

    Args:
        folder: the run's.
        say: told what is being done.
        again: whether tokens that were compared before the training are compared again.

    Raises:
        StudioError: it is no run's folder, its base has no GGUF, or a file can't be read.
    """
    subject = subject_of_run(folder, say)
    before = None if again else read(folder.path)
    with Engine(folder.path / "engine.log") as engine:
        evidence = prove(
            subject,
            engine,
            of_run(folder),
            of_run(folder, "validation"),
            known=before.check("tokens") if before else None,
            say=say,
        )
    write(folder.path, evidence)
    return evidence


def prove_ref(project: Project, ref: str, *, say: Say = lambda _: None) -> Evidence:
    """Prove a run by its id or a model by its name, and keep the evidence.

    Raises:
        StudioError: there is neither, it has no GGUF, or a file can't be read.
    """
    place = place_of(project, ref)
    if place.parent == project.runs:
        return prove_run(RunFolder(place), say=say)
    place.mkdir(parents=True, exist_ok=True)
    subject = of_model(ref, say)
    with Engine(place / "engine.log") as engine:
        evidence = prove(subject, engine, varied(), _answered(), say=say)
    write(place, evidence)
    return evidence


def evidence_of(subject: Subject, checks: list[Check]) -> Evidence:
    """Return checks as evidence, with the files that were compared."""
    paths: dict[str, Path | None] = {
        "gguf": subject.gguf,
        "adapter": subject.adapter,
        "tokenizer": subject.tokenizer,
        "weights": subject.weights,
        "trained adapter": subject.peft,
    }
    files = {name: shown(path) for name, path in paths.items() if path}
    return Evidence(subject.name, tuple(checks), files, now())


def shown(path: Path) -> str:
    """Return a path as evidence has it, which goes to other machines: nobody there need know whose home this was."""
    return str(path).replace(str(Path.home()), "~", 1)


def open_gguf(path: Path) -> "gguf_library.GGUFReader":
    """Open a GGUF.

    Raises:
        StudioError: it is none.
    """
    import gguf

    try:
        return gguf.GGUFReader(path)
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise StudioError(f"{path} can't be read as a GGUF: {error}.", "Copy or convert it again.") from error


def _answered() -> Iterable[Conversation]:
    """Return the varied conversations that a model answers: the most telling ones first."""
    return sorted(
        (each for each in varied() if each.messages[-1]["role"] == "assistant"),
        key=lambda each: -sum(len(str(m["content"])) for m in each.messages),
    )


def _guarded(name: Name, check: Callable[[], Check]) -> Check:
    """Do a check; one that can't be done stops none of the others."""
    try:
        return check()
    except (StudioError, OSError) as error:
        return Check(name, "not checked", str(error))


def _rendering(subject: Subject, tokenizer: ChatTokenizer, chosen: list[Conversation]) -> Check:
    if not chosen:
        return Check("rendering", "not checked", "there is no text to compare")
    found = check_rendering(subject.tokenizer, tokenizer.template, chosen)
    figures = {"texts": float(len(chosen)), "unequal": float(len(found))}
    if not found:
        return Check("rendering", "equal", f"{len(chosen):,} conversations as transformers renders them", (), figures)
    finding = Finding(
        "rendering",
        f"{len(found)} renderings of {len(chosen):,} conversations are not transformers': {found[0].sentence}.",
        "Please report it with the template: this renderer should make the same text.",
    )
    words = f"{len(found)} renderings of {len(chosen):,} conversations differ"
    return Check("rendering", "different", words, (finding,), figures, found[0].difference)


def _text_of_gguf(subject: Subject, tokenizer: ChatTokenizer, reader: "gguf_library.GGUFReader") -> list[Check]:
    vocabulary = read_vocabulary(reader)
    return [
        check_template(tokenizer, vocabulary, subject.gguf, is_own=subject.is_own_template),
        check_special_tokens(tokenizer, vocabulary, subject.gguf),
    ]


def _numbers(subject: Subject, reader: "gguf_library.GGUFReader") -> list[Check]:
    found = []
    if folder := subject.weights:
        found.append(_guarded("settings", lambda: check_settings(reader, folder, subject.gguf)))
    if folder and not subject.is_merged:
        found.append(_guarded("weights", lambda: check_weights(reader, Weights(folder), subject.gguf)))
    if (adapter := subject.adapter) and (peft := subject.peft):
        found.append(_guarded("adapter", lambda: check_adapter(reader, adapter, peft)))
    return found


def _logits(
    subject: Subject,
    engine: Engine,
    reader: "gguf_library.GGUFReader",
    tokenizer: ChatTokenizer,
    held_out: Iterable[Conversation],
    amount: Amount,
) -> Check:
    if subject.weights is None:
        return Check("logits", "not checked", "there are no trained weights here to compare with")
    sequences = sequences_of(tokenizer, held_out, amount)
    return check_logits(engine, reader, subject.gguf, subject.adapter, subject.weights, subject.peft, sequences)
