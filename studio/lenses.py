"""Other models and chat templates to look at an example through, beside the project's own."""

from pathlib import Path

from store import runs
from store.database import Store
from store.errors import MissingRowError
from studio import models
from studio.chat_templates import check
from studio.errors import StudioError
from studio.project import Project
from studio.rendering import ChatTokenizer, load_tokenizer
from studio.training.folder import RunFolder

OWN_TEMPLATE = "the model's own template"
"""The name under which a project that has a template of its own can look through its model's."""

TEMPLATE_ENDINGS = (".jinja", ".j2", ".jinja2")
"""A file that ends so is a chat template for the project's model."""


def lenses(project: Project, store: Store) -> list[str]:
    """Return the names of what is here to compare with: the model's own template, the runs, the packaged models."""
    own = [OWN_TEMPLATE] if project.settings.chat_template else []
    with_tokenizer = [r.id for r in runs.all_runs(store) if RunFolder(project.runs / r.id).chat_template.is_file()]
    return own + with_tokenizer + [name for name in models.PACKAGED if name != project.settings.model]


def lens(project: Project, store: Store, name: str) -> ChatTokenizer:
    """Return what renders under a name: one of `lenses`, a model's folder, a GGUF file, or a file with a template.

    Raises:
        StudioError: there is no such thing, or it can't be read.
    """
    if name == OWN_TEMPLATE:
        return load_tokenizer(_prepared(project.settings.model))
    if Path(name).suffix in TEMPLATE_ENDINGS:
        return load_tokenizer(_prepared(project.settings.model), _read(Path(name).expanduser()))
    try:
        return load_tokenizer(RunFolder(project.runs / runs.get(store, name).id).tokenizer)
    except MissingRowError:
        return load_tokenizer(_prepared(name))


def _prepared(name: str) -> Path:
    model = models.resolve(name)
    models.prepare(model, "tokenizer")
    return model.folder


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} can't be read as a chat template: {error}.") from error
    check(text)
    return text
