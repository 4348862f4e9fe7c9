"""What the columns of an unknown file may mean, by their names and contents: a start, for a person to mend."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.file_look import ColumnLook

_NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation", "dialog", "dialogue", "turns", "chat"),
    "system": ("system", "systemprompt", "systemmessage"),
    "prompt": (
        "prompt",
        "question",
        "instruction",
        "query",
        "input",
        "user",
        "problem",
        "context",
        "post",
        "request",
        "text",
        "body",
        "source",
        "frage",
    ),
    "completion": (
        "completion",
        "answer",
        "response",
        "output",
        "reply",
        "solution",
        "target",
        "groundtruth",
        "assistant",
        "summary",
        "label",
        "category",
        "class",
        "intent",
        "antwort",
    ),
    "chosen": ("chosen", "preferred", "accepted", "better", "win", "good", "chosenresponse"),
    "rejected": ("rejected", "dispreferred", "nonpreferred", "worse", "lose", "bad", "rejectedresponse"),
    "response_a": ("responsea", "response1", "answera", "answer1", "outputa", "output1", "completiona", "completion1"),
    "response_b": ("responseb", "response2", "answerb", "answer2", "outputb", "output2", "completionb", "completion2"),
    "author_a": ("authora", "modela", "model1", "generator1"),
    "author_b": ("authorb", "modelb", "model2", "generator2"),
    "verdict": ("verdict", "winner", "preference", "judgement", "judgment", "choice", "label", "annotator1"),
    "tools": ("tools", "functions"),
}
"""How columns that mean a thing are often called, letters and digits only, the surest name first."""

_MOST_CODES = 6
"""A verdict column has few values."""


def guess(columns: "Iterable[ColumnLook]") -> dict[str, str]:
    """Return the column of each field that can be guessed; the columns make an example, or nothing is guessed."""
    known = list(columns)
    turns = _first("messages", known, lambda c: c.kind == "turns")
    if turns:
        return turns | _first("system", known, _is_text) | _first("tools", known)
    prompt = _first("prompt", known, _is_text)
    if not prompt:
        return {}
    start = _first("system", known, _is_text) | prompt
    answers = [c for c in known if c.path not in start.values()]
    return start | (
        _pair("chosen", "rejected", answers) or _compared(answers) or _first("completion", answers, _is_text)
    )


def _compared(columns: "list[ColumnLook]") -> dict[str, str]:
    pair = _pair("response_a", "response_b", columns)
    if not pair:
        return {}
    authors = _first("author_a", columns, _is_text) | _first("author_b", columns, _is_text)
    return pair | authors | _first("verdict", columns, lambda c: 0 < len(c.values) <= _MOST_CODES)


def _pair(first: str, second: str, columns: "list[ColumnLook]") -> dict[str, str]:
    pair = _first(first, columns, _is_answer) | _first(second, columns, _is_answer)
    return pair if len(pair) == 2 else {}


def _first(
    field: str, columns: "list[ColumnLook]", fits: "Callable[[ColumnLook], bool]" = lambda _: True
) -> dict[str, str]:
    """Return the column with the surest name of those that fit; outer ones before those inside others."""
    names = _NAMES[field]
    fitting = [
        (column.path.count("."), names.index(name), column.path)
        for column in columns
        if (name := next((n for n in _spellings(column.path) if n in names), "")) and fits(column)
    ]
    return {field: min(fitting)[2]} if fitting else {}


def _spellings(path: str) -> tuple[str, str]:
    return _plain(path), _plain(path.rpartition(".")[2])


def _is_text(column: "ColumnLook") -> bool:
    return column.kind == "text"


def _is_answer(column: "ColumnLook") -> bool:
    return column.kind in ("text", "turns", "mixed")


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
