"""What a person may change: `studio.toml` in a project and `config.toml` for the user."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from studio.errors import StudioError

DEFAULT_MODEL = "smollm2"


@dataclass(frozen=True)
class TurnTemplate:
    """One turn that a template makes.

    `role` is system, user, assistant or tool and `content` a Jinja text over the record's fields;
    or `role` is messages and `content` names a field that holds a list of turns.
    """

    role: str
    content: str


@dataclass(frozen=True)
class ResponseTemplate:
    """One candidate completion that a template finds in a record; left out where `content` renders empty."""

    content: str
    author: str = ""


@dataclass(frozen=True)
class TemplateSettings:
    """How a record becomes an example, its responses and its verdict; every text is Jinja."""

    name: str = "plain"
    turns: tuple[TurnTemplate, ...] = ()
    responses: tuple[ResponseTemplate, ...] = ()
    verdict: str = ""
    """Renders to left, right, tie, both_bad, skip or nothing; left is the first response."""
    comment: str = ""
    rater: str = ""


@dataclass(frozen=True)
class SplitSettings:
    """The shares of the prompts that are held out; decided once for each prompt."""

    validation: float = 0.2
    test: float = 0.1
    seed: int = 1


@dataclass(frozen=True)
class Settings:
    """A project's settings."""

    name: str = ""
    model: str = DEFAULT_MODEL
    splits: SplitSettings = field(default_factory=SplitSettings)
    template: TemplateSettings | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


def read_settings(path: Path) -> Settings:
    """Read a project's `studio.toml`.

    Raises:
        StudioError: the file is absent, is no TOML, or has a key that is not known.
    """
    table = _read_toml(path)
    project = table.pop("project", {})
    template = table.pop("template", None)
    settings = Settings(
        splits=_build(SplitSettings, table.pop("splits", {}), path, "splits"),
        template=None if template is None else _template(template, path),
        keys=table.pop("keys", {}),
        **_known(Settings, project, path, "project", {"name", "model"}),
    )
    if table:
        raise StudioError(
            f"{path}: there is no section [{next(iter(table))}].",
            "Known are project, splits, template, keys.",
        )
    return settings


def _template(table: dict[str, Any], path: Path) -> TemplateSettings:
    turns = tuple(_build(TurnTemplate, t, path, "template.turns") for t in table.pop("turns", []))
    responses = tuple(_build(ResponseTemplate, t, path, "template.responses") for t in table.pop("responses", []))
    rest = _known(TemplateSettings, table, path, "template", {"name", "verdict", "comment", "rater"})
    return TemplateSettings(turns=turns, responses=responses, **rest)


def _build(kind: type[Any], table: dict[str, Any], path: Path, section: str) -> Any:
    known = _known(kind, table, path, section, {f.name for f in fields(kind)})
    try:
        return kind(**known)
    except TypeError as error:
        raise StudioError(f"{path}: [{section}] is not complete: {error}.") from error


def _known(kind: type[Any], table: dict[str, Any], path: Path, section: str, names: set[str]) -> dict[str, Any]:
    types = {f.name: type(f.default) for f in fields(kind) if f.name in names}
    for key, value in table.items():
        if key not in names:
            raise StudioError(f"{path}: [{section}] has no setting {key!r}.", f"It knows {', '.join(sorted(names))}.")
        wanted = types[key]
        if wanted in (str, float, int) and not isinstance(value, (float, int) if wanted is float else wanted):
            raise StudioError(f"{path}: {section}.{key} must be a {wanted.__name__}, not {value!r}.")
    return table


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudioError(f"{path} is not there.", "A project has one; `studio new` makes it.") from None
    except tomllib.TOMLDecodeError as error:
        raise StudioError(f"{path} is not valid TOML: {error}.", "Mend that line and try again.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} can't be read: {error}.") from error
