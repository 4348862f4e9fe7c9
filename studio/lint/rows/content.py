"""Texts that are not there, or are no text."""

from collections.abc import Iterator

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import name_of, text_of, texts_of

ODD_VALUES = frozenset(
    {"null", "NULL", "nan", "NaN", "undefined", "[object Object]", "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"}
)
"""What programs write where a value was missing or a formula failed."""


def _empty_answer(subject: Subject, _: Context) -> Iterator[str]:
    for answer in subject.answers:
        if not text_of(answer.messages).strip() and not any(m.get("tool_calls") for m in answer.messages):
            yield f"{name_of(subject, answer)}: {'no text' if not text_of(answer.messages) else 'only spaces'}"


def _empty_prompt(subject: Subject, _: Context) -> Iterator[str]:
    for number, message in enumerate(subject.prompt, 1):
        content = message.get("content")
        if message["role"] in ("user", "system") and isinstance(content, str) and not content.strip():
            yield f"turn {number} ({message['role']}): {'no text' if not content else 'only spaces'}"


def _not_text(subject: Subject, _: Context) -> Iterator[str]:
    for where, messages in (("prompt", subject.prompt), *((name_of(subject, a), a.messages) for a in subject.answers)):
        for message in messages:
            content = message.get("content")
            if not isinstance(content, str) and not (content is None and message.get("tool_calls")):
                yield f"{where}: its content is {str(content)[:40]!r}, not a text"


def _odd_value(subject: Subject, _: Context) -> Iterator[str]:
    for passage in texts_of(subject).passages:
        if len(passage.text) < 20 and passage.role != "call" and passage.text.strip() in ODD_VALUES:
            yield f"{passage.where}: {passage.text.strip()!r}"


CHECKS = (
    OfRow(
        Check(
            "empty-answer",
            "answers that are empty",
            "The answer, or one side of a pair, has no text and no tool call. A model trained on it learns to say"
            " nothing; a verdict against nothing teaches only that any text is better.",
            "error",
        ),
        _empty_answer,
    ),
    OfRow(
        Check(
            "empty-prompt",
            "turns of the prompt that are empty",
            "A turn of the user or the system has no text: the answer follows from nothing that the model can see.",
            "error",
        ),
        _empty_prompt,
    ),
    OfRow(
        Check(
            "not-text",
            "turns whose content is no text",
            "A chat template would write such a value out as code or fail.",
            "error",
        ),
        _not_text,
    ),
    OfRow(
        Check(
            "odd-value",
            "texts that are only a program's word for a missing value",
            "'null' or '#N/A' as a whole text was a missing value once; the model would learn to say the word.",
            "warning",
        ),
        _odd_value,
    ),
)
