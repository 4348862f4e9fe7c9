"""From the fields of a record to messages, responses and a verdict, by Jinja in a sandbox."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast, get_args

from store.examples import Message, completion_of, prompt_of
from store.pairs import Verdict
from studio.errors import StudioError
from studio.fields import field_of
from studio.formats.row import Candidate, Row, RowError
from studio.formats.turns import ROLES, parsed
from studio.mapped_rows import list_of_turns
from studio.settings import FewShot, TemplateSettings
from studio.templating import answers
from studio.templating.parts import SECTION, Misfit, Part, parse, undeclared
from studio.templating.places import Place
from studio.templating.sandbox import ALL_FIELDS

CONVERSATION = "messages"
"""The role of a turn that stands for a whole list of turns in the record."""

PROMPT = "prompt"
"""The role of a turn that stands for such a list without the answer at its end."""

LISTS = (CONVERSATION, PROMPT)
"""The roles whose content names a field."""

SCHEMA_NAME = "json_schema"
"""What texts call the template's own schema, unless the record has a field of that name."""


def apply(template: TemplateSettings, fields: Mapping[str, Any]) -> Row:
    """Return what a record means under a template.

    Raises:
        RowError: this record does not fit the template; the message is the reason.
        StudioError: the template itself is wrong.
    """
    compiled = compile_template(template)
    context = {SCHEMA_NAME: template.schema, **fields, ALL_FIELDS: fields}
    messages = _conversation(compiled, context)
    tools = _tools(compiled.tools, context)
    offered = [_candidate(*parts, context) for parts in compiled.responses]
    candidates = tuple(c for c in offered if c)
    if candidates and not prompt_of(messages):
        raise RowError("the template makes responses but no prompt of it")
    if candidates and completion_of(messages):
        raise RowError("the template makes both an answer and responses of it")
    if template.schema and (answer := completion_of(messages)):
        answers.check_answer(answer, template.schema)
    comment, rater = (part.render(context).strip() for part in (compiled.comment, compiled.rater))
    verdict = _verdict(compiled, context)
    problem = None
    if verdict and (len(offered) < 2 or not all(offered[:2])):
        verdict, problem = None, "there is a verdict, but a response that it is about is empty"
    return Row(messages, tools, candidates, verdict, comment, rater, problem)


def fits(template: TemplateSettings, sample: list[dict[str, Any]]) -> bool:
    """Tell whether the fields that a template's turns name are in the first rows of a file.

    Raises:
        StudioError: the template itself is wrong.
    """
    compile_template(template)
    columns = {name for fields in sample for name in fields}
    named = undeclared(template.system)
    for turn in template.turns:
        if turn.role not in LISTS:
            named |= undeclared(turn.content)
        elif turn.content not in columns:
            # A path into nested fields.
            named.add(turn.content.split(".")[0])
    return named - {SCHEMA_NAME} <= columns


class Compiled(NamedTuple):
    """A template's texts, ready to be rendered."""

    system: Part
    few_shot: tuple[FewShot, ...]
    turns: tuple[tuple[str, Part | str], ...]
    """Each with its role; of a whole conversation only the field that holds it."""
    responses: tuple[tuple[Part, Part, Part], ...]
    """Each with its author and its label."""
    tools: Part | str
    """What renders to the JSON of tools, or that JSON."""
    verdict: Part
    comment: Part
    rater: Part


