"""Rows whose prompt and answers are one plain text each: TRL's standard shapes, tables, judged pairs."""

from store.examples import Message
from studio.formats.row import Candidate, PreferenceRow, RowError
from studio.formats.shape import Fields
from studio.formats.turns import only_text, text_of


def asks(text: str) -> Message:
    """Return a text as the user's message."""
    return {"role": "user", "content": text}


def answers(text: str) -> Message:
    """Return a text as the assistant's message."""
    return {"role": "assistant", "content": text}


def answer_of(fields: Fields, key: str) -> list[Message]:
    """Return a column that holds an answer's text, as its messages."""
    return [answers(text_of(fields, key))]


def two_candidates(fields: Fields, first: str, second: str, *authors: str) -> tuple[Candidate, ...]:
    """Return the two columns that hold answers, as candidates with their authors where these are known."""
    by = authors or ("", "")
    return tuple(Candidate(answer_of(fields, key), author=a) for key, a in zip((first, second), by, strict=True))


def empty_answers(candidates: tuple[Candidate, ...]) -> str | None:
    """Return what is wrong with a row of which an answer has no text; None where all have some."""
    numbers = [str(n) for n, c in enumerate(candidates, 1) if not c.messages[-1]["content"].strip()]
    return f"answer {' and '.join(numbers)} is empty" if numbers else None


def only_question(prompt: list[Message], tools: object, shape: str) -> str:
    """Return the text of a prompt that is one turn of the user.

    Raises:
        RowError: it is more than that, which one text can't say.
    """
    if tools:
        raise RowError(f"{shape} can't say tools")
    if [turn["role"] for turn in prompt] != ["user"]:
        raise RowError(f"{shape} holds one question as plain text: no system turn and no earlier turns")
    only_text(prompt, shape)
    return str(prompt[0]["content"])


def only_answer(answer: list[Message], shape: str) -> str:
    """Return the text of an answer that is one turn of the assistant.

    Raises:
        RowError: it is more than that, which one text can't say.
    """
    if [turn["role"] for turn in answer] != ["assistant"]:
        raise RowError(f"{shape} holds answers of one message only")
    only_text(answer, shape)
    return str(answer[0]["content"])


def only_texts(row: PreferenceRow, shape: str) -> tuple[str, str, str]:
    """Return a pair as its question, its better and its worse answer.

    Raises:
        RowError: it is more than three texts.
    """
    return (
        only_question(row.prompt, row.tools, shape),
        only_answer(row.chosen, shape),
        only_answer(row.rejected, shape),
    )
