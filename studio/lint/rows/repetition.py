"""Texts that go round in circles, and answers that give the question back."""

import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import excerpt, name_of, text_of, texts_of

FEWEST_WORDS = 40
"""Shorter texts repeat themselves by nature: lists, refrains, tongue twisters."""

_FEW_WORDS = 0.3
"""Different words as a share of all, below which a text may go in a circle; in prose it is above a half."""

_COMPRESSED_FROM = 2000
_DRAWN = frozenset("-=_*#.~+|/\\─━═ \t\n\r")
"""Characters that people draw lines with."""


def _repetition(subject: Subject, context: Context) -> Iterator[str]:
    options = context.options
    for passage in texts_of(subject).passages:
        found = (
            _run(passage.text, options["longest_run"])
            or _four_words(passage.text, options["repeated_share"], options["looped_share"])
            or _packed(passage.text, options["compression"])
        )
        if found:
            yield f"{passage.where}: {found}"


def _run(text: str, longest: int) -> str:
    """Describe a run of one character longer than allowed, without looking at each character.

    Of every so many characters, half the length of such a run, it holds two that follow each other.
    """
    step = max(longest // 2, 1)
    for number, (character, following) in enumerate(pairwise(text[::step])):
        if character != following or character in _DRAWN:
            continue
        begin, end = number * step, (number + 1) * step
        if text[begin:end] != character * step:
            continue
        while begin and text[begin - 1] == character:
            begin -= 1
        while end < len(text) and text[end] == character:
            end += 1
        if end - begin > longest:
            return f"{character!r} {end - begin:,} times in a row"
    return ""


def _four_words(text: str, most_of_one: float, most_repeated: float) -> str:
    """Describe four words that make up more of a text than allowed, or how much of it was there before."""
    words = text.split() if len(text) > 2 * FEWEST_WORDS else []
    if len(words) < FEWEST_WORDS:
        return ""
    total = len(words) - 3
    # Single words are counted sooner, and where fours come back their words do.
    single = Counter(words)
    is_suspect = max(single.values()) > most_of_one * total or len(single) < _FEW_WORDS * len(words)
    if not is_suspect:
        return ""
    fours = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    ((four, times),) = fours.most_common(1)
    # Rows of figures and drawn lines are data.
    if not any(map(str.isalpha, "".join(four))):
        return ""
    if times > most_of_one * total:
        return f"{excerpt(' '.join(four))} {times:,} times"
    repeated = total - len(fours)
    return f"{repeated / total:.0%} of it repeats what it said before" if repeated > most_repeated * total else ""


def _packed(text: str, most: float) -> str:
    """Describe a long text that packs much smaller than any prose."""
    if len(text) < _COMPRESSED_FROM:
        return ""
    raw = text.encode(errors="replace")
    packed = len(zlib.compress(raw, 1))
    return f"packs to {packed:,} of {len(raw):,} bytes" if len(raw) > most * packed else ""


def _repeats_prompt(subject: Subject, context: Context) -> Iterator[str]:
    least = context.options["repeated_prompt"]
    asked = next((text_of([m]).strip() for m in reversed(subject.prompt) if m["role"] == "user"), "")
    told = next((text_of([m]).strip() for m in subject.prompt if m["role"] == "system"), "")
    for name, text in (("prompt", asked), ("system prompt", told)):
        if len(text) >= least:
            for answer in subject.answers:
                if text in text_of(answer.messages):
                    yield f"{name_of(subject, answer)}: the whole {name} stands in it"


CHECKS = (
    OfRow(
        Check(
            "repetition",
            "texts that go round in circles",
            "The same words or characters come again and again, as from a model that could not stop.",
            "warning",
        ),
        _repetition,
    ),
    OfRow(
        Check(
            "repeats-prompt",
            "answers that give the prompt back",
            "The whole prompt stands in the answer, so that the model learns to say the question again.",
            "info",
        ),
        _repeats_prompt,
    ),
)
