"""Documents as blocks of text with their lines: paragraphs, headings, rows of data."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from io import StringIO
from typing import Any, NamedTuple

from store.search_index import all_text

MARKDOWN = (".md", ".markdown", ".mdx")
DATA = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
HTML = (".html", ".htm", ".xhtml")
TEXT = (".txt", ".text", ".rst", ".adoc", ".org", ".tex", ".log")
ENDINGS = (*MARKDOWN, *DATA, *HTML, *TEXT)

MOST_UNENDED = 200
"""Tags and comments without an end that a page may have."""

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_SPACES = re.compile(r"[^\S\n]+")


class Block(NamedTuple):
    """Some lines that belong together, counted from 1."""

    first: int
    last: int
    text: str
    level: int = 0
    """Of a heading, from 1; 0 of anything else."""


def blocks(text: str, ending: str) -> Iterator[Block]:
    """Yield the blocks of a document.

    Raises:
        ValueError: it is not what its ending says; the message is the reason.
    """
    yield from _READERS.get(ending, paragraphs)(text)


def paragraphs(text: str) -> Iterator[Block]:
    """Yield what blank lines part."""
    # Not splitlines: a page break, as in text from a PDF, ends no line for an editor.
    return _parted(enumerate(text.split("\n"), 1))


def _parted(lines: Iterator[tuple[int, str]]) -> Iterator[Block]:
    held: list[tuple[int, str]] = []
    for number, line in lines:
        if line.strip():
            held.append((number, line.rstrip()))
        elif held:
            yield _joined(held)
            held = []
    if held:
        yield _joined(held)


def _joined(lines: list[tuple[int, str]]) -> Block:
    return Block(lines[0][0], lines[-1][0], "\n".join(line for _, line in lines))


def _markdown(text: str) -> Iterator[Block]:
    held: list[tuple[int, str]] = []
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        mark = _FENCE.match(line)
        heading = None if fence else _HEADING.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        if (heading or not (line.strip() or fence)) and held:
            yield _joined(held)
            held = []
        if heading:
            yield Block(number, number, heading[2], len(heading[1]))
        elif line.strip() or fence:
            held.append((number, line.rstrip()))
    if held:
        yield _joined(held)


def _json_lines(text: str) -> Iterator[Block]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Block(number, number, _said(_parsed(line, number)))


def _json(text: str) -> Iterator[Block]:
    """Yield each item of a list with its lines; anything else is one block."""
    start = len(text) - len(text.lstrip())
    if not text[start:].startswith("["):
        yield Block(1, text.count("\n") + 1, _said(_parsed(text, 1)))
        return
    decoder, at, line = json.JSONDecoder(), start + 1, 1 + text.count("\n", 0, start)
    behind = start
    while True:
        at = _after(text, at, " \t\r\n,")
        if text[at : at + 1] in ("]", ""):
            return
        line, behind = line + text.count("\n", behind, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {line} is no JSON: {error}") from error
        yield Block(line, line + text.count("\n", behind, at), _said(value))


def _after(text: str, at: int, passed: str) -> int:
    while at < len(text) and text[at] in passed:
        at += 1
    return at


def _parsed(text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {line} is no JSON: {error}") from error


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_said_inside(inner)}" for name, inner in value.items() if inner not in (None, ""))
    return _said_inside(value)


def _said_inside(value: Any) -> str:
    return value if isinstance(value, str) else all_text(json.dumps({"": value}), None, None)


def _table(delimiter: str) -> Callable[[str], Iterator[Block]]:
    def read(text: str) -> Iterator[Block]:
        rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
        names: list[str] = []
        last = 0
        try:
            for row in rows:
                first, last = last + 1, rows.line_num
                if names and any(row):
                    said = (f"{name}: {value}" for name, value in zip(names, row, strict=False) if value.strip())
                    yield Block(first, last, "\n".join(said))
                names = names or row
        except csv.Error as error:
            raise ValueError(f"line {rows.line_num} is no CSV: {error}") from error

    return read


def _html(text: str) -> Iterator[Block]:
    page = _Page()
    # Behind the last > no tag begins, and Python's parser would look for its end again and again.
    end = text.rfind(">") + 1
    try:
        page.feed(text[:end] + text[end:].replace("<", "&lt;"))
        page.close()
    except AssertionError as error:
        # What Python's parser says of declarations that it does not know.
        raise ValueError(f"line {page.getpos()[0]} is no HTML: {error}") from error
    page.end_block()
    return iter(page.found)


class _Page(HTMLParser):
    """Gathers what a reader of the page sees."""

    _UNSEEN = ("script", "style", "template", "noscript", "head", "nav")
    _INLINE = (
        *("a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "dfn", "em", "font", "i", "kbd", "mark", "q", "s"),
        *("samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Block] = []
        self._unseen: list[str] = []
        self._unended = 0
        self._level = 0
        self._first = 0
        self._last = 0
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in self._UNSEEN:
            self._unseen.append(tag)
        if tag == "br":
            self._parts.append("\n")
        elif tag not in self._INLINE:
            self.end_block()
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._level = int(tag[1])

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            # A page that forgets to end one inside ends it with the one around.
            del self._unseen[self._unseen.index(tag) :]
        if tag not in self._INLINE:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if len(data) > 1 and data[0] == "<":
            # What begins a tag or a comment that never ends: Python's parser reads to the end of the page for each.
            self._unended += 1
            if self._unended > MOST_UNENDED:
                raise ValueError(f"line {self.getpos()[0]} is no HTML: too many tags and comments have no end")
        if self._unseen or not data.strip():
            self._parts.append(" " if self._parts and not self._unseen else "")
            return
        line = self.getpos()[0]
        if not self._first:
            self._first = line + data[: len(data) - len(data.lstrip())].count("\n")
        self._last = line + data.rstrip().count("\n")
        self._parts.append(data.replace("\n", " "))

    def end_block(self) -> None:
        """Keep the text since the last block, if there is any."""
        text = _SPACES.sub(" ", "".join(self._parts)).strip()
        if text and self._first:
            self.found.append(Block(self._first, self._last, text, self._level))
        self._parts, self._first, self._level = [], 0, 0


_READERS: dict[str, Callable[[str], Iterator[Block]]] = {
    **dict.fromkeys(MARKDOWN, _markdown),
    **dict.fromkeys(HTML, _html),
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _table(","),
    ".tsv": _table("\t"),
}
