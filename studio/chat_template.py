"""Chat templates as the model's makers wrote them: Jinja in the same sandbox as transformers gives them."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from studio.errors import StudioError

REASONING_FIELDS = ("reasoning_content", "thinking", "reasoning")
"""Names under which a turn's reasoning is passed; templates read the first, older ones the second."""

_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What running somebody's template may raise."""


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
        StudioError: the template refuses the conversation, would drop a part of it, or is broken.
    """
    if "tool_calls" not in source and any(m.get("tool_calls") for m in messages):
        raise StudioError(
            "The model's chat template has no place for tool calls and would drop them.",
            "Leave these examples out, or choose a model that was made for tools.",
        )
    try:
        return compiled(source)(
            messages=[_with_reasoning(m) for m in messages],
            tools=tools,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **special_tokens,
        )
    except _FAULTS as error:
        roles = ", ".join(str(m.get("role")) for m in messages) or "none"
        reason = str(error).rstrip(".")
        raise StudioError(
            f"The model's chat template can't render this conversation ({roles}): {reason}.",
            "Change the conversation's turns, or choose a model whose template takes them.",
        ) from error


@lru_cache(maxsize=16)
def compiled(source: str) -> Callable[..., str]:
    """Return what renders a template.

    Raises:
        TemplateSyntaxError: it is not valid Jinja.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source).render


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


def _with_reasoning(message: dict[str, Any]) -> dict[str, Any]:
    reasoning = next((message[k] for k in REASONING_FIELDS if message.get(k) is not None), None)
    if reasoning is None:
        return message
    return {"thinking": reasoning, **message, "reasoning_content": reasoning}
