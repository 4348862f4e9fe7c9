"""What a template in Ollama's language writes: the part of Go's templates that is used here, worked out."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_ACTION = re.compile(r'\{\{(-(?=\s))?\s*((?:"(?:\\.|[^"\\])*"|[^"])*?)\s*((?<=\s)-)?\}\}', re.DOTALL)
_WORD = re.compile(r'"(?:\\.|[^"\\])*"|:=|[()]|[^\s()"]+')

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "and": lambda *all_: next((each for each in all_ if not each), all_[-1]),
    "not": lambda a: not a,
    "len": len,
    "slice": lambda items, start: items[start:],
}


@dataclass
class _Block:
    """An `if` with its branches, or a `range`, whose one branch is run for each."""

    is_range: bool
    branches: list[tuple[str, list[Any]]]


def evaluate(template: str, values: dict[str, Any]) -> str:
    """Return what a template writes.

    Raises:
        ValueError: it holds what is not known here.
    """
    parts = _nested(iter(_split(template)), [])
    return "".join(_run(parts, values, {"$": values}))


def _split(template: str) -> Iterator[tuple[bool, str]]:
    """Yield texts, and actions marked as such; a dash in an action takes the white space beside it away."""
    reached, trims = 0, False
    for found in _ACTION.finditer(template):
        text = template[reached : found.start()]
        text = text.lstrip(" \t\r\n") if trims else text
        yield False, text.rstrip(" \t\r\n") if found[1] else text
        yield True, found[2].strip()
        reached, trims = found.end(), bool(found[3])
    rest = template[reached:]
    yield False, rest.lstrip(" \t\r\n") if trims else rest


def _nested(parts: Iterator[tuple[bool, str]], into: list[Any], block: _Block | None = None) -> list[Any]:
    """Put actions that hold others around them, up to the end of a block."""
    for is_action, text in parts:
        word = text.partition(" ")[0] if is_action else ""
        if not is_action:
            into.append(text)
        elif word in ("if", "range"):
            inner = _Block(word == "range", [(text.removeprefix(word).strip(), [])])
            _nested(parts, inner.branches[0][1], inner)
            into.append(inner)
        elif word == "else" and block:
            block.branches.append((text.removeprefix("else").strip().removeprefix("if").strip() or "true", []))
            into = block.branches[-1][1]
        elif word == "end" and block:
            return into
        else:
            into.append((text,))
    if block:
        raise ValueError("a block has no end")
    return into


def _run(parts: list[Any], dot: Any, names: dict[str, Any]) -> Iterator[str]:
    for part in parts:
        match part:
            case str():
                yield part
            case _Block(is_range=True):
                yield from _each(part, dot, names)
            case _Block():
                inside = next((inner for test, inner in part.branches if _value(test, dot, names)), [])
                yield from _run(inside, dot, dict(names))
            case (text,) if match_ := re.match(r"(\$\w+)\s*:=\s*(.*)", text, re.DOTALL):
                names[match_[1]] = _value(match_[2], dot, names)
            case (text,):
                yield str(_value(text, dot, names))


def _each(block: _Block, dot: Any, names: dict[str, Any]) -> Iterator[str]:
    named, _, items = block.branches[0][0].partition(":=")
    index, _ = (name.strip() for name in named.split(","))
    for number, item in enumerate(_value(items, dot, names)):
        yield from _run(block.branches[0][1], item, {**names, index: number})


def _value(text: str, dot: Any, names: dict[str, Any]) -> Any:
    words = _WORD.findall(text)
    found = _call(words, dot, names)
    if words:
        raise ValueError(f"{words[0]} is not expected in {text}")
    return found


def _call(words: list[str], dot: Any, names: dict[str, Any]) -> Any:
    """Take a call, or a value alone, off the beginning of words."""
    if words[0] not in _FUNCTIONS:
        return _operand(words, dot, names)
    function = _FUNCTIONS[words.pop(0)]
    given = []
    while words and words[0] != ")":
        given.append(_operand(words, dot, names))
    return function(*given)


def _operand(words: list[str], dot: Any, names: dict[str, Any]) -> Any:
    word = words.pop(0)
    if word == "(":
        found = _call(words, dot, names)
        words.pop(0)
        return found
    if word.startswith('"'):
        return json.loads(word)
    if word in ("true", "false"):
        return word == "true"
    if word.isdigit():
        return int(word)
    if word.startswith("."):
        return dot[word[1:]]
    if word.startswith("$."):
        return names["$"][word[2:]]
    if word in names:
        return names[word]
    raise ValueError(f"{word} is not known")
