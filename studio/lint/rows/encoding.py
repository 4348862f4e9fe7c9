"""Characters that came out of a wrong decoding, and such as nobody sees."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from store.examples import Message
from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import changed, excerpt, texts_of

_LOST = "\N{REPLACEMENT CHARACTER}"

_C1_CONTROL = re.compile("[\x80-\x9f]")

_NEIGHBOURS = re.compile(
    "[\xa1-\u024f\u0370-\u052f\u0600-\u06ff\u221a\u2500-\u25ff]"
    "[\x80-\u024f\u0370-\u052f\u0600-\u06ff\u2000-\u23ff\u2500-\u25ff]"
)
"""Two letters or signs of the old code pages side by side: without these and C1 controls nothing is mojibake."""

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_HIDDEN = re.compile("[\xad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
"""Zero-width characters but for the joiners, which scripts and emoji need; marks of direction; tag characters."""

_ODD_SPACES = re.compile("[\xa0\u2000-\u200a\u2028\u2029\u202f\u205f\u3164]")

_EMOJI_TAGS = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")

_LETTERS_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufefc]")


def _mojibake(subject: Subject, _: Context) -> Iterator[str]:
    texts = texts_of(subject)
    whole = texts.whole
    if whole.isascii() or not (_LOST in whole or _NEIGHBOURS.search(whole) or _C1_CONTROL.search(whole)):
        return
    for passage in texts.passages:
        if found := _misread(passage.text):
            yield f"{passage.where}: {excerpt(passage.text, max(0, found.start() - 10), found.end() + 10)}"
        elif _LOST in passage.text:
            at = passage.text.index(_LOST)
            yield f"{passage.where}: characters were lost at {excerpt(passage.text, max(0, at - 20), at + 20)}"


def _misread(text: str) -> re.Match[str] | None:
    """Return where a text was read in a wrong encoding; one odd pair that can't be decoded again is a quotation."""
    from ftfy import fix_encoding
    from ftfy.badness import BADNESS_RE

    found = list(islice(BADNESS_RE.finditer(text), 2))
    return found[0] if len(found) > 1 or (found and fix_encoding(text) != text) else None


def _mend_mojibake(message: Message) -> Message:
    from ftfy import fix_encoding
    from ftfy.badness import is_bad
    from ftfy.fixes import fix_c1_controls

    return changed(message, lambda text: fix_c1_controls(fix_encoding(text)) if is_bad(text) else text)


def _control(subject: Subject, _: Context) -> Iterator[str]:
    yield from _listed(subject, _CONTROLS)


def _mend_controls(message: Message) -> Message:
    return changed(message, lambda text: _CONTROLS.sub("", text))


def _hidden(subject: Subject, _: Context) -> Iterator[str]:
    texts = texts_of(subject)
    if not texts.whole.isascii() and _HIDDEN.search(_without_use(texts.whole)):
        yield from _listed(subject, _HIDDEN)


def _without_use(text: str) -> str:
    """Return text without the hidden characters that have a task: those in flags, and in scripts from the right."""
    text = _EMOJI_TAGS.sub("", text)
    return re.sub("[\u200e\u200f]", "", text) if _LETTERS_RIGHT_TO_LEFT.search(text) else text


def _mend_hidden(message: Message) -> Message:
    return changed(message, lambda text: _HIDDEN.sub("", text) if _HIDDEN.search(_without_use(text)) else text)


def _odd_space(subject: Subject, _: Context) -> Iterator[str]:
    if not texts_of(subject).whole.isascii():
        yield from _listed(subject, _ODD_SPACES)


def _mend_odd_spaces(message: Message) -> Message:
    def plain(text: str) -> str:
        return _ODD_SPACES.sub(lambda found: "\n" if found[0] in "\u2028\u2029" else " ", text)

    return changed(message, plain)


def _listed(subject: Subject, pattern: re.Pattern[str]) -> Iterator[str]:
    texts = texts_of(subject)
    if not pattern.search(texts.whole):
        return
    for passage in texts.passages:
        if found := pattern.findall(passage.text):
            times = f" and {len(found) - 1} more" if len(found) > 1 else ""
            yield f"{passage.where}: {_named(found[0])}{times}"


def _named(character: str) -> str:
    name = unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X}{f' ({name})' if name else ''}"


CHECKS = (
    OfRow(
        Check(
            "mojibake",
            "texts that were read in a wrong encoding",
            "UTF-8 was taken for another encoding (Ã© for é), or characters were lost. The model learns to write such.",
            "warning",
            fix="decodes them again (ftfy)",
        ),
        _mojibake,
        _mend_mojibake,
    ),
    OfRow(
        Check(
            "control-character",
            "texts with control characters",
            "Escape sequences, NUL or half a surrogate pair: remains of terminals, scans and broken decoding, which"
            " become rare tokens.",
            "warning",
            fix="takes them out",
        ),
        _control,
        _mend_controls,
    ),
    OfRow(
        Check(
            "hidden-character",
            "texts with characters that nobody sees",
            "Zero-width characters and marks of direction change the tokens but not what you read; some hide text.",
            "warning",
            fix="takes them out",
        ),
        _hidden,
        _mend_hidden,
    ),
    OfRow(
        Check(
            "odd-space",
            "texts with spaces of other kinds",
            "No-break and other wide or narrow spaces look like a space and are other tokens.",
            "info",
            fix="makes them plain spaces",
        ),
        _odd_space,
        _mend_odd_spaces,
    ),
)
