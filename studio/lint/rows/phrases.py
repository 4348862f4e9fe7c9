"""Answers that refuse, or speak of being a model: found by phrases near their beginning."""

from collections.abc import Iterator
from functools import lru_cache

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import answers_of, excerpt

_LOOKED_AT = 400


@lru_cache(maxsize=8)
def _beginning(text: str) -> str:
    return text[:_LOOKED_AT].lower().replace("’", "'").replace("‘", "'")


@lru_cache(maxsize=16)
def phrase_in(text: str, phrases: tuple[str, ...]) -> str:
    """Return the first of some phrases (in lower case) that stands near a text's beginning, else nothing."""
    beginning = _beginning(text)
    return next((phrase for phrase in phrases if phrase in beginning), "")


def _refusal(subject: Subject, context: Context) -> Iterator[str]:
    yield from _with_phrase(subject, context.options["refusals"])


def _boilerplate(subject: Subject, context: Context) -> Iterator[str]:
    yield from _with_phrase(subject, context.options["boilerplate"])


def _with_phrase(subject: Subject, phrases: tuple[str, ...]) -> Iterator[str]:
    for passage in answers_of(subject):
        if passage.role == "assistant" and (phrase := phrase_in(passage.text, phrases)):
            yield f"{passage.where}: {excerpt(phrase)}"


CHECKS = (
    OfRow(
        Check(
            "refusal",
            "answers that refuse",
            "Refusals spread: a model tuned on them refuses what it could do. Keep only those that you mean.",
            "warning",
        ),
        _refusal,
    ),
    OfRow(
        Check(
            "boilerplate",
            "answers that speak of being a model",
            "'As an AI language model' and the like come from another model's manners and say nothing to the reader.",
            "warning",
        ),
        _boilerplate,
    ),
)
