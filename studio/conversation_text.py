"""A conversation as one text that a person edits in an editor of their own, and back without loss.

A turn begins with a line such as `===== user`, and what is below it is said as it stands there. What a turn holds
besides, such as the calls of tools, stands below a line such as `----- tool_calls`, as JSON. The signs of these lines
are more than any line of the conversation begins with, so that no text is taken for one.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from store.examples import Message
from studio.errors import StudioError

ROLES = ("system", "user", "assistant", "tool")
FEWEST_SIGNS = 5
END = "end"

_SIGNS = re.compile(r"^(?:=+|-+)", re.MULTILINE)
_FIRST = re.compile(r"^(={5,}) ", re.MULTILINE)


def write(messages: list[Message]) -> str:
    """Return the text of a conversation."""
    bodies = [_body(message, name) for message in messages for name in message if name != "role"]
    count = max([FEWEST_SIGNS - 1, *(len(signs) for body in bodies for signs in _SIGNS.findall(body or ""))]) + 1
    parts = [part for message in messages for part in _parts(message, count)]
    return "\n".join([*parts, f"{'=' * count} {END}", ""])


def read(text: str, roles: Iterable[str] = ROLES) -> list[Message]:
    """Return the conversation that a text says.

    Raises:
        StudioError: a line is not as it should be; the message says which.
    """
    found = _FIRST.search(text)
    if found is None:
        raise StudioError("No turn begins in what was written.", f"Begin one with a line such as: {'=' * 5} user")
    lines = text.split("\n")
    reader = _Reader(len(found[1]), frozenset(roles))
    for number, line in enumerate(lines, start=1):
        reader.take(number, line)
        if reader.ended:
            break
    # Without an end line the last line end is that of the file.
    reader.close(at_end=not reader.ended and not lines[-1])
    if any(line.strip() for line in lines[number:]):
        raise _wrong(number + 1, "there is text after the end", "Put it above that line")
    if not reader.messages:
        raise StudioError("No turn is left in what was written.", "A conversation needs one.")
    return reader.messages


class _Reader:
    """Takes lines one by one; `messages` are those whose end was seen."""

    def __init__(self, count: int, roles: frozenset[str]) -> None:
        self.messages: list[Message] = []
        self.ended = False
        self._turn, self._field = f"{'=' * count} ", f"{'-' * count} "
        self._roles = roles
        self._name: str | None = None
        self._began = 0
        self._lines: list[str] = []

    def take(self, number: int, line: str) -> None:
        """Take the next line."""
        if line.startswith(self._turn):
            self.close()
            self._begin_turn(number, line.removeprefix(self._turn).strip())
        elif line.startswith(self._field) and self._name is not None:
            self.close()
            self._begin_field(number, line.removeprefix(self._field).strip())
        elif self._name is not None:
            self._lines.append(line)
        elif line.strip():
            raise _wrong(number, "text stands before the first turn", f"Put it below a line such as: {self._turn}user")

    def close(self, *, at_end: bool = False) -> None:
        """Keep what was taken since the last line with signs; at the end, all but the line end of the last line."""
        if at_end:
            self._lines = self._lines[:-1]
        if self._name == "content":
            self.messages[-1]["content"] = "\n".join(self._lines) if self._lines else None
        elif self._name is not None:
            self.messages[-1][self._name] = _value("\n".join(self._lines), self._name, self._began)
        self._lines = []

    def _begin_turn(self, number: int, role: str) -> None:
        self._name, self._began = None, number
        if role == END:
            self.ended = True
        elif role in self._roles:
            self.messages.append({"role": role})
            self._name = "content"
        else:
            raise _wrong(number, f"{role[:40]!r} does not speak", f"Those who do are {', '.join(sorted(self._roles))}")

    def _begin_field(self, number: int, name: str) -> None:
        if not name or name in self.messages[-1]:
            raise _wrong(number, f"the turn has {name[:40]!r} twice" if name else "a name is missing", "Mend the line")
        self._name, self._began = name, number


def _parts(message: Message, count: int) -> Iterable[str]:
    yield f"{'=' * count} {message['role']}"
    content = _body(message, "content")
    if content is not None:
        yield content
    for name in message:
        if name not in ("role", "content"):
            yield f"{'-' * count} {name}"
            yield _body(message, name) or ""


def _body(message: Message, name: str) -> str | None:
    value = message.get(name)
    return value if name == "content" else json.dumps(value, ensure_ascii=False, indent=2)


def _value(text: str, name: str, began: int) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _wrong(began + error.lineno, f"{name} is no JSON ({error.msg})", "Mend it there") from error
    if name == "tool_calls" and not _are_calls(value):
        raise _wrong(began, "tool_calls is no list of calls with a name each", 'One is {"function": {"name": "..."}}')
    return value


def _are_calls(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(call, dict)
        and isinstance(function := call.get("function", call), dict)
        and isinstance(function.get("name"), str)
        for call in value
    )


def _wrong(number: int, what: str, hint: str) -> StudioError:
    return StudioError(f"Line {number}: {what}.", f"{hint}.")
