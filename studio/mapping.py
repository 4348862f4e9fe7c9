"""Which column of a file means what, and what its verdict codes mean: said by a person, kept as TOML."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from store.pairs import Verdict
from studio.atomic import write_private
from studio.errors import StudioError

FIELDS: dict[str, str] = {
    "prompt": "what the model is asked",
    "completion": "the answer to learn",
    "system": "what the model is told before the conversation",
    "messages": "a whole conversation, a list of turns",
    "chosen": "the better answer",
    "rejected": "the worse answer",
    "response_a": "the first of two answers",
    "response_b": "the second of two answers",
    "verdict": "which of the two answers is better",
    "author_a": "who or what gave the first answer",
    "author_b": "who or what gave the second answer",
    "label": "true or false: whether the completion is a good one",
    "tools": "the tools that the model may call",
}
"""What a column can be, with what that is."""

MEANINGS: dict[str, Verdict] = {
    **{verdict: verdict for verdict in get_args(Verdict)},
    "first": "left",
    "second": "right",
}
"""The words for what a verdict code means; left is the first answer."""

_SECTIONS = ("columns", "verdicts")


@dataclass(frozen=True)
class Mapping:
    """What a person said of a file's columns; only of its verdict codes where a format knows the columns."""

    columns: dict[str, str] = field(default_factory=dict)
    """The column of each field; a column may be a path such as `a.b` into nested ones."""
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """The meaning of each code."""

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            _check_field(name)
            if not column:
                raise StudioError(f"The field {name!r} is given no column.", "Name the column that holds it.")

    def check(self) -> None:
        """Make sure that the columns make an example.

        Raises:
            StudioError: they don't, or say the same thing twice.
        """
        named = set(self.columns)
        if not named & {"messages", "prompt", "completion"}:
            raise StudioError("The mapping names no prompt.", "Say which column it is: --map prompt=COLUMN.")
        for one, other in (("chosen", "rejected"), ("rejected", "chosen")):
            if one in named and other not in named:
                raise StudioError(f"The mapping names {one} but not {other}.", "Name both, or neither.")
        for one, other, why in _CONTRADICTIONS:
            if {one, other} <= named:
                raise StudioError(f"The mapping names {one} and {other}, but {why}.", "Leave one of them out.")
        for one, needed in _NEEDS.items():
            if one in named and not needed <= named:
                lacking = " and ".join(sorted(needed - named))
                raise StudioError(f"The mapping names {one} but not {lacking}.", f"Name {lacking} too.")

    def to_json(self) -> str:
        """Return the mapping as a source keeps it."""
        return json.dumps({"columns": self.columns, "verdicts": self.verdicts}, sort_keys=True)


def from_json(text: str) -> Mapping:
    """Return the mapping that a source kept."""
    return Mapping(**json.loads(text))


_CONTRADICTIONS = (
    ("chosen", "verdict", "chosen is the verdict"),
    ("chosen", "response_a", "chosen is one of the two answers"),
    ("chosen", "response_b", "chosen is one of the two answers"),
    ("chosen", "completion", "a row has one answer to learn or two to compare"),
    ("response_a", "completion", "a row has one answer to learn or two to compare"),
)

_NEEDS: dict[str, set[str]] = {
    "label": {"completion"},
    "verdict": {"response_a", "response_b"},
    "response_b": {"response_a"},
    "author_a": {"response_a"},
    "author_b": {"response_b"},
}


def read_options(maps: Iterable[str], verdicts: Iterable[str]) -> Mapping | None:
    """Return the mapping that `--map FIELD=COLUMN`, `--map FILE.toml` and `--verdict CODE=MEANING` say; later ones win.

    Raises:
        ValueError: an option is not of that form.
        StudioError: a field or a meaning is not known, or a file can't be read.
    """
    columns: dict[str, str] = {}
    codes: dict[str, Verdict] = {}
    for text in maps:
        name, sign, column = text.partition("=")
        if text.endswith(".toml") and name not in FIELDS:
            kept = load(Path(text))
            columns.update(kept.columns)
            codes.update(kept.verdicts)
        elif name and sign and column:
            columns[name] = column
        else:
            raise ValueError(f"--map takes FIELD=COLUMN or a FILE.toml, not {text!r}.")
    for text in verdicts:
        # A code may hold an equals sign, a meaning can't.
        code, sign, word = text.rpartition("=")
        if not (code and sign and word):
            raise ValueError(f"--verdict takes CODE=MEANING, not {text!r}; MEANING is {_listed(MEANINGS)}.")
        codes[code] = _meaning(code, word)
    return Mapping(columns, codes) if columns or codes else None


