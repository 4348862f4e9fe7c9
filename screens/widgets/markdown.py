"""Markdown for the eye: what models write, parsed so that no words are lost and no time either."""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.table import Table

if TYPE_CHECKING:
    from markdown_it.token import Token

DEEPEST = 16
"""Levels; what is nested deeper than 20 the parser leaves out, and each of them takes columns away."""

COLUMNS_A_LEVEL = 4
COLUMNS_A_CELL = 6
"""Of the screen, that there must be at least."""

AS_WRITTEN = ["html_block", "html_inline", "image", "reference"]
"""What would not be seen, such as tags and addresses, is shown as it was written."""


class _FoldedTable(TableElement):
    """A table whose cells are wrapped, where Rich cuts long words off."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            for column in part.columns if isinstance(part, Table) else ():
                column.overflow = "fold"
            yield part


class _Markdown(Markdown):
    """Rich's, of a text that was parsed already."""

    elements = {**Markdown.elements, "table_open": _FoldedTable}


def markdown_of(text: str, width: int, *, dark: bool) -> Markdown | None:
    """Return a text to be rendered at a width; None where it is nested too deep for that."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").disable(AS_WRITTEN)
    tokens = parser.enable("table").parse(text) if "|" in text else parser.parse(text)
    if _most_cells(tokens) * COLUMNS_A_CELL > width:
        tokens = parser.disable("table").parse(text)
    if max((token.level for token in tokens), default=0) > min(DEEPEST, width // COLUMNS_A_LEVEL):
        return None
    markdown = _Markdown("", code_theme="ansi_dark" if dark else "ansi_light", hyperlinks=False)
    markdown.parsed = tokens
    return markdown


def _most_cells(tokens: Iterable["Token"]) -> int:
    """Return how many columns the widest table has."""
    heads = (token.type for token in tokens if token.type in ("th_open", "thead_open"))
    return max((sum(1 for _ in run) for kind, run in groupby(heads) if kind == "th_open"), default=0)
