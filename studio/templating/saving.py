"""Writing a template into `studio.toml`, where later imports find it; the rest of the file stays as it is."""

from dataclasses import asdict, replace
from typing import Any

from studio.atomic import write_private
from studio.errors import StudioError
from studio.project import Project
from studio.settings import TemplateSettings

_TEXTS = ("name", "system", "verdict", "comment", "rater", "tools", "tools_file", "schema", "schema_file")
_LISTS = ("turns", "responses", "few_shot")


def save_in_settings(project: Project, template: TemplateSettings) -> Project:
    """Make a template the project's own; return the project as it is then.

    Raises:
        StudioError: the file can't be read or written, or is no TOML.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = project.folder / "studio.toml"
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} can't be read: {error}.") from error
    except TOMLKitError as error:
        raise StudioError(f"{path} is not valid TOML: {error}.", "Mend that line and try again.") from error
    if "template" not in document:
        document["template"] = tomlkit.table()
    _put_all(document["template"], values_of(template))
    write_private(path, tomlkit.dumps(document).encode())
    return replace(project, settings=replace(project.settings, template=template))


def values_of(template: TemplateSettings) -> dict[str, Any]:
    """Return what a template says, in the order in which it is written; what is empty is left out."""
    values: dict[str, Any] = {name: getattr(template, name) for name in _TEXTS if getattr(template, name)}
    for name in ("tools", "schema"):
        # The file says it.
        if f"{name}_file" in values:
            values.pop(name, None)
    values["turns"] = [asdict(turn) for turn in template.turns]
    values["responses"] = [
        {name: text for name, text in asdict(r).items() if text or name == "content"} for r in template.responses
    ]
    values["few_shot"] = [
        {
            **({"example": shown.example} if shown.example else {}),
            "turns": [asdict(turn) for turn in shown.turns],
        }
        for shown in template.few_shot
    ]
    return {name: _item(value) for name, value in values.items() if value}


def _put_all(table: Any, values: dict[str, Any]) -> None:
    """Change what differs, so that a person's comments stay with what is as it was."""
    for name in (*_TEXTS, *_LISTS):
        if name not in values:
            table.pop(name, None)
        elif name not in table:
            table[name] = values[name]
        elif isinstance(values[name], list) and _is_tables(table[name]):
            _put_list(table[name], values[name])
        elif _plain(table[name]) != _plain(values[name]):
            table[name] = values[name]


def _put_list(tables: Any, values: Any) -> None:
    for old, new in zip(tables, values, strict=False):
        for key in [key for key in old if key not in new]:
            del old[key]
        for key, value in new.items():
            if key not in old or _plain(old[key]) != _plain(value):
                old[key] = value
    while len(tables) > len(values):
        del tables[len(tables) - 1]
    for value in values[len(tables) :]:
        tables.append(value)


def _is_tables(value: Any) -> bool:
    from tomlkit.items import AoT

    return isinstance(value, AoT)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _item(value: Any) -> Any:
    """Return a value as TOML writes it: texts of several lines as such, lists of objects as sections."""
    import tomlkit

    if isinstance(value, str):
        return tomlkit.string(value, multiline=_reads_better_in_lines(value))
    if isinstance(value, int):
        return tomlkit.item(value)
    tables = tomlkit.aot()
    for one in value:
        table = tomlkit.table()
        for name, inner in one.items():
            table[name] = _item(inner)
        tables.append(table)
    return tables


def _reads_better_in_lines(text: str) -> bool:
    return "\n" in text and not text.startswith("\n") and "\r" not in text
