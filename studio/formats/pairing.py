"""Preferences and labels: what the shapes for pairs and for single labelled answers have in common."""

from typing import Any

from store.examples import Message
from studio.formats.row import Candidate, PreferenceRow, Row, RowError


def chosen_over_rejected(
    prompt: list[Message],
    chosen: list[Message],
    rejected: list[Message],
    tools: list[dict[str, Any]] | None = None,
) -> Row:
    """Return a row whose first candidate was called better than its second.

    Raises:
        RowError: there is nothing that the two answer.
    """
    check_prompt(prompt)
    return Row(prompt, tools, (Candidate(chosen), Candidate(rejected)), "left")


def labelled(
    prompt: list[Message], completion: list[Message], label: Any, tools: list[dict[str, Any]] | None = None
) -> Row:
    """Return a row with one answer that was called good or bad by itself.

    Raises:
        RowError: there is nothing that it answers, or the label is neither true nor false.
    """
    check_prompt(prompt)
    if not is_label(label):
        raise RowError("its label is neither true nor false")
    return Row(prompt, tools, (Candidate(completion, label=str(label).lower() == "true"),))


def check_prompt(prompt: list[Message]) -> None:
    """Make sure that a prompt asks for an answer.

    Raises:
        RowError: it is empty, or the assistant has spoken last.
    """
    if not prompt:
        raise RowError("the row has no prompt")
    if prompt[-1]["role"] == "assistant":
        raise RowError("the prompt ends with the assistant's own turn")


def is_label(value: Any) -> bool:
    """Tell whether a value can be a label: true, false, or the same as a text of a CSV file."""
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("true", "false"))


def single_answer(answer: list[Message], shape: str) -> Message:
    """Return the one message that an answer consists of.

    Raises:
        RowError: it has more.
    """
    if len(answer) != 1:
        raise RowError(f"{shape} holds answers of one message only")
    return answer[0]


def single_answers(row: PreferenceRow, shape: str) -> tuple[Message, Message]:
    """Return the better and the worse answer of a pair, one message each.

    Raises:
        RowError: one has more.
    """
    return single_answer(row.chosen, shape), single_answer(row.rejected, shape)
