"""Jinja for records: bounded as all templates of strangers are, strict about what is not there."""

import json
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from studio.fields import field_of
from studio.formats.row import RowError

if TYPE_CHECKING:
    from jinja2 import Template

    from studio.bounded import BoundedEnvironment

ALL_FIELDS = "all fields"
"""Where templates find the whole record; a name that hides no field, as no Jinja name can spell it."""

MOST_ROUNDS = 100_000
"""Rounds of loops and calls of macros in one text."""
MOST_CHARACTERS = 4_000_000
"""Of one text that a template makes; also of what it makes on the way there."""
MOST_SECONDS = 10
"""For one text: far more than any that comes to an end in sensible time."""


def render(template: "Template", context: Mapping[str, Any]) -> str:
    """Return what a template makes of a record.

    Raises:
        RowError: it goes on for too long, or makes too much.
        jinja2.TemplateError: it fails in another way.
    """
    from studio.bounded import BeyondBounds, Limits, run

    try:
        return run(template, context, Limits(MOST_SECONDS, MOST_ROUNDS, MOST_CHARACTERS))
    except BeyondBounds as error:
        raise RowError(str(error)) from error


def compiled(text: str) -> "Template":
    """Return a template of the sandbox.

    Raises:
        jinja2.TemplateSyntaxError: the text is no template.
    """
    return environment().compiled(text)


@lru_cache(maxsize=1)
def environment() -> "BoundedEnvironment":
    """Return the sandbox that all templates run in."""
    from jinja2 import pass_context

    from studio.bounded import BoundedEnvironment

    jinja = BoundedEnvironment(undefined=_undefined(), finalize=_finalize, autoescape=False)
    # What changes from one time to the next has no place in a template: the same record makes the same example.
    del jinja.filters["random"]
    jinja.add_filter("field", pass_context(lambda context, name: field_of(context[ALL_FIELDS], name)))
    return jinja


def _undefined() -> type[Any]:
    from jinja2 import StrictUndefined, UndefinedError
    from jinja2.utils import missing

    class Undefined(StrictUndefined):
        """What is not there; its error says the name and of what."""

        __slots__ = ()

        def __init__(
            self, hint: Any = None, obj: Any = missing, name: Any = None, exc: type[Exception] = UndefinedError
        ) -> None:
            super().__init__(hint, obj, name, partial(_absent, exc, None if obj is missing else obj, name))  # type: ignore[arg-type]

    return Undefined


def _absent(kind: type[Exception], owner: Any, name: Any, message: str) -> Exception:
    error = kind(message)
    error.owner, error.name = owner, name  # type: ignore[attr-defined]
    return error


def _finalize(value: Any) -> Any:
    """Return what an expression prints: nothing for null, JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool):
        # PandaLM has answers that are JSON true: printed as "True" they would pass for an answer.
        raise RowError(f"a field that should be text is {json.dumps(value)}")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return value
