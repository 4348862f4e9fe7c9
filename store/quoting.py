"""Messages that quote their record: a text that stands there already is kept as the place where it stands.

A stored message has a list as its `content` where it quotes: the path of the text in the record's
fields, such as `["chosen"]` or `["conversations", 1, "value"]`. Records never change, so a quotation
stays what it was; without it each imported text would be in the file twice.
"""

import json
from functools import lru_cache
from typing import Any

import orjson

Message = dict[str, Any]
Path = tuple[str | int, ...]

SHORTEST = 32
"""Characters; a shorter text is kept as it is, because its path would save nothing."""


def places(fields: dict[str, Any]) -> dict[str, Path]:
    """Return where each longer text of a record's fields stands."""
    found: dict[str, Path] = {}
    for name, value in fields.items():
        if isinstance(value, str):
            if len(value) >= SHORTEST:
                found.setdefault(value, (name,))
        elif isinstance(value, (list, dict)):
            _gather(value, (name,), found)
    return found


def _gather(value: Any, path: Path, found: dict[str, Path]) -> None:
    if isinstance(value, str):
        if len(value) >= SHORTEST:
            found.setdefault(value, path)
    elif isinstance(value, dict):
        for name, item in value.items():
            _gather(item, (*path, name), found)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _gather(item, (*path, number), found)


def quote(messages: list[Message], known: dict[str, Path]) -> str:
    """Return messages as they are stored, texts that stand in the record as quotations."""
    if len(messages) == 1 and len(messages[0]) == 2:
        message = messages[0]
        path = known.get(message["content"])
        if path is not None:
            return _one_quotation(message["role"], path)
    return dumps([{**m, "content": known.get(m["content"], m["content"])} for m in messages] if known else messages)


@lru_cache(maxsize=1024)
def _one_quotation(role: str, path: Path) -> str:
    return dumps([{"role": role, "content": path}])


class Quoted:
    """A record that messages quote; it is parsed when the first of them does, and once for all."""

    def __init__(self, raw: str | bytes | None, fields: str | None) -> None:
        self._stored = raw if fields is None else fields
        self._source: Any = None

    def unquote(self, stored: str) -> list[Message]:
        """Return messages with the texts that they quote."""
        # Arguments of tool calls are values of any kind, whose numbers must stay what they are.
        messages: list[Message] = loads(stored) if '"tool_calls"' in stored else loads_texts(stored)
        for message in messages:
            place = message["content"]
            if isinstance(place, list):
                message["content"] = self._text_at(place)
        return messages

    def _text_at(self, place: list[str | int]) -> Any:
        if self._source is None:
            assert self._stored is not None
            self._source = loads_texts(self._stored)
        text = self._source
        for step in place:
            text = text[step]
        return text


def unquote(stored: str, raw: str | bytes | None, fields: str | None) -> list[Message]:
    """Return messages with the texts that they quote; `raw` and `fields` are those of the record."""
    return Quoted(raw, fields).unquote(stored)


def dumps(value: Any) -> str:
    """Return JSON in ASCII, so that lone surrogates in a text survive SQLite's UTF-8."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def loads(text: str | None) -> Any:
    """Return the value of a JSON text, None where there is no text."""
    return None if text is None else json.loads(text)


def loads_texts(text: str | bytes) -> Any:
    """Return the value of a JSON text whose texts alone matter: fast, but a long number may lose its end."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Lone surrogates, NaN and deep nesting are beyond orjson.
        return json.loads(text)
