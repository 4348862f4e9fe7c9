"""Writing a template into `studio.toml`, where later imports find it; the rest of the file stays as it is."""

from dataclasses import asdict, replace
from typing import Any

from studio.project import Project
from studio.settings import TemplateSettings
from studio.settings_file import change

_TEXTS = ("name", "system", "verdict", "comment", "rater", "tools", "tools_file", "schema", "schema_file")
_NEAR = ("examples_for", "examples")
_LISTS = ("turns", "responses", "few_shot")
_IN_FILES = ("tools", "schema")
"""Texts that may stand in a file of their own."""


def save_in_settings(project: Project, template: TemplateSettings) -> Project:
    """Make a template the project's own; return the project as it is then.

    Raises:
        StudioError: the file can't be read or written, is no TOML, or a text is none that TOML can hold.
    """
    template = _without_other_files(project, template)
    values = values_of(template)
    change(project.folder / "studio.toml", "template", {name: values.get(name) for name in (*_TEXTS, *_NEAR, *_LISTS)})
    return replace(project, settings=replace(project.settings, template=template))


def values_of(template: TemplateSettings) -> dict[str, Any]:
    """Return what a template says, in the order in which it is written; what is empty is left out."""
    values: dict[str, Any] = {name: getattr(template, name) for name in (*_TEXTS, *_NEAR)}
    for name in _IN_FILES:
        # The file says it.
        if values[f"{name}_file"]:
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
    return {name: value for name, value in values.items() if value}


def _without_other_files(project: Project, template: TemplateSettings) -> TemplateSettings:
    """Return a template that names only files that say now what it says: of an older version they may not."""
    if not _says(project, template.tools_file, template.tools):
        template = replace(template, tools_file="")
    if not _says(project, template.schema_file, template.schema):
        template = replace(template, schema_file="")
    return template


def _says(project: Project, file: str, text: str) -> bool:
    try:
        return bool(file) and (project.folder / file).read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False
