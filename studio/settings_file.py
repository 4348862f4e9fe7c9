"""Changing a project's `studio.toml` for a person: their comments, order and blank lines stay."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.atomic import write_private
from studio.errors import StudioError


def change(path: Path, section: str, values: Mapping[str, Any]) -> None:
    """Set keys of a section, and take out those whose value is None.

    Raises:
        StudioError: the file can't be read or written, or is no TOML.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} can't be read: {error}.") from error
    except TOMLKitError as error:
        raise StudioError(f"{path} is not valid TOML: {error}.", "Mend that line and try again.") from error
    if section not in document:
        document[section] = tomlkit.table()
    table: Any = document[section]
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    write_private(path, tomlkit.dumps(document).encode())
