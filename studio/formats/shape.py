"""What a data set format is: how its rows are recognised, read and written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from studio.formats.row import PreferenceRow, Row, SftRow

Fields = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """One shape of rows. A format that is not written has no `write_sft` and no `write_preference`."""

    name: str
    title: str
    detect: Callable[[list[Fields]], bool]
    """Whether the first rows of a file look like this shape."""
    read: Callable[[Fields], Row]
    """What a row means; raises RowError with the reason where it breaks the shape's promise."""
    write_sft: Callable[[SftRow], Fields] | None = None
    write_preference: Callable[[PreferenceRow], Fields] | None = None
    """The row in this shape; raises RowError where the shape can't say it."""
    note: str = ""
    """What a person who gets the exported file should know."""

    @property
    def kind(self) -> Literal["sft", "preference"] | None:
        """What is written in this shape; None where it is only read."""
        return "sft" if self.write_sft else "preference" if self.write_preference else None

    def write(self, row: SftRow | PreferenceRow) -> Fields:
        """Return a row in this shape.

        Raises:
            RowError: the shape can't say this row.
            TypeError: the format is not one of that kind of rows.
        """
        if isinstance(row, SftRow) and self.write_sft:
            return self.write_sft(row)
        if isinstance(row, PreferenceRow) and self.write_preference:
            return self.write_preference(row)
        raise TypeError(f"{self.name} does not write a {type(row).__name__}")


def every_row(sample: list[Fields], holds: Callable[[Fields], bool]) -> bool:
    """Tell whether most rows of a sample hold what a shape asks for; a few may be spoilt."""
    return bool(sample) and sum(map(holds, sample)) > 0.8 * len(sample)


def some_row(sample: list[Fields], holds: Callable[[Fields], bool]) -> bool:
    """Tell whether at least one row of a sample holds something."""
    return any(map(holds, sample))
