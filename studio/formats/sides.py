"""Judged pairs in a file: which of two answers stands first."""

import hashlib
import json
from typing import NamedTuple

from store.examples import Message
from studio.formats.plain_text import only_texts
from studio.formats.row import PreferenceRow


class JudgedTexts(NamedTuple):
    """A question with two answers in the order of the file."""

    question: str
    first: str
    second: str
    is_first_better: bool


def judged_texts(row: PreferenceRow, shape: str) -> JudgedTexts:
    """Return a pair as three texts, the answers in the order that a file has them.

    Raises:
        RowError: it is more than three texts.
    """
    question, chosen, rejected = only_texts(row, shape)
    return JudgedTexts(question, *ordered(row.prompt, chosen, rejected))


def ordered(prompt: list[Message], chosen: str, rejected: str) -> tuple[str, str, bool]:
    """Return two answers in the order that their texts decide, and whether the first of them is the better one.

    The verdict has no part in it: a judge that is tested on the file can't learn that one side wins.
    """
    low, high = sorted((chosen, rejected))
    decided = hashlib.sha256(json.dumps([prompt, low, high]).encode()).digest()
    first, second = (high, low) if decided[0] & 1 else (low, high)
    return first, second, first == chosen
