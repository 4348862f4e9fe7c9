"""Paths that are typed: what they may become, and a line that completes them."""

import os
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType

from screens import keys
from screens.widgets.typing_order import LineInput


class PathLine(LineInput):
    """A line for a path; tab completes it as far as it is certain."""

    BINDINGS: ClassVar[list[BindingType]] = keys.PATH

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, compact=True)
        self.cursor_blink = False

    def action_complete(self) -> None:
        """Complete the path as far as it is certain."""
        completed = complete(self.value)
        if completed != self.value:
            self.value = completed
            self.cursor_position = len(completed)


def matches(text: str) -> list[Path]:
    """Return the files and folders whose path begins with a text, folders first, hidden ones when asked for."""
    folder, _, beginning = os.path.expanduser(text).rpartition("/")
    try:
        entries = list(Path(f"{folder}/" if folder or text.startswith("/") else ".").iterdir())
    except OSError:
        return []
    found = [
        entry
        for entry in entries
        if entry.name.startswith(beginning)
        and (beginning or not entry.name.startswith("."))
        # A name with control characters would reach the terminal through the text field.
        and entry.name.isprintable()
    ]
    return sorted(found, key=lambda e: (not os.path.isdir(e), e.name))


def complete(text: str) -> str:
    """Return a path with what all its matches have in common."""
    found = [path_text(match) for match in matches(text)]
    if not found:
        return text
    first, last = min(found), max(found)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def path_text(path: Path) -> str:
    """Return a path as it is typed: a folder ends with a slash."""
    return f"{path}/" if os.path.isdir(path) else str(path)


def typed_path(text: str) -> Path:
    """Return the path that a person typed."""
    # Unlike pathlib's, this leaves what makes no sense as it is: unknown users, names that are too long.
    return Path(os.path.expanduser(text))


def shortest(path: Path) -> str:
    """Return a path relative to where the program was started, when that is shorter to read."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path.resolve())
