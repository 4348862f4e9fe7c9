"""CSV and its kin (tabs, semicolons, bars), with cells that may span lines."""

import csv
from collections import Counter
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

from studio.containers.row import NOT_UTF8, RawRow, as_bytes_if_broken

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_ROWS = 50
LONGEST_CELL = 2**31 - 1
MOST = 0.5
"""The share of the first rows that must have as many cells as the header."""


def read(path: Path) -> Iterator[RawRow]:
    """Yield each row after the header with the lines that it stands on."""
    csv.field_size_limit(LONGEST_CELL)
    delimiter = delimiter_of(path)
    with _opened(path) as file:
        table = _Table(file, delimiter)
        header: list[str] | None = None
        for line, raw, cells, error in table:
            if header is None and not error:
                header = _names(cells)
                continue
            yield _row(line, raw, cells, error, header or [])


def delimiter_of(path: Path) -> str:
    """Return the character between cells: the one that cuts most rows into the same number of cells."""
    return max(DELIMITERS, key=lambda d: _fitness(*_agreement(path, d)))


def looks_like_table(path: Path) -> bool:
    """Tell whether most rows have as many cells as the header."""
    agreeing, columns = _agreement(path, delimiter_of(path))
    if columns > 1:
        return agreeing > MOST
    with _opened(path) as file:
        header = next((line.strip().strip('"') for line in file if line.strip()), "")
    # A single column is a table only where its first line reads like a name, not like prose.
    return agreeing == 1 and bool(header) and header.replace("_", "").isalnum()


def _agreement(path: Path, delimiter: str) -> tuple[float, int]:
    csv.field_size_limit(LONGEST_CELL)
    with _opened(path) as file:
        rows = [cells for _, _, cells, error in _first(_Table(file, delimiter), SAMPLE_ROWS) if not error]
    if not rows:
        return 0.0, 0
    columns = len(rows[0])
    return sum(len(cells) == columns for cells in rows) / len(rows), columns


def _fitness(agreeing: float, columns: int) -> tuple[bool, float, int]:
    return columns > 1 and agreeing > MOST, agreeing, columns


def _first(table: "_Table", count: int) -> Iterator[tuple[int, str, list[str], str | None]]:
    for _, row in zip(range(count), table, strict=False):
        yield row


def _opened(path: Path) -> TextIOWrapper:
    # newline="" leaves line ends as they are; bytes that are no UTF-8 survive as lone surrogates.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _names(cells: list[str]) -> list[str]:
    """Return column names that are neither empty nor the same."""
    seen: Counter[str] = Counter()
    names = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"column {number}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return names


def _row(line: int, raw: str, cells: list[str], error: str | None, header: list[str]) -> RawRow:
    kept = as_bytes_if_broken(raw)
    if isinstance(kept, bytes):
        return RawRow(line, kept, error=NOT_UTF8)
    if error:
        return RawRow(line, kept, error=error)
    if len(cells) != len(header):
        return RawRow(line, kept, error=f"has {len(cells)} cells where the header has {len(header)}")
    return RawRow(line, kept, dict(zip(header, cells, strict=True)))


class _Table:
    """Rows of a CSV file with the text that each was read from."""

    def __init__(self, file: TextIOWrapper, delimiter: str) -> None:
        self._file = iter(file)
        self._delimiter = delimiter
        self._again: list[str] = []
        self._taken: list[str] = []
        self._line = 0

    def __iter__(self) -> Iterator[tuple[int, str, list[str], str | None]]:
        reader = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
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
                    error = "has a quotation mark that is never closed"
                    self._give_back()
                    reader = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
            if cells or error:
                yield first, "".join(self._taken).rstrip("\r\n"), cells, error

    def _lines(self) -> Iterator[str]:
        while True:
            line = self._again.pop() if self._again else next(self._file, None)
            if line is None:
                return
            self._line += 1
            self._taken.append(line)
            yield line

    def _give_back(self) -> None:
        """Keep only the first line of a row that swallowed the rest of the file; the rest is read anew."""
        self._line -= len(self._taken) - 1
        self._again = self._taken[:0:-1] + self._again
        self._taken = self._taken[:1]
