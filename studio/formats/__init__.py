"""The data set shapes that are known, and which of them a file has."""

from dataclasses import dataclass
from importlib import import_module

from studio.errors import StudioError
from studio.formats.shape import Fields, Format, never

_FAMILIES = (
    "trl_sft",
    "trl_preference",
    "trl_unpaired",
    "openai",
    "alpaca",
    "sharegpt",
    "llamafactory",
    "llamafactory_v1",
    "axolotl",
    "anthropic_hh",
    "h2o",
    "swift",
    "label_studio",
    "argilla",
    "ultrafeedback",
    "distilabel",
    "judged",
    "alpaca_eval",
    "arena",
)
"""The modules that hold formats; a new one is a line here."""

FORMATS: tuple[Format, ...] = tuple(
    known for family in _FAMILIES for known in import_module(f"studio.formats.{family}").FORMATS
)
"""Every format. No two recognise the same rows, so their order decides nothing."""


@dataclass(frozen=True)
class FormatInfo:
    """What `studio formats` tells of a format."""

    name: str
    title: str
    reads: bool
    writes: bool


def describe() -> list[FormatInfo]:
    """Return every format with what can be done with it."""
    return [FormatInfo(f.name, f.title, f.detect is not never, f.kind is not None) for f in FORMATS]


def detect(sample: list[Fields]) -> Format | None:
    """Return the format of a file's first rows; None where no known shape fits, or more than one."""
    found = [f for f in FORMATS if f.detect(sample)]
    return found[0] if len(found) == 1 else None


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
