"""The proof that a prompt's tokens in chat are the ones trained on: our tokenizer against llama.cpp's own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson

from store import runs
from store.database import Store
from store.examples import Message
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.models import gguf_of, resolve
from studio.project import Project
from studio.rendering import ChatTokenizer, Segment, render, segments
from studio.training.folder import RunFolder, read_description, write_json

SHOWN = 4
"""Tokens that are shown before and after the first difference."""


@dataclass(frozen=True)
class Conversation:
    """A text to check, and where it comes from."""

    label: str
    messages: list[Message]
    tools: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Difference:
    """The first place where the two tokenizers part."""

    label: str
    position: int
    """Tokens before it that are equal."""
    before: str
    trained: list[str]
    """The trained tokens from there on, as text."""
    llama: list[str]
    """llama.cpp's tokens from there on, as text."""


@dataclass(frozen=True)
class ParityResult:
    """What the proof found."""

    texts: int
    """Conversations that were compared."""
    tokens: int
    unequal: int
    """Conversations whose tokens differ."""
    not_rendered: int = 0
    """Conversations that the chat template refuses; no training saw them either."""
    first_difference: Difference | None = None

    @property
    def equal(self) -> bool:
        """Whether every token of every text is the same."""
        return self.texts > 0 and self.unequal == 0

    @property
    def sentence(self) -> str:
        """The result for a person."""
        if self.texts == 0:
            return "not checked: there was no text to compare"
        if self.first_difference is None:
            skipped = f"; {self.not_rendered:,} can't be rendered" if self.not_rendered else ""
            return f"equal: {self.texts:,} texts, {self.tokens:,} tokens, none differs from llama.cpp's{skipped}"
        d = self.first_difference
        return (
            f"DIFFERENT in {self.unequal:,} of {self.texts:,} texts; first in {d.label} at token {d.position},"
            f" after {d.before!r}: trained on {d.trained}, llama.cpp has {d.llama}"
        )


def check(engine: Engine, tokenizer: ChatTokenizer, gguf: Path, conversations: Iterable[Conversation]) -> ParityResult:
    """Compare the ids that training sees with those that llama.cpp makes of the same text.

    Raises:
        EngineError: llama.cpp can't read the GGUF.
    """
    texts = tokens = unequal = not_rendered = 0
    first = None
    for conversation in conversations:
        try:
            ids = render(tokenizer, conversation.messages, conversation.tools).ids
        except StudioError:
            not_rendered += 1
            continue
        parts = segments(tokenizer, conversation.messages, conversation.tools)
        theirs = [i for part in parts for i in engine.tokenize(gguf, _pieces(part))]
        texts += 1
        tokens += len(ids)
        if ids != theirs:
            unequal += 1
            first = first or _difference(tokenizer, conversation.label, ids, theirs)
    return ParityResult(texts, tokens, unequal, not_rendered, first)


def check_run_folder(path: Path, base_gguf: Path) -> ParityResult:
    """Check all rows that a run trains on and is measured on; keep the result in the run's folder."""
    folder = RunFolder(path)
    tokenizer = ChatTokenizer.load(folder.tokenizer)
    with Engine(folder.path / "engine.log") as engine:
        result = check(engine, tokenizer, base_gguf, _conversations(folder))
    write_json(folder.parity, result)
    return result


def check_run(project: Project, store: Store, run_id: str) -> ParityResult:
    """Check a run by its id, and keep the outcome with it.

    Raises:
        StudioError: there is no such run folder, or its base model has no GGUF to compare with.
    """
    folder = RunFolder(project.runs / run_id)
    if not folder.description.is_file():
        raise StudioError(f"{folder.path} is no run's folder.", "`studio runs` lists the runs.")
    base = resolve(read_description(folder).base_model)
    gguf = gguf_of(base)
    if gguf is None:
        raise StudioError(
            f"{base.name} has no GGUF, so there is nothing in llama.cpp to compare with.",
            "Train on the GGUF of the same model to have the proof.",
        )
    result = check_run_folder(folder.path, gguf)
    run = runs.get(store, run_id)
    runs.update(store, run_id, status=run.status, error=run.error, result={**run.result, "parity": result.sentence})
    return result


def _pieces(part: list[Segment]) -> list[tuple[str, bool]]:
    return [(segment.text, segment.parse_special) for segment in part]


def _conversations(folder: RunFolder) -> Iterator[Conversation]:
    for split in ("train", "validation"):
        with (folder.data / f"{split}.jsonl").open("rb") as file:
            for line in file:
                yield from _of_row(orjson.loads(line))


def _of_row(row: dict[str, Any]) -> Iterator[Conversation]:
    label = f"example {row['example']}"
    if "messages" in row:
        yield Conversation(label, row["messages"], row.get("tools"))
        return
    sides = [side for side in ("chosen", "rejected", "completion") if side in row]
    for side in sides:
        yield Conversation(f"{label} ({side})", row["prompt"] + row[side], row.get("tools"))
    if not sides:
        yield Conversation(label, row["prompt"], row.get("tools"))


def _difference(tokenizer: ChatTokenizer, label: str, ours: list[int], theirs: list[int]) -> Difference:
    position = next(i for i, (a, b) in enumerate(zip_longest(ours, theirs)) if a != b)
    return Difference(
        label,
        position,
        tokenizer.decode(ours[max(0, position - SHOWN) : position]),
        [tokenizer.decode([i]) for i in ours[position : position + SHOWN]],
        [tokenizer.decode([i]) for i in theirs[position : position + SHOWN]],
    )
