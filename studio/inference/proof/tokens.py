"""Token ids: those that training sees against those that llama.cpp's own tokenizer makes of the same text."""

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.inference.gguf.header import read_header
from studio.inference.proof.conversations import Conversation
from studio.inference.proof.evidence import Check, Difference, Finding, Piece
from studio.rendering import ChatTokenizer, render, segments
from studio.training.rows.telling import Say, silently, told

SHOWN = 4
"""Tokens that are shown before and after the first difference."""


def check_tokens(
    engine: Engine,
    tokenizer: ChatTokenizer,
    gguf: Path,
    conversations: Iterable[Conversation],
    *,
    note: str = "",
    say: Say = silently,
) -> Check:
    """Compare the ids of conversations.

    Args:
        engine: to run llama.cpp.
        tokenizer: the one that trained.
        gguf: whose tokenizer it is compared with.
        conversations: which texts.
        note: which they are, where they are not all.
        say: told about each second how many are done.

    Raises:
        EngineError: llama.cpp can't read the GGUF.
    """
    figures = {"texts": 0, "tokens": 0, "unequal": 0, "not_rendered": 0}
    first = None
    for conversation in told(conversations, say):
        try:
            ids = render(tokenizer, conversation.messages, conversation.tools).ids
        except StudioError:
            # No training saw it either.
            figures["not_rendered"] += 1
            continue
        head, tail = segments(tokenizer, conversation.messages, conversation.tools)
        theirs = engine.tokenize(gguf, [(part.text, True) for part in (*head, *tail)])
        figures["texts"] += 1
        figures["tokens"] += len(ids)
        if ids != theirs:
            figures["unequal"] += 1
            first = first or _difference(tokenizer, conversation.label, ids, theirs)
    return _check(figures, first, _other_rules(tokenizer, gguf) if first else "", f"; {note}" if note else "")


def _other_rules(tokenizer: ChatTokenizer, gguf: Path) -> str:
    """Say that the GGUF names other rules for cutting text than the tokenizer's; empty where that is not known."""
    from studio.training.base.pre_tokenizers import rules_of

    said, known = read_header(gguf).text("tokenizer.ggml.pre"), rules_of(tokenizer.tokenizer.pre_tokenizer)
    if not said or not known or said in known:
        return ""
    return f"{gguf.name} says tokenizer.ggml.pre {said}, and the tokenizer's rules are those of {known[0]}. "


def _check(figures: dict[str, int], first: Difference | None, other_rules: str, note: str) -> Check:
    kept = {name: float(value) for name, value in figures.items()}
    texts, unequal = figures["texts"], figures["unequal"]
    if not texts:
        return Check("tokens", "not checked", "there was no text to compare", (), kept)
    if first is None:
        skipped = f"; {figures['not_rendered']:,} can't be rendered" if figures["not_rendered"] else ""
        words = f"{texts:,} texts, {figures['tokens']:,} tokens, none differs from llama.cpp's{skipped}{note}"
        return Check("tokens", "equal", words, (), kept)
    where = f"first in {first.label} at token {first.position}, after {first.before!r}"
    trained, other = ([piece.text for piece in side] for side in (first.trained, first.other))
    words = f"in {unequal:,} of {texts:,} texts; {where}: trained on {trained}, llama.cpp has {other}"
    found = Finding(
        "tokens",
        f"The tokenizer that trained and the GGUF's cut text into other tokens in {unequal:,} of {texts:,} texts.",
        f"{other_rules}What was learnt of these tokens is not what llama.cpp is asked; convert the model again with its"
        " tokenizer.",
    )
    return Check("tokens", "different", words, (found,), kept, first)


def _difference(tokenizer: ChatTokenizer, label: str, ours: list[int], theirs: list[int]) -> Difference:
    at = next(i for i, (a, b) in enumerate(zip_longest(ours, theirs)) if a != b)
    sides = (tuple(Piece(tokenizer.decode([i]), i) for i in ids[at : at + SHOWN]) for ids in (ours, theirs))
    trained, other = sides
    return Difference(label, at, tokenizer.decode(ours[max(0, at - SHOWN) : at]), trained, other)
