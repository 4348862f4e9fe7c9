"""Who speaks when."""

from collections.abc import Iterator
from itertools import pairwise

from store.examples import Message
from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import name_of

ROLES = frozenset({"system", "user", "assistant", "tool"})


def _role_order(subject: Subject, _: Context) -> Iterator[str]:
    first = subject.answers[0].messages if subject.answers else []
    yield from _wrong_turns([*subject.prompt, *first])
    for answer in subject.answers[1:]:
        last = len(subject.prompt)
        for found in _wrong_turns([*subject.prompt[-1:], *answer.messages], last):
            yield f"{name_of(subject, answer)}: {found}"


def _wrong_turns(turns: list[Message], first: int = 1) -> Iterator[str]:
    roles = [turn["role"] for turn in turns]
    for number, role in enumerate(roles, first):
        if role not in ROLES:
            yield f"turn {number}: the role {str(role)[:40]!r} is not known"
        elif role == "system" and number > 1:
            yield f"turn {number}: a system turn that is not the first"
    for number, (before, after) in enumerate(pairwise(turns), first + 1):
        role = after["role"]
        if role == before["role"] and role in ("user", "assistant") and not _calls(before) and not _calls(after):
            yield f"turns {number - 1} and {number}: the {role} speaks twice in a row"
        if role == "tool" and before["role"] != "tool" and not _calls(before):
            yield f"turn {number}: a tool's result without a call before it"


def _calls(message: Message) -> bool:
    return bool(message.get("tool_calls"))


def _unanswered(subject: Subject, _: Context) -> Iterator[str]:
    if subject.prompt and not subject.answers:
        yield f"it ends with turn {len(subject.prompt)}, of the {subject.prompt[-1]['role']}"


CHECKS = (
    OfRow(
        Check(
            "role-order",
            "conversations whose turns are out of order",
            "An unknown role, a late system turn, one side twice in a row or a tool's result that nobody asked for:"
            " chat templates refuse such conversations or render them unlike anything the model has seen.",
            "error",
        ),
        _role_order,
    ),
    OfRow(
        Check(
            "unanswered",
            "conversations that do not end with the assistant",
            "There is no answer and no response, so nothing can be learnt from them until they have one.",
            "warning",
        ),
        _unanswered,
    ),
)
