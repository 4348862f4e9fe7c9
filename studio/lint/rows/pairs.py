"""Pairs from which nothing can be learnt, or the wrong thing."""

import re
import unicodedata
from collections.abc import Iterator

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import decided_pairs, name_of, text_of
from studio.lint.rows.phrases import phrase_in

_OTHER_LETTER = re.compile("[\u0370-\u1dff\u2e80-\ud7ff]")


_FEW_LATIN, _MOSTLY_LATIN = 0.3, 0.9
"""Shares of Latin letters that make two texts differ in script; names and code stand in any text."""


def _same_sides(subject: Subject, _: Context) -> Iterator[str]:
    for _pair, better, worse in decided_pairs(subject):
        if better.messages == worse.messages:
            yield f"{name_of(subject, better)} and {name_of(subject, worse)} are the same"
            continue
        one, other = text_of(better.messages), text_of(worse.messages)
        has_calls = any(m.get("tool_calls") for m in (*better.messages, *worse.messages))
        if one.strip() and not has_calls and abs(len(one) - len(other)) < 100 and _plain(one) == _plain(other):
            yield f"{name_of(subject, better)} and {name_of(subject, worse)} differ in spaces or capitals only"


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _easy_pair(subject: Subject, context: Context) -> Iterator[str]:
    for _pair, better, worse in decided_pairs(subject):
        one, other = text_of(better.messages), text_of(worse.messages)
        if not one.strip() or not other.strip():
            continue
        refuses, also_refuses = (phrase_in(text, context.options["refusals"]) for text in (one, other))
        if bool(refuses) != bool(also_refuses):
            yield f"only the {'chosen' if refuses else 'rejected'} answer refuses: {refuses or also_refuses!r}"
        elif _OTHER_LETTER.search(one + other):
            shares = sorted((_latin_share(one), _latin_share(other)))
            if shares[0] < _FEW_LATIN and shares[1] > _MOSTLY_LATIN:
                yield "the two answers are in different scripts"


def _latin_share(text: str) -> float:
    """Return the Latin letters as a share of the letters that a text begins with; a half where there is none."""
    letters = [character for character in text[:400] if character.isalpha()]
    return sum(character < "\u0250" for character in letters) / len(letters) if letters else 0.5


CHECKS = (
    OfRow(
        Check(
            "same-sides",
            "pairs whose two answers are the same",
            "Chosen and rejected are equal: the pair pulls the model both ways, and some trainers take a part of the"
            " prompt for the answer.",
            "error",
        ),
        _same_sides,
    ),
    OfRow(
        Check(
            "easy-pair",
            "pairs that something simple tells apart",
            "Only one side refuses, or the sides are in different scripts: the model learns that sign and not what"
            " makes an answer good.",
            "info",
        ),
        _easy_pair,
    ),
)
