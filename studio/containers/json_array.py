"""JSON files: an array of objects, or objects one after another over many lines."""

import json
import re
from collections.abc import Callable, Generator, Iterator

from studio.containers.opened import Source
from studio.containers.row import RawRow, RowDecoder, explain

FIRST = 1 << 18
"""Characters read at a time; more where a single value is longer."""
LONGEST_BROKEN = 64 * 2**20
"""Characters kept as one row of what can't be read; there may be no end of it to be found."""
NEAR_END = 16
"""Characters; a fault so close to the end of what was read may only be that the rest is not there yet."""

_BLANK = re.compile(r"[ \t\r\n]*")
_GAP = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")


def read(source: Source) -> Iterator[RawRow]:
    """Yield each element with its own text and the line that it begins on."""
    # newline="" keeps CR LF inside a row as it is.
    for row in elements(source.text("").read):
        raw = source.kept(str(row.raw))
        yield row if isinstance(raw, str) else RawRow(row.line, raw, error=source.not_valid)


def elements(read_more: Callable[[int], str]) -> Iterator[RawRow]:
    """Yield the elements of an array, or of a sequence of values; what can't be read comes with the reason."""
    window, decoder = _Window(read_more), RowDecoder()
    gap = "\n" + window.skip(_BLANK)
    is_array = window.text.startswith("[", window.at)
    if is_array:
        window.advance(window.at + 1)
        gap += "["
    while True:
        gap += window.skip(_GAP)
        if window.at == len(window.text):
            break
        if is_array and window.text[window.at] == "]":
            window.advance(window.at + 1)
            window.skip(_BLANK)
            if window.at < len(window.text):
                yield from _broken(window, "stands after the end of the array", "")
            return
        line = window.line
        try:
            row = _element(window, decoder)
        except ValueError as error:
            gap = yield from _broken(window, _explain(window, error), gap)
            # A row that is broken up to the file's end says already that the array is not closed.
            is_array = is_array and window.at < len(window.text)
        else:
            yield row._replace(line=line)
            gap = ""
    if is_array:
        yield RawRow(window.line, "", error="is the end of the file, but the array is not closed")


class _Window:
    """The part of a text that is being read: it doubles while a value runs past it, and lets go of what is done."""

    def __init__(self, read_more: Callable[[int], str]) -> None:
        self._read_more = read_more
        self.text = ""
        self.at = 0
        self.line = 1
        """The line that `at` stands on."""
        self.before = 0
        """How many characters of its first line came before the window."""

    def grow(self) -> bool:
        """Read as much as is left again and let go of what lies before `at`; tell whether there was any more."""
        more = self._read_more(max(FIRST, len(self.text) - self.at))
        if not more:
            return False
        newline = self.text.rfind("\n", 0, self.at)
        self.before = self.at - newline - 1 if newline >= 0 else self.before + self.at
        self.text = self.text[self.at :] + more
        self.at = 0
        return True

    def advance(self, end: int) -> None:
        """Be done with the text up to `end`."""
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def skip(self, pattern: re.Pattern[str]) -> str:
        """Go past what a pattern matches, be that nothing, and return it."""
        while True:
            found = pattern.match(self.text, self.at)
            end = found.end() if found else self.at
            if end < len(self.text) or not self.grow():
                break
        skipped = self.text[self.at : end]
        self.advance(end)
        return skipped


def _element(window: _Window, decoder: RowDecoder) -> RawRow:
    while True:
        try:
            row, end = decoder.decode(window.text, window.at)
        except json.JSONDecodeError as error:
            is_cut = error.msg.startswith("Unterminated") or error.pos >= len(window.text) - NEAR_END
            if is_cut and window.grow():
                continue
            raise
        # A number may go on behind the window.
        if end == len(window.text) and window.text[end - 1] not in '}]"' and window.grow():
            continue
        window.advance(end)
        return row


def _explain(window: _Window, error: ValueError) -> str:
    """Return why an element could not be read; the place is counted from the element's own line."""
    if not isinstance(error, json.JSONDecodeError):
        return explain(error)
    character = error.colno + (window.before if error.lineno == 1 else 0)
    line = window.text.count("\n", window.at, error.pos)
    return explain(error, character) + (f" of its line {line + 1}" if line else "")


def _broken(window: _Window, reason: str, gap: str) -> Generator[RawRow, None, str]:
    """Yield what can't be read: up to the next object indented as this row is, or else to the file's end.

    `gap` is what stands before the row; what stands before the next one is returned.
    """
    _, newline, indent = gap.rpartition("\n")
    next_row = re.compile(r"\n" + re.escape(indent) + r"\{") if newline and not indent.strip() else None
    searched = window.at
    while True:
        if next_row and (found := next_row.search(window.text, searched)):
            end = found.end() - 1
            raw = window.text[window.at : end].rstrip().removesuffix(",")
            break
        searched = max(window.at, len(window.text) - len(indent) - 1)
        if searched - window.at > LONGEST_BROKEN:
            yield RawRow(window.line, window.text[window.at : searched], error=reason)
            window.advance(searched)
        done = window.at
        if not window.grow():
            end = len(window.text)
            raw = window.text[done:].rstrip()
            break
        searched -= done
    yield RawRow(window.line, raw, error=reason)
    window.advance(end)
    return newline + indent
