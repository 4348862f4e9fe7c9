"""Other models, chat templates and template versions to look at an example through, beside the project's own."""

from pathlib import Path

from store import records, runs
from store.database import Store
from store.errors import MissingRowError
from store.examples import Example
from studio import models, templates
from studio.chat_templates import check
from studio.errors import StudioError
from studio.formats.row import Row, RowError
from studio.packaged import installed
from studio.preview import Preview, Seen, see
from studio.project import Project
from studio.rendering import ChatTokenizer, load_tokenizer
from studio.retrieval.lookup import Lookup
from studio.templating import versions
from studio.templating.versions import Version
from studio.training.folder import RunFolder

OWN_TEMPLATE = "the model's own template"
"""The name under which a project that has a template of its own can look through its model's."""

TEMPLATE_ENDINGS = (".jinja", ".j2", ".jinja2")
"""A file that ends so is a chat template for the project's model."""


_VERSION = "template "
"""Begins the name of a version of the template that examples are made with."""


def lenses(project: Project, store: Store) -> list[str]:
    """Return what is here to compare with: the model's own chat template, template versions, runs, packaged models."""
    own = [OWN_TEMPLATE] if project.settings.chat_template else []
    with_tokenizer = [r.id for r in runs.all_runs(store) if RunFolder(project.runs / r.id).chat_template.is_file()]
    made_by = [f"{_VERSION}{version.name}:{version.number}" for version in versions.of_project(store)]
    return own + made_by + with_tokenizer + [name for name in installed() if name != project.settings.model]


def look_through(project: Project, store: Store, name: str, example: Example) -> Seen:
    """Render an example under a name: one of `lenses`, a model's folder, a GGUF file, or a file with a chat template.

    Raises:
        StudioError: there is no such thing, it can't be read, or it refuses the example.
    """
    if name.startswith(_VERSION):
        made = _made_by(store, versions.named(store, name.removeprefix(_VERSION)), example)
        return Preview(project).render(made.messages, made.tools)
    return see(_tokenizer(project, store, name), example.messages, example.tools)


def _made_by(store: Store, version: Version, example: Example) -> Row:
    record = None if example.record_id is None else records.get(store, example.record_id)
    if record is None or record.fields is None:
        raise StudioError(f"Example {example.id} was not made from a record, so no template makes it anew.")
    try:
        with Lookup(store) as lookup:
            return templates.apply(version.template, record.fields, lookup)
    except RowError as error:
        raise StudioError(f"{version} can't be applied to {record.source}:{record.line}: {error}.") from error


def _tokenizer(project: Project, store: Store, name: str) -> ChatTokenizer:
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
