"""Where in a template's text something stands: Jinja itself says only the line."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from studio.templating.sandbox import environment

if TYPE_CHECKING:
    from jinja2 import nodes


class Place(NamedTuple):
    """A line and a column, both from 1; 0 where it is not known."""

    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return ""
        return f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"


def of_syntax_error(text: str, line: int | None) -> Place:
    """Return the place of what Jinja's parser stumbles over; the line that it says where it can't be worked out."""
    from jinja2 import TemplateSyntaxError

    text = _with_plain_line_ends(text)
    try:
        tree = _tree(text)
    except _Unreadable as error:
        return _at(text, error.offset)
    except TemplateSyntaxError as error:
        # In this parse lines count characters, from 1.
        return _at(text, error.lineno - 1)
    offset = next((offset for offset in _unknown_names(tree)), None)
    return Place(line or 0) if offset is None else _at(text, offset)


UNKNOWN = Place()


@lru_cache(maxsize=256)
def of_name(text: str, name: str, line: int = 0) -> Place:
    """Return where a template reads a variable or an attribute of this name, on a line where that is known."""
    from jinja2 import TemplateSyntaxError, nodes

    text = _with_plain_line_ends(text)
    try:
        tree = _tree(text)
    except (TemplateSyntaxError, _Unreadable):
        return Place(line)
    variables = (n.lineno - 1 for n in tree.find_all(nodes.Name) if n.name == name and n.ctx == "load")
    # Of an attribute the parser notes where what has it begins.
    attributes = (text.find(name, n.lineno - 1) for n in tree.find_all(nodes.Getattr) if n.attr == name)
    items = (
        text.find(name, n.lineno - 1)
        for n in tree.find_all(nodes.Getitem)
        if isinstance(n.arg, nodes.Const) and n.arg.value == name
    )
    found = sorted(_at(text, offset) for offset in (*variables, *attributes, *items) if offset >= 0)
    return next((place for place in found if not line or place.line == line), Place(line))


def of_expression(text: str, line: int) -> Place:
    """Return where the only expression or statement of a line begins; the line alone where it has several."""
    lines = _with_plain_line_ends(text).split("\n")
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    starts = [here.find(sign) for sign in ("{{", "{%") if sign in here]
    is_only_one = here.count("{{") + here.count("{%") == 1
    return Place(line, starts[0] + 1) if is_only_one else Place(line)


class _Unreadable(Exception):
    """The lexer finds no token at this offset."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def _tree(text: str) -> "nodes.Template":
    """Return a template's syntax tree, in which each line number is an offset into the text, plus 1."""
    from jinja2.environment import Environment
    from jinja2.lexer import TokenStream
    from jinja2.parser import Parser

    class Placing(Environment):
        """Numbers tokens by their offset in the place of their line."""

        def _tokenize(
            self,
            source: str,
            name: str | None,
            filename: str | None = None,
            state: str | None = None,  # noqa: ARG002
        ) -> TokenStream:
            return TokenStream(self.lexer.wrap(_placed(source), name, filename), name, filename)

    return Parser(Placing(), text).parse()


def _placed(text: str) -> Iterator[tuple[int, str, str]]:
    from jinja2 import TemplateSyntaxError

    offset = 0
    try:
        for _, kind, value in environment().lexer.tokeniter(text, None):
            # What a minus sign at a tag strips is left out of the tokens.
            offset = max(text.find(value, offset), offset)
            yield offset + 1, kind, value
            offset += len(value)
    except TemplateSyntaxError:
        raise _Unreadable(min(offset, len(text) - 1)) from None


def _unknown_names(tree: Any) -> Iterator[int]:
    from jinja2 import nodes

    jinja = environment()
    for kind, known in ((nodes.Filter, jinja.filters), (nodes.Test, jinja.tests)):
        for node in tree.find_all(kind):
            if node.name not in known:
                yield node.lineno - 1


def _at(text: str, offset: int) -> Place:
    before = text[: max(offset, 0)]
    return Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
