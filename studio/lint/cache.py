"""On what findings rest besides the rows: the code of the checks, the settings and the model."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from studio.errors import StudioError
from studio.lint import registry, rows
from studio.lint.check import Context
from studio.lint.options import OPTIONS

if TYPE_CHECKING:
    from studio.models import BaseModel
    from studio.project import Project
    from studio.rendering import ChatTokenizer


def options_of(project: "Project") -> dict[str, Any]:
    """Return what checks are told: `[lint]` with its defaults, and the JSON schema itself.

    Raises:
        StudioError: a check that is off is none, or the schema can't be read.
    """
    options = dict(project.settings.lint)
    for name in options["off"]:
        if not registry.is_known(name):
            raise StudioError(
                f"{project.folder / 'studio.toml'}: lint.off names {name!r}, which is no check.",
                "`studio lint --list` names them all.",
            )
    options["schema"] = _schema(project, options["schema"])
    return options


def context(project: "Project", *, with_tokenizer: bool) -> Context:
    """Return what checks are told besides the data; without a tokenizer where it is not needed or not prepared.

    Raises:
        StudioError: see `options_of`.
    """
    options = options_of(project)
    return Context(_tokenizer(project) if with_tokenizer else None, options["max_length"], options)


def basis(project: "Project") -> str:
    """Return a text that is another one where examples must be looked at again although they are the same.

    Raises:
        StudioError: see `options_of`.
    """
    options = options_of(project)
    of_rows = {name: value for name, value in options.items() if not OPTIONS[name].only_of_sets}
    of_rows["off"] = sorted(set(options["off"]) & {each.check.name for each in rows.CHECKS})
    told = json.dumps([of_rows, _model(project)], sort_keys=True)
    return hashlib.blake2b(_code("rows") + told.encode(), digest_size=16).hexdigest()


def sum_of(besides: list[Any], told: Context) -> str:
    """Return a text that is another one where all examples together may be found otherwise by what is noted of them."""
    text = json.dumps([besides, told.max_length, told.options], sort_keys=True)
    return hashlib.blake2b(_code("sets") + text.encode(), digest_size=16).hexdigest()


def _code(package: Literal["rows", "sets"]) -> bytes:
    """Return the hash of all that looks at examples: nobody has to remember to count a version up."""
    folder = Path(__file__).parent
    alone = ("features.py", "subjects.py") if package == "rows" else ("noted.py",)
    files = [*sorted((folder / package).glob("*.py")), *(folder / name for name in alone)]
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.digest()


def _schema(project: "Project", name: str) -> Any:
    template = project.settings.template
    if not name:
        name, text = "[template] schema", template.schema if template else ""
    else:
        try:
            text = (project.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            where = project.folder / name
            raise StudioError(
                f"The JSON schema {where} can't be read: {error}.", "Correct lint.schema in studio.toml."
            ) from error
    try:
        return json.loads(text) if text.strip() else None
    except ValueError as error:
        raise StudioError(f"The JSON schema {name} is no JSON: {error}.", "Mend the file and try again.") from error


def _model(project: "Project") -> list[Any]:
    """Return what the tokenizer is known by, without loading it."""
    from studio import models
    from studio.chat_templates import chosen

    model = _prepared(project)
    if model is None:
        return []
    sizes = [(model.folder / name).stat() for name in models.TOKENIZER_FILES]
    template = chosen(project, model)
    files = [[each.st_size, each.st_mtime_ns] for each in sizes]
    return [str(model.folder), files, template.text if template else None]


def _tokenizer(project: "Project") -> "ChatTokenizer | None":
    from studio.chat_templates import chosen
    from studio.rendering import load_tokenizer

    model = _prepared(project)
    if model is None:
        return None
    try:
        template = chosen(project, model)
        return load_tokenizer(model.folder, template.text if template else None)
    except StudioError:
        # A base model without a chat template: what needs one is not looked for.
        return None


def _prepared(project: "Project") -> "BaseModel | None":
    from studio import models

    try:
        model = models.resolve(project.settings.model)
    except StudioError:
        return None
    return model if models.has_tokenizer(model) else None
