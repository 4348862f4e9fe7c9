"""Argilla's records: fields, and what people answered to the questions on them."""

import re
from typing import Any, NamedTuple

from store.examples import Message
from store.pairs import Verdict
from studio.formats.plain_text import answer_of, asks, only_answer
from studio.formats.row import Candidate, Judgement, PreferenceRow, Row, RowError
from studio.formats.shape import Fields, Format, every_row
from studio.formats.sides import ordered
from studio.formats.turns import only_text, read_turns, text_of

_RESPONSE = re.compile(r"response[ _-]?(\d+|[ab])", re.IGNORECASE)
_SAME: dict[str, Verdict] = {"tie": "tie", "bothbad": "both_bad"}
_SUFFIX = ".responses"

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The user of an answer whose user is not known: Argilla reads no answer without one."""


class Answer(NamedTuple):
    """What one person submitted to one question."""

    question: str
    who: str
    value: Any


def detect(sample: list[Fields]) -> bool:
    """Records with a prompt and two responses among their fields, nested or flat."""
    return every_row(sample, _is_record)


def _is_record(fields: Fields) -> bool:
    content = _content(fields)
    answered = fields if content is not fields else {key.rpartition(".")[2] for key in fields if "." in key}
    has_answers = "responses" in answered or "suggestions" in answered or "suggestion" in answered
    return has_answers and bool({"prompt", "instruction"} & set(content)) and len(_names(content)) > 1


def _content(fields: Fields) -> Fields:
    nested = fields.get("fields")
    return nested if isinstance(nested, dict) else fields


def _names(content: Fields) -> list[str]:
    """Return the fields that hold responses, the first of them first."""
    return sorted((key for key in content if _RESPONSE.fullmatch(key)), key=lambda key: (len(key), key))


def read(fields: Fields) -> Row:
    """Read a record with what was submitted; an answer that was discarded or left half done says nothing."""
    content = _content(fields)
    names = _names(content)
    if len(names) < 2:
        raise RowError("the record has no two responses among its fields")
    offered = tuple(Candidate(answer_of(content, name)) for name in names)
    given = _flat_answers(fields) if content is fields else _nested_answers(fields.get("responses"))
    judgements, notes = _judgements(given, names)
    problem = "no answer to its questions names one of the first two responses" if given and not judgements else None
    return Row(_prompt(content), None, offered, comment=notes, problem=problem, judgements=judgements)


def _prompt(content: Fields) -> list[Message]:
    key = "prompt" if "prompt" in content else "instruction"
    return read_turns(content[key], key) if isinstance(content.get(key), list) else [asks(text_of(content, key))]


def _nested_answers(questions: Any) -> list[Answer]:
    asked = questions.items() if isinstance(questions, dict) else ()
    return [
        Answer(question, _rater(answer.get("user_id")), answer.get("value"))
        for question, answers in asked
        for answer in _list(answers)
        if isinstance(answer, dict) and answer.get("status") == "submitted"
    ]


def _flat_answers(fields: Fields) -> list[Answer]:
    """Return the answers of `to_list(flatten=True)`, which has values, users and status in columns of their own."""
    found: list[Answer] = []
    for key in (key for key in fields if key.endswith(_SUFFIX)):
        values, users, status = (_list(fields.get(key + part)) for part in ("", ".users", ".status"))
        for n, value in enumerate(values):
            if n >= len(status) or status[n] == "submitted":
                found.append(Answer(key.removesuffix(_SUFFIX), _rater(users[n] if n < len(users) else None), value))
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _rater(user_id: Any) -> str:
    return f"Argilla {user_id}" if isinstance(user_id, (str, int)) and user_id != NOBODY else "Argilla"


def _judgements(given: list[Answer], names: list[str]) -> tuple[tuple[Judgement, ...], str]:
    """Return the answers that name a response, each with its person's other answers, and all other answers as text."""
    said = [(answer, verdict) for answer in given if (verdict := _verdict(answer.value, names))]
    notes = [(a.who, f"{a.question}: {a.value}") for a in given if not _verdict(a.value, names)]
    many = len({answer.question for answer, _ in said}) > 1
    judgements = tuple(
        Judgement(
            f"{answer.who} on {answer.question}" if many else answer.who,
            verdict=verdict,
            comment="; ".join(note for who, note in notes if who == answer.who),
        )
        for answer, verdict in said
    )
    return judgements, "; ".join(note for _, note in notes)


def _verdict(value: Any, names: list[str]) -> Verdict | None:
    """Return which of the first two responses an answer names, by its field or by its rank; None for all else."""
    folded = [_folded(name) for name in names[:2]]
    if isinstance(value, str):
        word = _folded(value)
        return "left" if word == folded[0] else "right" if word == folded[1] else _SAME.get(word)
    ranks = {_folded(r.get("value")): r.get("rank") for r in _list(value) if isinstance(r, dict)}
    first, second = (ranks.get(name) for name in folded)
    if not isinstance(first, int) or not isinstance(second, int):
        return None
    return "left" if first < second else "right" if second < first else "tie"


def _folded(word: Any) -> str:
    return "".join(filter(str.isalnum, word.casefold())) if isinstance(word, str) else ""


def write(row: PreferenceRow) -> Fields:
    """Write a record whose question `preference` was answered with the field of the better response."""
    if row.tools:
        raise RowError("argilla can't say tools")
    only_text(row.prompt, "argilla")
    chosen, rejected = only_answer(row.chosen, "argilla"), only_answer(row.rejected, "argilla")
    first, second, is_first_better = ordered(row.prompt, chosen, rejected)
    better = "response1" if is_first_better else "response2"
    return {
        "fields": {"prompt": row.prompt, "response1": first, "response2": second},
        "responses": {"preference": [{"value": better, "user_id": NOBODY, "status": "submitted"}]},
    }


RECORDS = Format(
    "argilla",
    "Argilla's records: fields of prompt, response1, response2, and responses",
    detect,
    read,
    write_preference=write,
    note="FILE is for an Argilla data set with a chat field prompt, the text fields response1 and response2, and a "
    f"label question preference of response1 and response2. Its answers are user {NOBODY}'s, whom no server knows: "
    "put in the id of a user of yours.",
)

FORMATS = (RECORDS,)
