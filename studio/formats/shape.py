"""What a data set format is: how its rows are recognised, read and written."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from studio.formats.row import LabelledRow, PreferenceRow, Row, SftRow

Fields = dict[str, Any]


@dataclass(frozen=True)
class Companion:
    """A file that a tool needs beside an exported one: how it is called, and its text."""

    name: str
    text: str


class MakesCompanion(Protocol):
    """Gives the companion of an exported file."""

    def __call__(self, file_name: str, columns: Collection[str] | None = None, /) -> Companion:
        """Return it, given the file's name and the columns that its rows have (None: all that the shape knows)."""


@dataclass(frozen=True)
class Format:
    """One shape of rows. A format without any `write_` function is only read."""

    name: str
    title: str
    detect: Callable[[list[Fields]], bool]
    """Whether the first rows of a file look like this shape, and like no other."""
    read: Callable[[Fields], Row]
    """What a row means; raises RowError with the reason where it breaks the shape's promise."""
    write_sft: Callable[[SftRow], Fields] | None = None
    write_preference: Callable[[PreferenceRow], Fields] | None = None
    write_labelled: Callable[[LabelledRow], Fields] | None = None
    """The row in this shape; raises RowError where the shape can't say it."""
    holds_messages: bool = False
    """Whether what `write_preference` returns holds the messages themselves, and would with any other texts."""
    note: str = ""
    """What a person who gets the exported file should know."""
    companion: MakesCompanion | None = None
    """What the tool that the shape is for needs beside the exported file."""
    coded: bool = False
    """Whether the judgements are numbers that only the user can give a meaning to."""

    @property
    def kind(self) -> Literal["sft", "preference"] | None:
        """What is written in this shape; None where it is only read."""
        return "sft" if self.write_sft else "preference" if self.write_preference or self.write_labelled else None

    def write(self, row: SftRow | PreferenceRow | LabelledRow) -> list[Fields]:
        """Return the rows that say this in this shape; a pair makes two where each row holds one labelled answer.

        Raises:
            RowError: the shape can't say it.
            TypeError: the format is not one of that kind of rows.
        """
        if isinstance(row, SftRow):
            if self.write_sft:
                return [self.write_sft(row)]
        elif isinstance(row, PreferenceRow) and self.write_preference:
            return [self.write_preference(_unweighted(row))]
        elif self.write_labelled:
            return [self.write_labelled(_unweighted(answer)) for answer in _labelled(row)]
        raise TypeError(f"{self.name} does not write a {type(row).__name__}")


def _labelled(row: PreferenceRow | LabelledRow) -> list[LabelledRow]:
    if isinstance(row, LabelledRow):
        return [row]
    return [
        LabelledRow(row.prompt, row.chosen, True, row.tools),
        LabelledRow(row.prompt, row.rejected, False, row.tools),
    ]


_Answered = TypeVar("_Answered", PreferenceRow, LabelledRow)


def _unweighted(row: _Answered) -> _Answered:
    """Return a row whose prompt has no weights: where an answer stands on its own, its prompt is never learnt."""
    for message in row.prompt:
        if "weight" in message:
            break
    else:
        return row
    return row._replace(prompt=[{k: v for k, v in message.items() if k != "weight"} for message in row.prompt])


def every_row(sample: list[Fields], holds: Callable[[Fields], bool]) -> bool:
    """Tell whether most rows of a sample hold what a shape asks for; a few may be spoilt."""
    return bool(sample) and sum(map(holds, sample)) > 0.8 * len(sample)


def are_texts(fields: Fields, *keys: str) -> bool:
    """Tell whether all these columns are there and hold texts."""
    return all(isinstance(fields.get(key), str) for key in keys)


def has_any(fields: Fields, *keys: str) -> bool:
    """Tell whether one of these columns holds something; tables have every column in every row."""
    return any(fields.get(key) is not None for key in keys)


def never(sample: list[Fields]) -> bool:  # noqa: ARG001
    """Recognise nothing: for a variant that is only written, whose rows another format knows and reads."""
    return False
