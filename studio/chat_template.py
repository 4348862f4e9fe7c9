"""Chat templates as the model's makers wrote them: Jinja as transformers runs it, in a sandbox that always ends."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser

from studio.bounded import BeyondBounds, BoundedEnvironment, Limits, run
from studio.errors import StudioError
from studio.named_templates import part_for

REASONING_FIELDS = ("reasoning_content", "thinking", "reasoning")
"""Names under which a turn's reasoning is passed; templates read the first, older ones the second."""

_LIMITS = Limits(seconds=1, rounds=1_000_000, characters=16_000_000)
"""Thousands of times what an ordinary rendering uses."""

_TIMES_LONGER = 64
"""Characters that a template may make for each of a conversation's, where that is more."""

_LONGEST_DATE = 1_000


class _Generation(Extension):
    """`{% generation %}` blocks, which some templates put around the assistant's words; they change no text."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


def render_template(
    source: str,
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]] | None,
    special_tokens: dict[str, str],
    *,
    add_generation_prompt: bool,
) -> str:
    """Return the text that a chat template makes of a conversation.

    Raises:
        StudioError: the template refuses the conversation, would drop a part of it, is broken, or does not end.
    """
    source = part_for(source, tools=tools is not None)
    if "tool_calls" not in source and any(m.get("tool_calls") for m in messages):
        raise StudioError(
            "The model's chat template has no place for tool calls and would drop them.",
            "Leave these examples out, or choose a model that was made for tools.",
        )
    context = {
        "messages": [_as_given(m) for m in messages],
        "tools": tools,
        "documents": None,
        "add_generation_prompt": add_generation_prompt,
        **special_tokens,
    }
    try:
        return run(compiled(source), context, _LIMITS, lambda: _TIMES_LONGER * len(json.dumps([messages, tools])))
    except BeyondBounds as error:
        raise StudioError(
            f"The model's chat template was stopped: {error}.",
            "It may be broken or hostile; use another: studio chat-template --set.",
        ) from error
    except Exception as error:  # a stranger's program raises what it likes
        roles = ", ".join(str(m.get("role")) for m in messages) or "none"
        reason = str(error).rstrip(".")
        raise StudioError(
            f"The model's chat template can't render this conversation ({roles}): {reason}.",
            "Change the conversation's turns, or choose a model whose template takes them.",
        ) from error


@lru_cache(maxsize=16)
def compiled(source: str) -> Template:
    """Return a template, ready to run.

    Raises:
        TemplateSyntaxError: it is not valid Jinja.
    """
    environment = BoundedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    environment.add_filter("tojson", _to_json)
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _strftime_now
    return environment.compiled(source)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter escapes HTML, which no model was trained on.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(form: str) -> str:
    # The C library makes a buffer of many times the length.
    if len(form) > _LONGEST_DATE:
        raise TemplateError("the form of its date is too long")
    return datetime.now().strftime(form)


def _as_given(message: dict[str, Any]) -> dict[str, Any]:
    """Return a turn as transformers gives it to templates: without what is null, the reasoning by each of its names."""
    given = message
    if None in message.values():
        given = {key: value for key, value in message.items() if value is not None}
    reasoning = next((given[key] for key in REASONING_FIELDS if key in given), None)
    return given if reasoning is None else {"thinking": reasoning, **given, "reasoning_content": reasoning}
