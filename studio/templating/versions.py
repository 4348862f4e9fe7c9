"""The versions of a project's templates: each text that was saved or used, numbered in the order they were made."""

import difflib
import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

from store import templates as stored
from store.database import Store
from store.templates import StoredTemplate
from studio.errors import StudioError
from studio.settings import FewShot, FewShotTurn, ResponseTemplate, TemplateSettings, TurnTemplate
from studio.settings_file import item
from studio.templating.saving import values_of

_FIRST_FIELDS = ("name", "turns", "responses", "verdict", "comment", "rater")
"""What every body has; the rest only where it says something, so that the same template keeps its id."""


@dataclass(frozen=True)
class Version:
    """A template as it was saved or used."""

    id: int
    name: str
    number: int
    created_at: str
    template: TemplateSettings

    def __str__(self) -> str:
        return f"{self.name} version {self.number}"


def save(store: Store, template: TemplateSettings) -> Version:
    """Keep a template; one that says the same as an earlier version is that version."""
    name = template.name.encode(errors="replace").decode()
    return _version(stored.get(store, stored.add(store, name, body_of(template))))


def of_project(store: Store) -> list[Version]:
    """Return all versions, the newest first."""
    return [_version(template) for template in stored.everything(store)]


def get(store: Store, template_id: int) -> Version:
    """Return the version of this id.

    Raises:
        MissingRowError: there is none.
    """
    return _version(stored.get(store, template_id))


def named(store: Store, text: str) -> Version:
    """Return the version that a person means: `NAME:NUMBER`, `NUMBER` where all have one name, `NAME` for its newest.

    Raises:
        StudioError: there is none.
    """
    versions = of_project(store)
    name, _, number = text.rpartition(":") if text.rpartition(":")[2].isdecimal() else (text, "", "")
    found = [v for v in versions if (not name or v.name == name) and (not number or v.number == int(number))]
    if not found and text.isdecimal():
        found = [v for v in versions if v.number == int(text)]
    if not found:
        known = ", ".join(f"{v.name}:{v.number}" for v in versions) or "none yet"
        raise StudioError(f"There is no template version {text!r}.", f"Known are {known}.")
    if len({version.name for version in found}) > 1:
        raise StudioError(f"{text!r} can be several templates.", f"Say {found[0].name}:{found[0].number} for one.")
    return found[0]


def difference(old: TemplateSettings, new: TemplateSettings) -> list[str]:
    """Return the lines of both templates as a unified diff, without its header; empty where they say the same."""
    # A file of the same name may have said another thing then: what it said is compared.
    before, after = (as_toml(replace(t, tools_file="", schema_file="")).splitlines() for t in (old, new))
    return list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]


def as_toml(template: TemplateSettings) -> str:
    """Return a template as `studio.toml` has it, for reading."""
    import tomlkit

    document = tomlkit.document()
    document["template"] = {name: item(value) for name, value in values_of(template).items()}
    return tomlkit.dumps(document)


def body_of(template: TemplateSettings) -> str:
    """Return a template as the store keeps it."""
    said = {k: v for k, v in asdict(template).items() if v or k in _FIRST_FIELDS}
    said["responses"] = [{k: v for k, v in r.items() if v or k != "label"} for r in said["responses"]]
    return json.dumps(said)


@lru_cache(maxsize=64)
def from_body(body: str) -> TemplateSettings:
    """Return the template that the store kept."""
    table = json.loads(body)
    turns = tuple(TurnTemplate(**turn) for turn in table.pop("turns"))
    responses = tuple(ResponseTemplate(**response) for response in table.pop("responses"))
    few_shot = tuple(
        FewShot(tuple(FewShotTurn(**turn) for turn in shown["turns"]), shown["example"])
        for shown in table.pop("few_shot", ())
    )
    return TemplateSettings(turns=turns, responses=responses, few_shot=few_shot, **table)


def _version(template: StoredTemplate) -> Version:
    return Version(template.id, template.name, template.number, template.created_at, from_body(template.body))
