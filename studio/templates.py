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
from studio.formats.turns import ROLES, parsed
from studio.mapped_rows import list_of_turns
from studio.settings import FewShot, TemplateSettings
from studio.templating import answers
from studio.templating.parts import SECTION, Misfit, Part, parse, undeclared
from studio.templating.places import Place
from studio.templating.sandbox import ALL_FIELDS

if TYPE_CHECKING:
    from studio.retrieval.lookup import Lookup

CONVERSATION = "messages"
"""The role of a turn that stands for a whole list of turns in the record."""

PROMPT = "prompt"
"""The role of a turn that stands for such a list without the answer at its end."""

LISTS = (CONVERSATION, PROMPT)
"""The roles whose content names a field."""

SCHEMA_NAME = "json_schema"
"""What texts call the template's own schema, unless the record has a field of that name."""

PASSAGES_NAME = "passages"
"""What texts call the function that puts passages before a question, unless the record has a field of that name."""

ASSISTANT_NAME = "assistant"
"""What texts call the system prompt of the project's assistant, unless the record has a field of that name."""

NEAR_EXAMPLES = 3
"""How many are shown where a template does not say."""


def apply(template: TemplateSettings, fields: Mapping[str, Any], lookup: "Lookup | None" = None) -> Row:
    """Return what a record means under a template.

    What the template looks up is found by `lookup`; without it, as for a first look at a file, it is left out.

    Raises:
        RowError: this record does not fit the template; the message is the reason.
        StudioError: the template itself is wrong.
    """
    compiled = compile_template(template)
    with_passages = lookup.passages if lookup else _as_asked
    stated = {ASSISTANT_NAME: lookup.assistant} if lookup and _may_name(template, ASSISTANT_NAME) else {}
    context = {SCHEMA_NAME: template.schema, PASSAGES_NAME: with_passages, **stated, **fields, ALL_FIELDS: fields}
    messages, asked = _conversation(compiled, context, lookup)
    if lookup and PASSAGES_NAME not in fields and _may_name(template, PASSAGES_NAME):
        asked = _parted(compiled, {**context, PASSAGES_NAME: _as_asked})[1]
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
    return Row(messages, tools, candidates, verdict, comment, rater, problem, asked=asked)


def _may_name(template: TemplateSettings, name: str) -> bool:
    """Return whether a template's turns may say a name, which is looked up then: most never do."""
    return any(name in text for text in (template.system, *(turn.content for turn in template.turns)))


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
    return named - {SCHEMA_NAME, PASSAGES_NAME, ASSISTANT_NAME} <= columns


class Compiled(NamedTuple):
    """A template's texts, ready to be rendered."""

    system: Part
    few_shot: tuple[FewShot, ...]
    turns: tuple[tuple[str, Part | str], ...]
    """Each with its role; of a whole conversation only the field that holds it."""
    responses: tuple[tuple[Part, Part, Part], ...]
    """Each with its author and its label."""
    examples_for: Part
    """The question that near examples are looked up for."""
    examples: int
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
        parse("examples_for", template.examples_for),
        template.examples or NEAR_EXAMPLES,
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


def _conversation(
    compiled: Compiled, context: Mapping[str, Any], lookup: "Lookup | None"
) -> tuple[list[Message], list[Message] | None]:
    """Return the conversation, and where examples are shown in it what is asked without them."""
    system, body = _parted(compiled, context)
    shown = [*_shown(compiled.few_shot, body), *_near(compiled, context, lookup)]
    return [*system, *shown, *body], body if shown else None


def _parted(compiled: Compiled, context: Mapping[str, Any]) -> tuple[list[Message], list[Message]]:
    """Return the system prompt, if there is one, and the turns of the record itself."""
    messages = [m for role, content in compiled.turns for m in _turns(role, content, context)]
    if not messages:
        raise RowError("the template makes no turn of it")
    system = [messages[0]] if messages[0]["role"] == "system" else []
    body = messages[len(system) :]
    if text := _not_blank(compiled.system.render(context)):
        system = [{"role": "system", "content": text}]
    return system, body


def _near(compiled: Compiled, context: Mapping[str, Any], lookup: "Lookup | None") -> list[Message]:
    """Return the turns of the examples that are nearest to what the record asks."""
    question = compiled.examples_for.render(context).strip()
    return lookup.examples(question, compiled.examples) if lookup and question else []


def _as_asked(question: object) -> str:
    return str(question)


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
