"""From the fields of a record to messages, responses and a verdict, by Jinja in a sandbox."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from store.examples import Message, completion_of, prompt_of
from store.pairs import Verdict
from studio.errors import StudioError
from studio.fields import field_of
from studio.formats.row import Candidate, Row, RowError
from studio.formats.turns import ROLES, parsed, read_turns
from studio.settings import TemplateSettings

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

CONVERSATION = "messages"
"""The role of a turn that stands for a whole list of turns in the record."""

_ALL = "all fields"
"""Where templates find the whole record; a name that hides no field, as no Jinja name can spell it."""

_SECTION = "[template] in studio.toml"


def apply(template: TemplateSettings, fields: Mapping[str, Any]) -> Row:
    """Return what a record means under a template.

    Raises:
        RowError: this record does not fit the template; the message is the reason.
        StudioError: the template itself is wrong.
    """
    compiled = _compile(template)
    context = {**fields, _ALL: fields}
    messages = [m for role, content in compiled.turns for m in _turns(role, content, context)]
    if not messages:
        raise RowError("the template makes no turn of it")
    offered = [_candidate(content, author, context) for content, author in compiled.responses]
    candidates = tuple(c for c in offered if c)
    if candidates and not prompt_of(messages):
        raise RowError("the template makes responses but no prompt of it")
    if candidates and completion_of(messages):
        raise RowError("the template makes both an answer and responses of it")
    comment, rater = (_text(part, context).strip() for part in (compiled.comment, compiled.rater))
    verdict = _verdict(compiled, context)
    if verdict and (len(offered) < 2 or not all(offered[:2])):
        problem = "there is a verdict, but a response that it is about is empty"
        return Row(messages, None, candidates, None, comment, rater, problem)
    return Row(messages, None, candidates, verdict, comment, rater)


def fits(template: TemplateSettings, sample: list[dict[str, Any]]) -> bool:
    """Tell whether the fields that a template's turns name are in the first rows of a file.

    Raises:
        StudioError: the template itself is wrong.
    """
    from jinja2 import meta

    _compile(template)
    columns = {name for fields in sample for name in fields}
    named: set[str] = set()
    for turn in template.turns:
        if turn.role == CONVERSATION:
            named.add(turn.content)
        else:
            named |= meta.find_undeclared_variables(_environment().parse(turn.content))
    return named <= columns


class _Compiled(NamedTuple):
    turns: tuple[tuple[str, "Template | str"], ...]
    responses: tuple[tuple["Template", "Template"], ...]
    verdict: "Template"
    comment: "Template"
    rater: "Template"


@lru_cache(maxsize=8)
def _compile(template: TemplateSettings) -> _Compiled:
    if not template.turns:
        raise StudioError(f"{_SECTION} makes no turns.", "Add a [[template.turns]] with a role and a content.")
    for turn in template.turns:
        if turn.role not in (*ROLES, CONVERSATION):
            raise StudioError(
                f"{_SECTION}: there is no role {turn.role!r}.", f"Known are {', '.join(sorted(ROLES))}, {CONVERSATION}."
            )
    return _Compiled(
        tuple((t.role, t.content if t.role == CONVERSATION else _parse(t.content)) for t in template.turns),
        tuple((_parse(r.content), _parse(r.author)) for r in template.responses),
        *(_parse(text) for text in (template.verdict, template.comment, template.rater)),
    )


@lru_cache(maxsize=1)
def _environment() -> "SandboxedEnvironment":
    from jinja2 import StrictUndefined, pass_context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=_finalize, autoescape=False)
    environment.filters["field"] = pass_context(lambda context, name: field_of(context[_ALL], name))
    return environment


def _finalize(value: Any) -> Any:
    """Return what an expression prints: nothing for null, JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool):
        # PandaLM has answers that are JSON true: printed as "True" they would pass for an answer.
        raise RowError(f"a field that should be text is {json.dumps(value)}")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _parse(text: str) -> "Template":
    from jinja2 import TemplateSyntaxError

    try:
        return _environment().from_string(text)
    except TemplateSyntaxError as error:
        raise StudioError(f"{_SECTION}: {text[:60]!r} is not valid Jinja: {error.message}.") from error


def _text(template: "Template", context: Mapping[str, Any]) -> str:
    from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError

    try:
        return template.render(context)
    except UndefinedError as error:
        raise RowError(f"the template asks for something that is absent: {error.message}") from error
    except SecurityError as error:
        raise StudioError(f"{_SECTION} does something that is not allowed: {error}.") from error
    except RowError:
        raise
    except (TemplateRuntimeError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise RowError(f"the template fails on it: {error}") from error


def _turns(role: str, content: "Template | str", context: Mapping[str, Any]) -> list[Message]:
    if isinstance(content, str):
        turns = field_of(context[_ALL], content)
        return read_turns(parsed(turns, content) if isinstance(turns, str) else turns, content)
    text = _text(content, context)
    return [{"role": role, "content": text}] if text.strip() else []


def _candidate(content: "Template", author: "Template", context: Mapping[str, Any]) -> Candidate | None:
    text = _text(content, context)
    if not text.strip():
        return None
    return Candidate([{"role": "assistant", "content": text}], author=_text(author, context).strip())


def _verdict(compiled: _Compiled, context: Mapping[str, Any]) -> Verdict | None:
    verdict = _text(compiled.verdict, context).strip()
    if not verdict:
        return None
    if verdict not in get_args(Verdict):
        raise RowError(f"the verdict is {verdict[:40]!r}; it must be one of {', '.join(get_args(Verdict))}")
    return cast(Verdict, verdict)
