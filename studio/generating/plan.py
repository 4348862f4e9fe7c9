"""What making candidates would do, said before it is done; and starting it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from store import candidates, examples, find
from store.database import Store
from store.examples import prompt_of
from studio.errors import StudioError
from studio.generating.speakers import AGREE, check_model, is_endpoint, lasting_ref, leaving
from studio.generating.wanted import Wanted
from studio.jobs import launch
from studio.project import Project
from studio.text import clean_line

SHOWN_OF_A_PROMPT = 60
"""Characters of the first prompt that are shown."""


def prompts(store: Store, query: str = "") -> tuple[int, ...]:
    """Return the examples whose prompts are meant: what a query finds, or all with fewer than two responses.

    Excluded and rejected ones are left out, and synthetic ones that nobody has approved.

    Raises:
        QueryError: the query can't be read.
    """
    if query.strip():
        return chosen(store, find.ids(store, "example", query))
    return tuple(candidates.with_few_responses(store))


def chosen(store: Store, chunks: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Return those of these examples whose prompts may be used."""
    return tuple(candidates.usable(store, chunks))


def begin(project: Project, store: Store, wanted: Wanted) -> int:
    """Start making what is wanted in the background; return the job's id.

    Raises:
        StudioError: there is no prompt or no such model, nobody agreed to send anything, or another job is going on.
    """
    if not wanted.examples:
        raise StudioError("No prompt is meant: all have two replies, or none is found.", "Name others with a query.")
    for ref in wanted.models:
        check_model(project, store, ref)
    wanted = replace(wanted, models=tuple(dict.fromkeys(lasting_ref(store, ref) for ref in wanted.models)))
    if not wanted.send and any(map(is_endpoint, wanted.models)):
        raise StudioError("Nothing was sent: nobody agreed yet to what would leave this machine.", AGREE)
    return launch.start(project, store, "candidates", wanted.as_request())


def statement(project: Project, store: Store, wanted: Wanted) -> str:
    """Say what leaves the machine, to where; empty where nothing does.

    Raises:
        StudioError: the endpoint is not configured, or can't be used as it is.
    """
    sent = sum(map(is_endpoint, wanted.models))
    if not sent:
        return ""
    number = len(wanted.examples)
    first = _beginning(store, wanted.examples[0]) if wanted.examples else ""
    which = (
        f"{number:,} {'prompt' if number == 1 else 'prompts'} (example {_span(wanted.examples)}; the first: {first})"
    )
    what = f"{which}, each with its system text, earlier turns and tools,"
    return leaving(project, wanted.models, what, number * len(wanted.slots) * sent)


def _span(ids: Sequence[int]) -> str:
    return f"{ids[0]}" if len(ids) == 1 else f"{ids[0]} to {ids[-1]}" if ids else "none"


def _beginning(store: Store, example_id: int) -> str:
    asked = prompt_of(examples.get(store, example_id).messages)
    text = clean_line(str(asked[-1].get("content") or "")) if asked else ""
    return f'"{text[:SHOWN_OF_A_PROMPT]}..."' if len(text) > SHOWN_OF_A_PROMPT else f'"{text}"'
