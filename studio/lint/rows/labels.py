"""Answers that should be one of a few classes."""

from collections.abc import Iterator
from difflib import get_close_matches

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import excerpt, name_of, text_of


def _unknown_label(subject: Subject, context: Context) -> Iterator[str]:
    labels = context.options["labels"]
    if not labels:
        return
    for answer in subject.answers:
        said = text_of(answer.messages)
        if said.strip() and said not in labels:
            yield f"{name_of(subject, answer)}: {excerpt(said)}{_suggestion(said, labels)}"


def _suggestion(said: str, labels: tuple[str, ...]) -> str:
    if len(said) > 2 * max(map(len, labels)):
        return ""
    by_plain = {_plain(label): label for label in labels}
    near = get_close_matches(_plain(said), by_plain, 1, cutoff=0.75)
    return f", perhaps {by_plain[near[0]]!r}" if near else ""


def _plain(label: str) -> str:
    return "_".join(label.casefold().replace("-", " ").replace("_", " ").split())


CHECKS = (
    OfRow(
        Check(
            "unknown-label",
            "answers that are none of the classes",
            "The answer is not one of lint.labels in studio.toml: a misspelt class counts as another one.",
            "error",
        ),
        _unknown_label,
    ),
)
