"""What a user prefers in every project: `config.toml` where the platform keeps settings."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.errors import StudioError


@dataclass(frozen=True)
class Preferences:
    """The colours and the changed keys of a user."""

    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


def preferences_file() -> Path:
    """Return where the user's `config.toml` is, whether it exists or not."""
    from platformdirs import user_config_path

    return user_config_path("tuning-studio") / "config.toml"


def read_preferences(path: Path | None = None) -> Preferences:
    """Read the user's preferences; an absent file means none.

    Raises:
        StudioError: the file is no TOML, or has a setting that is not known.
    """
    path = path or preferences_file()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Preferences()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise StudioError(f"{path} can't be read: {error}.", "Mend it or move it away.") from error
    for name in table:
        if name not in ("theme", "keys"):
            raise StudioError(f"{path}: there is no setting {name!r}.", "It knows theme and [keys].")
    if not all(isinstance(key, str) for key in table.get("keys", {}).values()):
        raise StudioError(f"{path}: [keys] gives each name a text.", 'For example "item.flag" = "f".')
    return Preferences(str(table.get("theme", "")), table.get("keys", {}))


def save_theme(theme: str, path: Path | None = None) -> None:
    """Keep the theme for the next session, leaving the rest of the file as its owner wrote it."""
    import tomlkit

    path = path or preferences_file()
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    if document.get("theme") == theme:
        return
    document["theme"] = theme
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(tomlkit.dumps(document), encoding="utf-8")
    part.replace(path)
