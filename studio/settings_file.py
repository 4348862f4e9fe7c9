"""Changing a project's `studio.toml` for a person: their comments, order and blank lines stay."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.atomic import write_private
from studio.errors import StudioError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def change(path: Path, section: str, values: Mapping[str, Any]) -> None:
    """Set keys of a section, and take out those whose value is None; what says the same already stays as it is.

    A list of tables becomes sections, a text of several lines is written as such.

    Raises:
        StudioError: the file can't be read or written, is no TOML, or a text is none that TOML can hold.
    """
    import tomlkit

    with _changed(path, section) as document:
        if section not in document:
            document[section] = tomlkit.table()
        _put_all(document[section], _items(values))


def change_named(path: Path, section: str, name: str, values: Mapping[str, Any] | None) -> None:
    """Set keys of that table of a list whose `name` it is, add it where there is none, or with None take it out.

    Raises:
        StudioError: as for `change`.
    """
    import tomlkit

    with _changed(path, section) as document:
        tables = document.setdefault(section, tomlkit.aot())
        # Readers of names leave out the spaces around them.
        at = next((n for n, table in enumerate(tables) if str(_plain(table).get("name", "")).strip() == name), None)
        if values is None:
            if at is not None:
                del tables[at]
        elif at is not None:
            _put_all(tables[at], _items(values))
        else:
            # A list that a person wrote in one line goes on in it.
            table = tomlkit.table() if _is_tables(tables) else tomlkit.inline_table()
            _put_all(table, _items(values))
            tables.append(table)


@contextmanager
def _changed(path: Path, section: str) -> "Iterator[TOMLDocument]":
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} can't be read: {error}.") from error
    except TOMLKitError as error:
        raise StudioError(f"{path} is not valid TOML: {error}.", "Mend that line and try again.") from error
    yield document
    try:
        content = tomlkit.dumps(document).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise StudioError(
            f"{path} can't say this: half of a character (U+{ord(half):04X}) stands in [{section}].",
            "Take it out, or write U+FFFD in its place.",
        ) from error
    write_private(path, content)


def _items(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else item(value) for name, value in values.items()}


def item(value: Any) -> Any:
    """Return a value as TOML writes it: texts of several lines as such, lists of objects as sections."""
    import tomlkit

    if isinstance(value, str):
        return tomlkit.string(value, multiline=_reads_better_in_lines(value))
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        return tomlkit.item(value)
    tables = tomlkit.aot()
    for one in value:
        table = tomlkit.table()
        for name, inner in one.items():
            table[name] = item(inner)
        tables.append(table)
    return tables


def _put_all(table: Any, values: Mapping[str, Any]) -> None:
    """Change what differs, so that a person's comments stay with what is as it was."""
    for name, value in values.items():
        if value is None:
            table.pop(name, None)
        elif name in table and _is_tables(table[name]) and _is_tables(value):
            _put_tables(table[name], value)
        elif name not in table or _plain(table[name]) != _plain(value):
            table[name] = value


def _put_tables(tables: Any, values: Any) -> None:
    for old, new in zip(tables, values, strict=False):
        _put_all(old, {**dict.fromkeys(key for key in old if key not in new), **new})
    while len(tables) > len(values):
        del tables[len(tables) - 1]
    for value in values[len(tables) :]:
        tables.append(value)


def _is_tables(value: Any) -> bool:
    from tomlkit.items import AoT

    return isinstance(value, AoT)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _reads_better_in_lines(text: str) -> bool:
    return "\n" in text and not text.startswith("\n") and "\r" not in text
