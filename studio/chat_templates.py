"""Which chat template is used and where it comes from: the model's own, or one that the project puts in its place."""

import json
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from studio.atomic import write_private
from studio.errors import StudioError
from studio.models import BaseModel
from studio.named_templates import together
from studio.project import Project
from studio.settings_file import change

FILE = "chat_template.jinja"
"""The name of a template beside a tokenizer, and of a project's own."""

OTHERS = "additional_chat_templates"
"""The folder of further templates beside a tokenizer, as transformers writes it."""


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template's text, and where it was found."""

    text: str
    origin: str
    """In words: "the GGUF model.gguf", "chat_template.jinja of the project"."""


def own_template(folder: Path) -> str | None:
    """Return the template that lies beside a tokenizer: in files of its own, or as a part of its configuration.

    Of several named ones the two are meant that transformers takes by itself, as one text.

    Raises:
        OSError: the folder can't be read.
        ValueError: its configuration is no JSON.
    """
    files = {"default": folder / FILE, "tool_use": folder / OTHERS / "tool_use.jinja"}
    named = {name: file.read_text(encoding="utf-8") for name, file in files.items() if file.is_file()}
    return together(named or _configured(folder))


def _configured(folder: Path) -> dict[str, str]:
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    found = config.get("chat_template")
    if isinstance(found, list):
        named = {str(each.get("name")): each.get("template") for each in found if isinstance(each, dict)}
    else:
        named = {"default": found}
    return {name: text for name, text in named.items() if isinstance(text, str)}


def of_model(model: BaseModel) -> ChatTemplate | None:
    """Return the template that came with a model whose tokenizer is prepared; None where it came without.

    Raises:
        StudioError: its files can't be read.
    """
    try:
        text = own_template(model.folder)
        is_file = (model.folder / FILE).is_file()
    except (OSError, ValueError) as error:
        raise StudioError(f"The tokenizer in {model.folder} can't be read: {error}.") from error
    if text is None:
        return None
    if model.kind == "gguf":
        return ChatTemplate(text, f"the GGUF {model.source.name}")
    return ChatTemplate(text, f"{FILE if is_file else 'tokenizer_config.json'} in {model.folder}")


def override_of(project: Project) -> ChatTemplate | None:
    """Return the template that the project puts in the place of its model's own; None where it uses that.

    Raises:
        StudioError: the file that studio.toml names can't be read.
    """
    name = project.settings.chat_template
    if not name:
        return None
    path = project.folder / name
    try:
        return ChatTemplate(path.read_text(encoding="utf-8"), f"{name} of the project")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise StudioError(
            f"{path}, which chat_template in studio.toml names, can't be read: {reason}.",
            "Put the file back, or take that line out to use the model's own template.",
        ) from error


def chosen(project: Project, model: BaseModel) -> ChatTemplate | None:
    """Return the template that conversations are rendered with; None where there is none.

    Raises:
        StudioError: a file can't be read.
    """
    return override_of(project) or of_model(model)


def set_override(project: Project, text: str) -> Project:
    """Put a template in the place of the model's own; return the project as it is then.

    It is written over the one in use; one that is not, or lies outside the project, stays as it is.

    Raises:
        StudioError: it is not valid Jinja (with the line), or it can't be written.
    """
    check(text)
    name = _file_for(project, text)
    write_private(project.folder / name, text.encode())
    return _with(project, name)


def clear_override(project: Project) -> Project:
    """Use the model's own template again; the file stays. Return the project as it is then.

    Raises:
        StudioError: the settings can't be written.
    """
    return _with(project, "")


def check(text: str) -> None:
    """Refuse what is no template.

    Raises:
        StudioError: it is not valid Jinja; the message names the line.
    """
    from jinja2 import TemplateSyntaxError

    from studio.chat_template import compiled

    if not text.strip():
        raise StudioError("An empty chat template would make nothing of every conversation.")
    if not _is_utf8(text):
        raise StudioError("The chat template holds half of a character, which no file can.", "Take it out.")
    try:
        compiled(text)
    except TemplateSyntaxError as error:
        raise StudioError(
            f"Line {error.lineno} of the chat template is not valid Jinja: {error.message}.", "Mend it and try again."
        ) from error


def _file_for(project: Project, text: str) -> str:
    """Return the name of the file to write an override into: the one in use, or one that takes no other's place."""
    used = project.settings.chat_template
    folder = project.folder.resolve()
    if used and (folder / used).resolve().is_relative_to(folder) and _text_of(folder / used) is not None:
        return used
    stem, _, ending = FILE.partition(".")
    names = chain([FILE], (f"{stem}-{number}.{ending}" for number in count(2)))
    return next(name for name in names if not (folder / name).exists() or _text_of(folder / name) == text)


def _text_of(path: Path) -> str | None:
    """Return a file's text, empty where there is no file; None where it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _with(project: Project, name: str) -> Project:
    change(project.folder / "studio.toml", "project", {"chat_template": name or None})
    return replace(project, settings=replace(project.settings, chat_template=name))
