"""A look at a file before it is imported: its columns, what is in them, and what they may mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from studio import containers, formats, templates
from studio.containers import Layout
from studio.containers.row import kind_of
from studio.errors import StudioError
from studio.fields import field_of
from studio.formats.row import RowError
from studio.formats.shape import Format
from studio.guessing import guess
from studio.mapped_rows import is_turns
from studio.mapping import Mapping, code_of
from studio.project import Project
from studio.reading import Fields, codes_of_column, codes_of_format, first_rows

SAMPLES_SHOWN = 3
MOST_VALUES = 20
"""A column with more different values has no codes."""

LONGEST_VALUE = 40
MOST_COLUMNS = 200
DEEPEST = 3
MOST_ITEMS = 4
"""Lists of so few texts are offered item by item."""


@dataclass(frozen=True)
class ColumnLook:
    """A column of a file, or a field inside one."""

    path: str
    kind: str
    """text, number, true or false, list, object, turns, nothing, or mixed."""
    missing: int
    """Rows of the sample in which it is absent or null."""
    samples: tuple[str, ...]
    """Some of its different values, cut, as text or JSON."""
    values: tuple[str, ...] = ()
    """All its different values as codes, where they are few and short."""


@dataclass(frozen=True)
class FileLook:
    """What the first rows of a file show."""

    path: Path
    layout: Layout
    sample: tuple[Fields, ...]
    rows: int
    """Rows that were looked at, those that can't be read too."""
    columns: tuple[ColumnLook, ...]
    format: Format | None
    """The shape that was recognised."""
    by_template: bool
    """Whether the project's own template reads the rows."""
    guess: Mapping
    """What the columns may mean; empty where a shape or a template says it."""
    codes: tuple[str, ...]
    """The verdict codes of the recognised shape that only a person can explain."""

    @property
    def is_unclear(self) -> bool:
        """Whether a person has to say something before the rows become examples."""
        return not self.by_template and (self.format is None or bool(self.codes))

    def codes_for(self, mapping: Mapping) -> tuple[str, ...]:
        """Return the verdict codes that need a meaning when the columns are mapped so."""
        if not mapping.columns:
            return self.codes
        column = mapping.columns.get("verdict")
        return tuple(codes_of_column(column, self.sample)) if column else ()


def examine(project: Project, path: Path) -> FileLook:
    """Look at the first rows of a file; reads no more than those.

    Raises:
        StudioError: the file can't be read, or has no row that can.
    """
    layout = containers.sniff(path)
    rows = first_rows(containers.read(path, layout))
    sample = [row.fields for row in rows if row.fields is not None]
    if not sample:
        reason = next((f" ({path}:{row.line}: {row.error})" for row in rows if row.error), "")
        raise StudioError(f"{path} has no row that can be read{reason}.", "Look at the file in an editor.")
    own = project.settings.template
    by_template = bool(own and templates.fits(own, sample))
    shape = None if by_template else formats.detect(sample)
    columns = columns_of(sample)
    guessed = Mapping() if shape or by_template else Mapping(guess(columns))
    codes = codes_of_format(shape, sample) if shape else []
    return FileLook(path, layout, tuple(sample), len(rows), columns, shape, by_template, guessed, tuple(codes))


def columns_of(sample: list[Fields]) -> tuple[ColumnLook, ...]:
    """Return what the columns of some rows hold, nested fields after those that hold them."""
    paths = dict.fromkeys(path for fields in sample for path in _paths(fields))
    return tuple(_look(path, sample) for path in islice(paths, MOST_COLUMNS))


def _paths(fields: Fields, before: str = "", depth: int = 1) -> Iterator[str]:
    for name, value in fields.items():
        path = before + name
        yield path
        if depth < DEEPEST and isinstance(value, dict):
            yield from _paths(value, f"{path}.", depth + 1)
        elif isinstance(value, list) and 1 < len(value) <= MOST_ITEMS and all(isinstance(v, str) for v in value):
            yield from (f"{path}.{number}" for number in range(len(value)))


def _look(path: str, sample: list[Fields]) -> ColumnLook:
    found = [value for fields in sample if (value := _value(fields, path)) is not None]
    kinds = {_kind(value) for value in found}
    kind = "nothing" if not kinds else kinds.pop() if len(kinds) == 1 else "mixed"
    texts = list(dict.fromkeys(_shown(value) for value in found if value not in ("", [], {})))
    return ColumnLook(path, kind, len(sample) - len(found), tuple(texts[:SAMPLES_SHOWN]), _codes(found))


def _value(fields: Fields, path: str) -> Any:
    try:
        return field_of(fields, path)
    except RowError:
        return None


def _kind(value: Any) -> str:
    if is_turns(value):
        return "turns"
    return kind_of(value).removeprefix("an ").removeprefix("a ")


def _codes(values: list[Any]) -> tuple[str, ...]:
    """Return the different values, if they may be codes: few, short, and coming again."""
    if any(isinstance(value, (list, dict)) for value in values):
        return ()
    codes = {code_of(value) for value in values} - {""}
    if len(codes) > min(MOST_VALUES, len(values) // 2) or any(len(code) > LONGEST_VALUE for code in codes):
        return ()
    return tuple(sorted(codes))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else code_of(value)
    return text if len(text) <= 400 else f"{text[:400]}\N{HORIZONTAL ELLIPSIS}"
