"""What a person may change: `studio.toml` in a project and `config.toml` for the user."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from studio.assistant import settings as assistant_settings
from studio.assistant.settings import AssistantSettings
from studio.checks import settings as check_settings
from studio.checks.settings import Check
from studio.errors import StudioError
from studio.labelling import task_settings
from studio.labelling.task_settings import Task
from studio.lint import options
from studio.retrieval import settings as document_settings
from studio.retrieval.settings import DocumentSettings

DEFAULT_MODEL = "smollm2"


@dataclass(frozen=True)
class TurnTemplate:
    """One turn that a template makes.

    `role` is system, user, assistant or tool and `content` a Jinja text over the record's fields;
    or `role` is messages and `content` names a field that holds a list of turns; or prompt, for those of
    them before the answer.
    """

    role: str
    content: str


@dataclass(frozen=True)
class ResponseTemplate:
    """One candidate completion that a template finds in a record; left out where `content` renders empty."""

    content: str
    author: str = ""
    label: str = ""
    """Renders to true or false where the row says by itself that it is good or bad, else to nothing."""


@dataclass(frozen=True)
class FewShotTurn:
    """One turn of a few-shot example; its content is taken as it is."""

    role: str
    content: str


@dataclass(frozen=True)
class FewShot:
    """A conversation that shows the model how to answer; put before the prompt, by value."""

    turns: tuple[FewShotTurn, ...]
    example: int = 0
    """The example that it was taken from; 0 where it was written by hand."""


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
    system: str = ""
    """The system turn; takes the place of one that the record brings."""
    few_shot: tuple[FewShot, ...] = ()
    tools: str = ""
    """JSON list of the tools that the model may call, or Jinja that renders to one."""
    tools_file: str = ""
    """The file in the project's folder that `tools` was read from."""
    schema: str = ""
    """JSON schema that every answer must fit."""
    schema_file: str = ""
    """The file in the project's folder that `schema` was read from."""
    examples_for: str = ""
    """Renders to a question: the approved examples nearest to it are shown to the model before the prompt."""
    examples: int = 0
    """How many; 3 where only `examples_for` is said."""


@dataclass(frozen=True)
class SplitSettings:
    """The shares of the prompts that are held out; decided once for each prompt."""

    validation: float = 0.2
    test: float = 0.1
    seed: int = 1


@dataclass(frozen=True)
class GenerateSettings:
    """Where replies may be asked for besides the models of this machine."""

    endpoint: str = ""
    """The address of an OpenAI-compatible service, such as https://HOST/v1; empty: none is ever asked."""
    endpoint_key: str = ""
    """The environment variable that holds its key."""


@dataclass(frozen=True)
class TrainSettings:
    """How the project's runs share the machine."""

    at_once: int = 1
    """Runs that train side by side; others wait."""