@lru_cache(maxsize=8)
def compile_template(template: TemplateSettings) -> Compiled:
    """Return a template ready to be rendered.

    Raises:
        StudioError: the template is wrong; a `TemplateError` says in which of its texts, and where.
    """
    if not template.turns:
        raise StudioError(f"{SECTION} makes no turns.", "Add a [[template.turns]] with a role and a content.")
    for turn in template.turns:
        if turn.role not in (*ROLES, *LISTS):
            known = ", ".join((*sorted(ROLES), *LISTS))
            raise StudioError(f"{SECTION}: there is no role {turn.role!r}.", f"Known are {known}.")
    for shown in template.few_shot:
        _check_few_shot(shown)
    answers.validator(template.schema)
    return Compiled(
        parse("system", template.system),
        template.few_shot,
        tuple(
            (t.role, t.content if t.role in LISTS else parse(f"turn {number}", t.content))
            for number, t in enumerate(template.turns, start=1)
        ),
        tuple(
            (
                parse(f"response {number}", r.content),
                parse(f"author of response {number}", r.author),
                parse(f"label of response {number}", r.label),
            )
            for number, r in enumerate(template.responses, start=1)
        ),
        template.tools if _is_json(template.tools) else parse("tools", template.tools),
        *(parse(name, getattr(template, name)) for name in ("verdict", "comment", "rater")),
    )


def _check_few_shot(shown: FewShot) -> None:
    roles = [turn.role for turn in shown.turns]
    if roles[-1:] != ["assistant"] or not {"user", "assistant"} >= set(roles) or roles[0] != "user":
        raise StudioError(
            f"{SECTION}: a few-shot example must be turns of user and assistant, with an answer at its end.",
            "Leave out its system turn and what comes after the answer.",
        )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _conversation(compiled: Compiled, context: Mapping[str, Any]) -> list[Message]:
    messages = [m for role, content in compiled.turns for m in _turns(role, content, context)]
    if not messages:
        raise RowError("the template makes no turn of it")
    system = [messages[0]] if messages[0]["role"] == "system" else []
    body = messages[len(system) :]
    if text := _not_blank(compiled.system.render(context)):
        system = [{"role": "system", "content": text}]
    return [*system, *_shown(compiled.few_shot, body), *body]


def _shown(few_shot: tuple[FewShot, ...], body: list[Message]) -> list[Message]:
    """Return the turns of the few-shot examples; one that is the record itself would give its answer away."""
    if not few_shot:
        return []
    asked = [(m["role"], m.get("content")) for m in prompt_of(body)]
    shown = [[(turn.role, turn.content) for turn in example.turns] for example in few_shot]
    return [
        {"role": role, "content": content}
        for turns in shown
        if not asked or turns[: len(asked)] != asked
        for role, content in turns
    ]


def _turns(role: str, content: Part | str, context: Mapping[str, Any]) -> list[Message]:
    if isinstance(content, str):
        turns = field_of(context[ALL_FIELDS], content)
        found = list_of_turns(parsed(turns, content) if isinstance(turns, str) else turns, content)
        return prompt_of(found) if role == PROMPT else found
    text = _not_blank(content.render(context))
    return [{"role": role, "content": text}] if text else []


def _not_blank(text: str) -> str:
    return text if text.strip() else ""


def _tools(tools: Part | str, context: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    text = tools if isinstance(tools, str) else tools.render(context)
    if not text.strip():
        return None
    try:
        found = answers.read_tool_list(text)
    except RowError as error:
        raise Misfit("tools", Place(), str(error)) from error
    return cast(list[dict[str, Any]], json.loads(found)) if found else None


def _candidate(content: Part, author: Part, label: Part, context: Mapping[str, Any]) -> Candidate | None:
    text = content.render(context)
    if not text.strip():
        return None
    is_good = _label(label.render(context).strip().lower())
    return Candidate([{"role": "assistant", "content": text}], author=author.render(context).strip(), label=is_good)


def _label(text: str) -> bool | None:
    if text not in ("", "true", "false"):
        raise RowError(f"the label is {text[:40]!r}; it must be true, false or nothing")
    return text == "true" if text else None


def _verdict(compiled: Compiled, context: Mapping[str, Any]) -> Verdict | None:
    verdict = compiled.verdict.render(context).strip()
    if not verdict:
        return None
    if verdict not in get_args(Verdict):
        raise RowError(f"the verdict is {verdict[:40]!r}; it must be one of {', '.join(get_args(Verdict))}")
    return cast(Verdict, verdict)
