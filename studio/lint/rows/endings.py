"""Answers that stop in the middle."""

import re
from collections.abc import Iterator

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import excerpt, name_of

_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]*_]*\s")

_OPEN_WORD = re.compile(
    r"(?:an?|the|of|and|or|but|to|in|with|for|by|from|at|as|that|which|is|are|was|were|be|been|being|has|have|had"
    r"|will|would|can|could|should|may|might|must|not|than|into|your|my|our|their|its|this|these|those|because|if"
    r"|when|while|such|very)",
    re.IGNORECASE,
)
"""English words after which a sentence goes on."""

_LISTED = re.compile(r"\s*(?:[-*+•|>#]|\d+[.)]|[A-Za-z][.)]\s|\w[^.!?]{0,30}:)")

_LEAST_LENGTH = 200
_LIMIT_FROM = 1000
"""Characters: a shorter text rarely met a limit of tokens, and its end without a full stop is somebody's style."""


def _truncated(subject: Subject, _: Context) -> Iterator[str]:
    for answer in subject.answers:
        content = answer.messages[-1].get("content") if answer.messages else None
        if isinstance(content, str) and (found := _open_end(content.rstrip())):
            yield f"{name_of(subject, answer)}: {found}"


def _open_end(text: str) -> str:
    if "```" in text:
        at_line_starts = sum(line.lstrip().startswith("```") for line in text.splitlines())
        is_open = at_line_starts % 2 and text.count("```") % 2
        return "a code block is not closed" if is_open else ""
    if len(text) < _LEAST_LENGTH or not (text[-1].isalnum() or text[-1] in ",(-–—"):
        return ""
    line = text[text.rfind("\n") + 1 :]
    # A last line without sentences before it in the same text may be a list, a poem, a table or code.
    if len(_SENTENCE_END.findall(text)) < 2 or _LISTED.match(line) or "://" in line:
        return ""
    word = line.split()[-1].strip("*_")
    if word.startswith("#"):
        return ""
    goes_on = _OPEN_WORD.fullmatch(word) or text[-1] in ",(-–—"
    is_prose = len(text) >= _LIMIT_FROM and len(line) >= 80 and _SENTENCE_END.search(line)
    return f"ends with {excerpt(text, max(0, len(text) - 40))}" if goes_on or is_prose else ""


CHECKS = (
    OfRow(
        Check(
            "truncated-answer",
            "answers that stop in the middle",
            "The last sentence or code block is not closed, as when a generation met its limit: the model learns to"
            " stop there. Lists, code and data are not judged.",
            "warning",
        ),
        _truncated,
    ),
)
