"""A project: a folder with a database, settings, runs and exports."""

import getpass
import os
from dataclasses import dataclass
from pathlib import Path

from store.database import Store, create_store, open_store
from store.errors import StoreError
from store.upgrade import OnUpgrade, silently
from studio.errors import StudioError
from studio.settings import DEFAULT_MODEL, Settings, read_settings

SETTINGS_TEMPLATE = """\
# Settings of this project, for a person to edit. docs/settings.md lists them all.

[project]
name = {name}
model = "{model}"       # smollm2, a Hugging Face folder, or a GGUF file

[splits]                # shares of the prompts; a prompt that has a split keeps it
validation = 0.2
test = 0.1
seed = 1
"""


@dataclass(frozen=True)
class Project:
    """An existing project folder."""

    folder: Path
    settings: Settings

    @property
    def database(self) -> Path:
        """The file that holds everything the user made."""
        return self.folder / "studio.db"

    @property
    def runs(self) -> Path:
        """The folder of the training runs."""
        return self.folder / "runs"

    @property
    def exports(self) -> Path:
        """The folder where exports go unless told otherwise."""
        return self.folder / "exports"

    @property
    def rater(self) -> str:
        """The name that verdicts given here are signed with: TUNING_STUDIO_RATER, or the user's of this machine."""
        if named := os.environ.get("TUNING_STUDIO_RATER", "").strip():
            return named
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "user"

    def open_store(self, on_upgrade: OnUpgrade = silently) -> Store:
        """Open the project's database.

        Raises:
            StudioError: the file is absent, damaged, or of a newer version.
        """
        try:
            return open_store(self.database, on_upgrade)
        except StoreError as error:
            raise StudioError(str(error)) from error


def is_project(folder: Path) -> bool:
    """Tell whether a folder holds a project."""
    return (folder / "studio.db").is_file() and (folder / "studio.toml").is_file()


def open_project(folder: Path) -> Project:
    """Open an existing project.

    Raises:
        StudioError: the folder is no project, or its settings can't be read.
    """
    if not is_project(folder):
        raise StudioError(
            f"{folder} is not a Tuning Studio project.",
            f"Make one with `studio new {folder}` or `studio demo`, or name another with --project.",
        )
    return Project(folder, read_settings(folder / "studio.toml"))


def create_project(folder: Path, settings_text: str | None = None) -> Project:
    """Make an empty project; the folder may exist but must hold no project.

    Raises:
        StudioError: there is a project already, or the folder can't be written.
    """
    if (folder / "studio.db").exists():
        raise StudioError(f"{folder} holds a project already.", f"Open it with `studio {folder}`.")
    text = settings_text or _first_settings(folder.resolve().name)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("runs", "exports"):
            (folder / name).mkdir(exist_ok=True, mode=0o700)
        settings_file = folder / "studio.toml"
        # A making that was broken off, or a person, may have left settings there.
        if not settings_file.exists():
            settings_file.touch(mode=0o600)
            settings_file.write_text(text, encoding="utf-8")
        elif settings_text is not None and settings_file.read_bytes() != settings_text.encode():
            raise StudioError(f"{settings_file} holds other settings.", "Move it away, or name another folder.")
        _create_store(folder / "studio.db")
    except OSError as error:
        raise StudioError(f"{folder} can't be made into a project: {error.strerror}.") from error
    except StoreError as error:
        raise StudioError(str(error)) from error
    return open_project(folder)


def _first_settings(name: str) -> str:
    import tomlkit

    # A folder may be named with any bytes; those that are no text become question marks.
    shown = name.encode(errors="replace").decode()
    return SETTINGS_TEMPLATE.format(name=tomlkit.string(shown).as_string(), model=DEFAULT_MODEL)


def _create_store(path: Path) -> None:
    # Made beside its place and moved there whole: a project has its database or is none.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    create_store(part).close()
    part.rename(path)
