"""What a row means when a person has said which column is what, and what the verdict codes mean."""

import json
from collections.abc import Callable
from typing import Any

from store.examples import Message, completion_of, prompt_of
from store.pairs import Verdict
from studio.fields import field_of
from studio.formats.pairing import check_prompt, is_label
from studio.formats.row import Candidate, Judgement, Row, RowError
from studio.formats.sharegpt import read_turn
from studio.formats.turns import is_conversation, parsed, read_tools, read_turns
from studio.mapping import Mapping, code_of, meaning_of

Fields = dict[str, Any]

ANSWERS = (("chosen", ""), ("rejected", ""), ("response_a", "author_a"), ("response_b", "author_b"))
"""The fields that hold answers to compare, in the order of a pair, each with the one that says whose it is."""


def by_columns(mapping: Mapping) -> Callable[[Fields], Row]:
    """Return the function that reads rows by the columns which a mapping names.

    Raises:
        StudioError: the columns make no example.
    """
    mapping.check()
    return lambda fields: _read(mapping, fields)


def with_meanings(read: Callable[[Fields], Row], verdicts: dict[str, Verdict]) -> Callable[[Fields], Row]:
    """Return the function that reads rows of a coded format, the codes explained."""

    def read_explained(fields: Fields) -> Row:
        row = read(fields)
        return _explained(row, verdicts) if any(j.code for j in row.judgements) else row

    return read_explained


def _explained(row: Row, verdicts: dict[str, Verdict]) -> Row:
    explained = tuple(j if j.verdict else j._replace(verdict=meaning_of(j.code, verdicts)) for j in row.judgements)
    unknown = {j.code: None for j in explained if j.code and not j.verdict}
    problem = row.problem or (_not_said(unknown) if unknown else None)
    return row._replace(judgements=tuple(j for j in explained if j.verdict), problem=problem)


def _not_said(codes: dict[str, None]) -> str:
    listed = ", ".join(code[:40] for code in codes)
    return f"nobody has said what its verdict code {listed} means, so that verdict is left out"


def _read(mapping: Mapping, fields: Fields) -> Row:
    columns = mapping.columns
    messages = _conversation(columns, fields)
    tools = read_tools(_optional(fields, columns.get("tools")))
    if "label" in columns:
        return _labelled(messages, tools, field_of(fields, columns["label"]))
    offered = [_candidate(columns, fields, *names) for names in ANSWERS if names[0] in columns]
    if not offered:
        return Row(messages, tools)
    if completion_of(messages):
        raise RowError("it has an answer already besides the ones to compare")
    check_prompt(prompt_of(messages))
    return _compared(mapping, fields, Row(messages, tools, tuple(c for c in offered if c)), all(offered))


def _conversation(columns: dict[str, str], fields: Fields) -> list[Message]:
    messages: list[Message] = []
    if "messages" in columns:
        turns = field_of(fields, columns["messages"])
        messages += list_of_turns(parsed(turns, "messages") if isinstance(turns, str) else turns, columns["messages"])
    if system := _text(_optional(fields, columns.get("system")), "system"):
        messages.insert(0, {"role": "system", "content": system})
    for name, role in (("prompt", "user"), ("completion", "assistant")):
        if name in columns:
            turns = _turns(field_of(fields, columns[name]), columns[name], role)
            if not turns:
                raise RowError(f"its {name}, the column {columns[name]!r}, is empty")
            messages += turns
    return messages


def _turns(value: Any, column: str, role: str) -> list[Message]:
    """Return the turns that a field makes: one of a text, those of a list, none of nothing."""
    if is_turns([value]):
        value = [value]
    if is_turns(value):
        return list_of_turns(value, column)
    text = _text(value, column)
    return [{"role": role, "content": text}] if text.strip() else []


def is_turns(value: Any) -> bool:
    """Tell whether a value looks like a list of turns, with role and content or as ShareGPT has them."""
    return is_conversation(value) or _is_sharegpt(value)


def _is_sharegpt(value: Any) -> bool:
    is_list = isinstance(value, list) and bool(value)
    return is_list and all(isinstance(turn, dict) and {"from", "value"} <= set(turn) for turn in value)


def list_of_turns(value: Any, column: str) -> list[Message]:
    """Return a list of turns, with role and content or as ShareGPT has them.

    Raises:
        RowError: it is no such list.
    """
    if _is_sharegpt(value):
        return [read_turn(turn, f"{column}[{number}]") for number, turn in enumerate(value)]
    return read_turns(value, column)


def _candidate(columns: dict[str, str], fields: Fields, name: str, author: str) -> Candidate | None:
    turns = _turns(field_of(fields, columns[name]), columns[name], "assistant")
    if not turns:
        return None
    if any(turn["role"] not in ("assistant", "tool") for turn in turns):
        raise RowError(f"{columns[name]} holds turns besides the assistant's")
    return Candidate(turns, author=_text(_optional(fields, columns.get(author)), author).strip())


def _compared(mapping: Mapping, fields: Fields, row: Row, is_whole: bool) -> Row:
    """Return a row with the verdict on its answers, or with the reason why it has none."""
    column = mapping.columns.get("verdict")
    code = code_of(_optional(fields, column)) if column else ""
    if not is_whole:
        judged = bool(code) or "chosen" in mapping.columns
        lacking = "there is a verdict, but a response that it is about is empty" if judged else "one response is empty"
        return row._replace(problem=lacking)
    if "chosen" in mapping.columns:
        return row._replace(verdict="left")
    return _explained(row._replace(judgements=(Judgement("", code),)), mapping.verdicts) if code else row


def _labelled(messages: list[Message], tools: list[dict[str, Any]] | None, label: Any) -> Row:
    prompt, completion = prompt_of(messages), completion_of(messages)
    check_prompt(prompt)
    if not is_label(label) and label not in (0, 1, "0", "1"):
        raise RowError(f"its label is {json.dumps(label)[:40]}, neither true nor false")
    is_good = str(label).lower() in ("true", "1")
    return Row(prompt, tools, (Candidate(completion, label=is_good),))


def _optional(fields: Fields, column: str | None) -> Any:
    """Return a field that not every row needs to have."""
    if column is None:
        return None
    try:
        return field_of(fields, column)
    except RowError:
        return None


def _text(value: Any, column: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        # PandaLM has answers that are JSON true: as "true" they would pass for an answer.
        raise RowError(f"{column} is {json.dumps(value)}, which should be text")
    return json.dumps(value, ensure_ascii=False)
