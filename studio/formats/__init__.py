"""The data set shapes that are known, and which of them a file has."""

from dataclasses import dataclass

from studio.errors import StudioError
from studio.formats import alpaca, llamafactory, openai, sharegpt, trl_preference, trl_sft
from studio.formats.shape import Fields, Format

FORMATS: tuple[Format, ...] = (
    trl_sft.MESSAGES,
    trl_sft.COMPLETION,
    trl_sft.TEXT,
    trl_preference.EXPLICIT,
    trl_preference.IMPLICIT,
    trl_preference.UNPAIRED,
    openai.CHAT,
    openai.PREFERENCE,
    alpaca.ALPACA,
    sharegpt.SHAREGPT,
    llamafactory.RANKING,
    alpaca.RANKING,
    llamafactory.KTO,
)

_MOST_TELLING_FIRST = (
    openai.PREFERENCE,
    llamafactory.RANKING,
    trl_preference.EXPLICIT,
    alpaca.RANKING,
    trl_preference.IMPLICIT,
    trl_preference.UNPAIRED,
    llamafactory.KTO,
    sharegpt.SHAREGPT,
    openai.CHAT,
    trl_sft.MESSAGES,
    alpaca.ALPACA,
    trl_sft.COMPLETION,
    trl_sft.TEXT,
)


@dataclass(frozen=True)
class FormatInfo:
    """What `studio formats` tells of a format."""

    name: str
    title: str
    reads: bool
    writes: bool


def describe() -> list[FormatInfo]:
    """Return every format with what can be done with it."""
    return [FormatInfo(f.name, f.title, True, f.kind is not None) for f in FORMATS]


def detect(sample: list[Fields]) -> Format | None:
    """Return the format of a file's first rows; None where no known shape fits."""
    return next((f for f in _MOST_TELLING_FIRST if f.detect(sample)), None)


def to_read(name: str) -> Format:
    """Return the format of that name.

    Raises:
        StudioError: there is none.
    """
    return _named(name, FORMATS, "read")


def to_write(name: str) -> Format:
    """Return the format of that name, which can be written.

    Raises:
        StudioError: there is none, or it is only read.
    """
    return _named(name, tuple(f for f in FORMATS if f.kind), "written")


def _named(name: str, known: tuple[Format, ...], done: str) -> Format:
    found = next((f for f in known if f.name == name), None)
    if found is None:
        names = ", ".join(f.name for f in known)
        raise StudioError(f"There is no format {name!r} that can be {done}.", f"Known are {names}.")
    return found
