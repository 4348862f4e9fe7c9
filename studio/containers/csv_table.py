"""CSV and its kin (tabs, semicolons, bars), with cells that may span lines."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice

from studio.containers.opened import Source
from studio.containers.row import RawRow, distinct

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_ROWS = 50
LONGEST_CELL = 2**31 - 1
LONGEST_ROW = 64 * 2**20
"""Characters of a row of many lines; a quotation mark that swallows more was never closed."""
MOST = 0.5
"""The share of the first rows that must have as many cells as the header."""
UNCLOSED = "has a quotation mark that is never closed"

_BROKEN = re.compile("[\ud800-\udfff]")


def read(source: Source, head: str) -> Iterator[RawRow]:
    """Yield each row after the header with the lines that it stands on; `head` is the start of the text."""
    csv.field_size_limit(LONGEST_CELL)
    table = _Table(source.text(""), delimiter_of(head), source)
    header: list[str] | None = None
    for line, raw, cells, error in table:
        if header is None and not error:
            header = distinct(_BROKEN.sub("\ufffd", name) for name in cells)
            continue
        yield _row(source, line, raw, cells, error, header or [])


def delimiter_of(head: str, *, whole: bool = True) -> str:
    """Return the character between cells: the one that cuts most rows into the same number of cells."""
    return max(DELIMITERS, key=lambda d: _fitness(*_agreement(head, d, whole=whole)))


def looks_like_table(head: str, *, whole: bool) -> bool:
    """Tell whether most rows have as many cells as the header."""
    delimiter = delimiter_of(head, whole=whole)
    agreeing, columns = _agreement(head, delimiter, whole=whole)
    header = next((line.strip().strip('"') for line in StringIO(head) if line.strip()), "")
    if columns > 1:
        # Lines of prose may have one comma each, but a header does not end like a sentence.
        return agreeing > MOST and not (delimiter == "," and header.endswith((".", "!")))
    # A single column is a table only where its first line reads like a name, not like prose.
    return agreeing == 1 and bool(header) and header.replace("_", "").isalnum()


def _agreement(head: str, delimiter: str, *, whole: bool) -> tuple[float, int]:
    csv.field_size_limit(LONGEST_CELL)
    rows = [cells for _, _, cells, _ in islice(_Table(StringIO(head, newline=""), delimiter), SAMPLE_ROWS)]
    if not whole and 1 < len(rows) < SAMPLE_ROWS:
        del rows[-1]
    # A row that is no valid CSV has no cells, and speaks against the delimiter.
    columns = next((len(cells) for cells in rows if cells), 0)
    return (sum(len(cells) == columns for cells in rows) / len(rows), columns) if columns else (0.0, 0)


def _fitness(agreeing: float, columns: int) -> tuple[bool, float, int]:
    return columns > 1 and agreeing > MOST, agreeing, columns


def _row(source: Source, line: int, raw: str, cells: list[str], error: str | None, header: list[str]) -> RawRow:
    kept = source.kept(raw)
    if isinstance(kept, bytes):
        return RawRow(line, kept, error=source.not_valid)
    if error:
        return RawRow(line, kept, error=error)
    if len(cells) != len(header):
        return RawRow(line, kept, error=f"has {len(cells)} cells where the header has {len(header)}")
    return RawRow(line, kept, dict(zip(header, cells, strict=True)))


class _Table:
    """Rows of a CSV text with the lines that each was read from."""

    def __init__(self, lines: Iterable[str], delimiter: str, source: Source | None = None) -> None:
        self._lines_left = iter(lines)
        self._delimiter = delimiter
        self._source = source
        self._again: list[str] = []
        self._taken: list[str] = []
        self._line = 0

    def __iter__(self) -> Iterator[tuple[int, str, list[str], str | None]]:
        reader = self._reader()
        while True:
            first = self._line + 1
            self._taken = []
            try:
                cells, error = next(reader), None
            except StopIteration:
                return
            except csv.Error as fault:
                cells, error = [], f"is not valid CSV: {fault}"
                if "unexpected end of data" in str(fault):
                    error = UNCLOSED
                    if not (self._source and self._source.damage):
                        self._give_back()
                    reader = self._reader()
            if cells or error:
                yield first, _without_line_end("".join(self._taken)), cells, error

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self._delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        size = 0
        while True:
            size = size + len(self._taken[-1]) if self._taken else 0
            if size > LONGEST_ROW and len(self._taken) > 1:
                return
            line = self._again.pop() if self._again else next(self._lines_left, None)
            if line is None:
                return
            self._line += 1
            self._taken.append(line)
            yield line

    def _give_back(self) -> None:
        """Keep only the first line of a row that swallowed what follows; the rest is read anew."""
        self._line -= len(self._taken) - 1
        self._again = self._taken[:0:-1] + self._again
        self._taken = self._taken[:1]


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