@dataclass(frozen=True)
class Settings:
    """A project's settings."""

    name: str = ""
    model: str = DEFAULT_MODEL
    chat_template: str = ""
    """A file in the project's folder that takes the place of the model's own chat template."""
    splits: SplitSettings = field(default_factory=SplitSettings)
    template: TemplateSettings | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    lint: Mapping[str, Any] = field(default_factory=options.defaults)
    """Every option of `studio.lint.options`."""
    generate: GenerateSettings = field(default_factory=GenerateSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    tasks: tuple[Task, ...] = ()
    """The queues of pairs to judge; without any there is one of all pairs."""
    checks: tuple[Check, ...] = ()
    """What an answer must be like, for learning by trying."""
    assistant: AssistantSettings = field(default_factory=AssistantSettings)
    """What the project's assistant is for; its system prompt."""
    documents: DocumentSettings = field(default_factory=DocumentSettings)
    """Which documents are looked up, and how what is found is put before a question."""


def read_settings(path: Path) -> Settings:
    """Read a project's `studio.toml`.

    Raises:
        StudioError: the file is absent, is no TOML, or has a key that is not known.
    """
    table = _read_toml(path)
    project = table.pop("project", {})
    template = table.pop("template", None)
    checks = check_settings.read(table.pop("checks", []), str(path))
    settings = Settings(
        splits=_splits(table.pop("splits", {}), path),
        template=None if template is None else _template(template, path),
        keys=_keys(table.pop("keys", {}), path),
        lint=options.complete(_checked_table(table.pop("lint", {}), path, "lint"), str(path)),
        generate=_build(GenerateSettings, table.pop("generate", {}), path, "generate"),
        train=_train(table.pop("train", {}), path),
        tasks=task_settings.read(table.pop("tasks", []), str(path)),
        checks=checks,
        assistant=assistant_settings.read(table.pop("assistant", {}), str(path), checks),
        documents=document_settings.read(table.pop("documents", {}), str(path)),
        **_known(Settings, project, path, "project", {"name", "model", "chat_template"}),
    )
    if table:
        raise StudioError(
            f"{path}: there is no section [{next(iter(table))}].",
            "Known are project, splits, template, keys, lint, generate, train, tasks, checks, assistant, documents.",
        )
    return settings


def _splits(table: Any, path: Path) -> SplitSettings:
    splits: SplitSettings = _build(SplitSettings, table, path, "splits")
    held_out = (splits.validation, splits.test, splits.validation + splits.test)
    if not all(0 <= share <= 1 for share in held_out):
        raise StudioError(
            f"{path}: splits.validation and splits.test must be shares from 0 to 1, and 1 at most together.",
            "The rest is for training.",
        )
    return splits


def _train(table: Any, path: Path) -> TrainSettings:
    train: TrainSettings = _build(TrainSettings, table, path, "train")
    if train.at_once < 1:
        raise StudioError(f"{path}: train.at_once must be 1 or more, not {train.at_once}.", "1 is the default.")
    return train


def _keys(table: Any, path: Path) -> dict[str, str]:
    keys = _checked_table(table, path, "keys")
    for name, key in keys.items():
        _check_type(key, str, path, f"keys.{name}")
    return keys


def _template(table: Any, path: Path) -> TemplateSettings:
    rest = dict(_checked_table(table, path, "template"))
    turns = _build_all(TurnTemplate, rest.pop("turns", []), path, "template.turns")
    responses = _build_all(ResponseTemplate, rest.pop("responses", []), path, "template.responses")
    few_shot = tuple(_few_shot(one, path) for one in _list_of_tables(rest.pop("few_shot", []), path, _FEW_SHOT))
    known = _known(TemplateSettings, rest, path, "template", _TEMPLATE_TEXTS)
    for name in ("tools", "schema"):
        if file := known.get(f"{name}_file"):
            if known.get(name):
                raise StudioError(f"{path}: [template] has both {name} and {name}_file.", "Leave one of them out.")
            known[name] = _text_beside(path, file, f"template.{name}_file")
    return TemplateSettings(turns=turns, responses=responses, few_shot=few_shot, **known)


_FEW_SHOT = "template.few_shot"
_FILES = ("tools", "tools_file", "schema", "schema_file")
_TEMPLATE_TEXTS = {"name", "verdict", "comment", "rater", "system", *_FILES, "examples_for", "examples"}


def _few_shot(table: Any, path: Path) -> FewShot:
    rest = dict(_checked_table(table, path, _FEW_SHOT))
    turns = _build_all(FewShotTurn, rest.pop("turns", []), path, f"{_FEW_SHOT}.turns")
    if not turns:
        raise StudioError(f"{path}: an example of {_FEW_SHOT} has no turns.", "Give each one turns, or leave it out.")
    return FewShot(turns, **_known(FewShot, rest, path, _FEW_SHOT, {"example"}))


def _text_beside(path: Path, name: str, setting: str) -> str:
    try:
        return (path.parent / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise StudioError(f"{path}: {setting} names {name}, which can't be read: {why}.") from error


def _build_all(kind: type[Any], tables: Any, path: Path, section: str) -> tuple[Any, ...]:
    return tuple(_build(kind, table, path, section) for table in _list_of_tables(tables, path, section))


def _list_of_tables(tables: Any, path: Path, section: str) -> list[Any]:
    if not isinstance(tables, list):
        raise StudioError(f"{path}: {section} must be a list of tables.", f"Begin each with [[{section}]].")
    return tables


def _build(kind: type[Any], table: Any, path: Path, section: str) -> Any:
    known = _known(kind, table, path, section, {f.name for f in fields(kind)})
    try:
        return kind(**known)
    except TypeError as error:
        raise StudioError(f"{path}: [{section}] is not complete: {error}.") from error


def _known(kind: type[Any], table: Any, path: Path, section: str, names: set[str]) -> dict[str, Any]:
    types = {f.name: f.type for f in fields(kind)}
    checked = _checked_table(table, path, section)
    for key, value in checked.items():
        if key not in names:
            raise StudioError(f"{path}: [{section}] has no setting {key!r}.", f"It knows {', '.join(sorted(names))}.")
        _check_type(value, types[key], path, f"{section}.{key}")
    return checked


def _checked_table(table: Any, path: Path, section: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise StudioError(f"{path}: {section} must be a table, not {table!r}.", f"Begin it with [{section}].")
    return table


def _check_type(value: Any, wanted: Any, path: Path, name: str) -> None:
    accepted = (int, float) if wanted is float else wanted
    if isinstance(value, bool) or not isinstance(value, accepted):
        words = {str: "a text", int: "a whole number", float: "a number"}
        raise StudioError(f"{path}: {name} must be {words[wanted]}, not {value!r}.")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudioError(f"{path} is not there.", "A project has one; `studio new` makes it.") from None
    except tomllib.TOMLDecodeError as error:
        raise StudioError(f"{path} is not valid TOML: {error}.", "Mend that line and try again.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} can't be read: {error}.") from error
