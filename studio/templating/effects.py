"""What a template would do to one record: nothing, make its example, restate it, or meet an edit of a person."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from store.examples import Example
from store.records import Record
from studio import templates
from studio.formats.row import Row, RowError
from studio.settings import TemplateSettings
from studio.templating.parts import Misfit, TemplateError
from studio.templating.places import UNKNOWN, Place

if TYPE_CHECKING:
    from studio.retrieval.lookup import Lookup

EffectKind = Literal["equal", "changed", "conflict", "new", "failing", "unreadable"]

WORDS: dict[EffectKind, str] = {
    "equal": "says the same as the example now",
    "changed": "changes the example",
    "conflict": "differs from what was edited by hand",
    "new": "makes an example, which this record has none of yet",
    "failing": "can't be applied to this record",
    "unreadable": "the record could not be read, so there are no fields",
}


@dataclass(frozen=True)
class Effect:
    """What would come of a record."""

    kind: EffectKind
    row: Row | None = None
    """What the template makes; None where it fails."""
    reason: str = ""
    """Why it fails."""
    part: str = ""
    place: Place = UNKNOWN
    """Where in the template, as far as it is known."""


def effect(
    template: TemplateSettings, record: Record, example: Example | None, lookup: "Lookup | None" = None
) -> Effect:
    """Return what a template makes of a record, held against the example that there is.

    Raises:
        StudioError: the template is wrong whatever the record is.
    """
    if record.fields is None:
        return Effect("unreadable")
    try:
        row = templates.apply(template, record.fields, lookup)
    except Misfit as error:
        return Effect("failing", None, error.reason, error.part, error.place)
    except RowError as error:
        return Effect("failing", None, str(error))
    if example is None:
        return Effect("new", row)
    if row.messages == example.messages and (row.tools or None) == (example.tools or None):
        return Effect("equal", row)
    return Effect("conflict" if example.origin == "edit" else "changed", row)


def wrong(error: TemplateError) -> Effect:
    """Return what to show of a template that is wrong whatever the record is."""
    reason = f"{error.reason}. {error.hint}".removesuffix(". ")
    return Effect("failing", None, reason, error.part, error.place)
