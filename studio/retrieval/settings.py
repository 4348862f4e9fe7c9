"""What `[documents]` in studio.toml may say."""

from dataclasses import dataclass, fields
from typing import Any

from studio.errors import StudioError

INSERTION = """\
{% if passages -%}
Use these passages where they help. Say so if they do not hold the answer.

{% for passage in passages -%}
[{{ loop.index }}] {{ passage.file }}, lines {{ passage.lines }}
{{ passage.text }}

{% endfor -%}
Question: {% endif %}{{ question }}"""
"""How passages are put before a question, unless a project says otherwise."""

MOST_PASSAGES = 50
SMALLEST, LARGEST = 100, 20_000


@dataclass(frozen=True)
class DocumentSettings:
    """Which documents are looked up, and how what is found is put before a question."""

    folders: tuple[str, ...] = ()
    """In the project's folder, or absolute; files too."""
    passages: int = 4
    """How many are put before a question."""
    size: int = 1_200
    """Characters of a passage, at most."""
    embedding: str = ""
    """A GGUF file that embeds texts; empty: only words are looked for."""
    template: str = INSERTION
    """Jinja over `question` and `passages`, each of which has `file`, `lines`, `heading` and `text`."""


def read(table: Any, where: str) -> DocumentSettings:
    """Return the settings of a table.

    Args:
        table: what the file has under `documents`.
        where: the file, for errors.

    Raises:
        StudioError: a setting is not known, or says what none can say.
    """
    if not isinstance(table, dict):
        raise StudioError(f"{where}: documents must be a table, not {table!r}.", "Begin it with [documents].")
    known = {field.name for field in fields(DocumentSettings)}
    for name in table:
        if name not in known:
            raise StudioError(f"{where}: [documents] has no setting {name!r}.", f"It knows {', '.join(sorted(known))}.")
    said = dict(table)
    if "folders" in said:
        said["folders"] = _folders(said["folders"], where)
    for name, least, most in (("passages", 1, MOST_PASSAGES), ("size", SMALLEST, LARGEST)):
        value = said.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise StudioError(f"{where}: documents.{name} must be a whole number from {least} to {most:,}.")
    for name in ("embedding", "template"):
        if not isinstance(said.get(name, ""), str):
            raise StudioError(f"{where}: documents.{name} must be a text.")
    return DocumentSettings(**said)


def _folders(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise StudioError(f"{where}: documents.folders must be a list of folders.", 'For one: folders = ["documents"].')
    return tuple(value)
