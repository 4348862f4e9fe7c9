"""What a template makes of real records, one after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from store import examples, records
from store.database import Store
from store.examples import Example, Message
from store.records import Record
from studio.retrieval.lookup import Lookup
from studio.settings import TemplateSettings
from studio.templating.applying import batches, ids_of
from studio.templating.effects import Effect, effect, wrong
from studio.templating.parts import TemplateError


@dataclass(frozen=True)
class Preview:
    """A record, the example that there is, and what a template would make of it."""

    record: Record
    example: Example | None
    effect: Effect

    @property
    def messages(self) -> list[Message]:
        """The conversation that the template makes; empty where it fails."""
        return self.effect.row.messages if self.effect.row else []

    def as_json(self) -> dict[str, Any]:
        """Return what the command line prints of it."""
        return {
            "record": self.record.id,
            "place": f"{self.record.source}:{self.record.line}",
            "effect": self.effect.kind,
            "reason": self.effect.reason,
            "part": self.effect.part,
            "line": self.effect.place.line,
            "column": self.effect.place.column,
            "messages": self.messages,
            "tools": self.effect.row.tools if self.effect.row else None,
            "responses": [c.messages for c in self.effect.row.candidates] if self.effect.row else [],
        }


def preview(store: Store, template: TemplateSettings, record_id: int) -> Preview:
    """Return what a template makes of one record; a template that is wrong is part of the answer.

    Raises:
        MissingRowError: there is no such record.
        StudioError: the template makes no turns at all.
    """
    record = records.get(store, record_id)
    example = examples.of_records(store, [record_id]).get(record_id)
    with Lookup(store) as lookup:
        try:
            return Preview(record, example, effect(template, record, example, lookup))
        except TemplateError as error:
            return Preview(record, example, wrong(error))


def previews(store: Store, template: TemplateSettings, query: str = "", *, failing: bool = False) -> Iterator[Preview]:
    """Yield what a template makes of the records of a query, or only those that it fails on.

    Raises:
        StudioError: the template is wrong, or the query can't be understood.
    """
    with Lookup(store) as lookup:
        for batch, _ in batches(store, ids_of(store, query)):
            for record, example in batch:
                made = effect(template, record, example, lookup)
                if not failing or made.kind == "failing":
                    yield Preview(record, example, made)


def next_failing(
    store: Store,
    template: TemplateSettings,
    after: int,
    query: str = "",
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> int | None:
    """Return the next record that a template fails on, from the beginning again after the end; None for none.

    Raises:
        StudioError: the template is wrong, or the query can't be understood.
    """
    ids = ids_of(store, query)
    later = [number for number in ids if number > after]
    earlier = [number for number in ids if number <= after]
    with Lookup(store) as lookup:
        for batch, _ in batches(store, type(ids)("q", later + earlier)):
            if cancelled():
                return None
            for record, example in batch:
                if effect(template, record, example, lookup).kind == "failing":
                    return record.id
    return None