def load(path: Path) -> Mapping:
    """Read a mapping that was saved.

    Raises:
        StudioError: the file can't be read, is no TOML, or says something that is not known.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} is not valid TOML: {error}.", "Mend that place and try again.") from error
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror}.") from error
    unknown = next((name for name in tables if name not in _SECTIONS), None)
    if unknown is not None:
        raise StudioError(f"{path}: no mapping has a section [{unknown}].", "It has [columns] and [verdicts].")
    columns, verdicts = [_texts(path, section, tables.get(section, {})) for section in _SECTIONS]
    try:
        return Mapping(columns, {code: _meaning(code, word) for code, word in verdicts.items()})
    except StudioError as error:
        raise StudioError(f"{path}: {error.message}", error.hint) from error


def save(mapping: Mapping, path: Path) -> None:
    """Write a mapping, to be given again by `--map FILE.toml`.

    Raises:
        StudioError: the file can't be written, or would not be found as a mapping again.
    """
    if path.suffix != ".toml":
        raise StudioError(f"{path} does not end with .toml.", "A mapping is kept in a file that does.")
    import tomlkit

    document = tomlkit.document()
    # As plain texts, so that both sections are written alike.
    sections: dict[str, dict[str, str]] = {"columns": mapping.columns, "verdicts": {**mapping.verdicts}}
    for section, table in sections.items():
        if table:
            document[section] = table
    try:
        content = tomlkit.dumps(document).encode()
    except UnicodeEncodeError:
        raise StudioError(
            f"{path} can't be written: a column's name is no valid text.", "Rename the column in the file first."
        ) from None
    write_private(path, content)


def code_of(value: Any) -> str:
    """Return a verdict code as it is written in a mapping; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def meaning_of(code: str, verdicts: dict[str, Verdict]) -> Verdict | None:
    """Return what a code means: as it was said, or its own word where that can mean only one thing."""
    said = verdicts.get(code)
    return said if said is not None else MEANINGS.get(code)


def how_to_say(codes: Iterable[str]) -> str:
    """Return the options that would give each of these codes a meaning, as an example."""
    # Where there is a 0 beside other numbers it is more often a tie than the first answer.
    ordered = sorted(codes, key=lambda code: (code == "0", code))
    return " ".join(
        f"--verdict {code}={meaning}" for code, meaning in zip(ordered, get_args(Verdict), strict=False)
    ) + (" and so on" if len(ordered) > len(get_args(Verdict)) else "")


def _check_field(name: str) -> None:
    if name not in FIELDS:
        near = get_close_matches(name, FIELDS, 1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise StudioError(f"A mapping knows no field {name!r}.", f"{hint}It knows {_listed(FIELDS)}.")


def _meaning(code: str, word: str) -> Verdict:
    meaning = MEANINGS.get(word)
    if meaning is None:
        near = get_close_matches(word, MEANINGS, 1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise StudioError(f"The verdict code {code!r} can't mean {word!r}.", f"{hint}It can mean {_listed(MEANINGS)}.")
    return meaning


def _texts(path: Path, section: str, table: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise StudioError(f"{path}: {section} is no section.", f"Begin it with [{section}].")
    texts: dict[str, str] = {}
    for name, value in table.items():
        if not isinstance(value, str):
            raise StudioError(f"{path}: [{section}] {name} is not a text.", 'Write it in quotes: NAME = "TEXT".')
        texts[name] = value
    return texts


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
