"""Special tokens in what people wrote: broken up by a mark, so that only those that the template writes are read.

The mark is a character that stands nowhere else. It is a token of its own to a copy of the tokenizer, which therefore
cuts the text there as it cuts at any special token; the mark's id is then left out. So a model gets exactly the
characters that were written, as text.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from store.examples import Message
from studio.encoding import Reader
from studio.errors import StudioError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from studio.rendering import ChatTokenizer

_CANDIDATES = tuple(chr(code) for code in range(0xF8F0, 0xF8FF))
"""Private-use characters, one of which is the mark."""


@dataclass(frozen=True)
class Marker:
    """A mark, and the tokenizer that reads it."""

    mark: str
    reader: Reader
    id: int
    """The mark's own, which no model knows."""


def protected(
    tokenizer: "ChatTokenizer", messages: list[Message], tools: list[dict[str, Any]] | None
) -> tuple[Marker | None, list[Message], list[dict[str, Any]] | None]:
    """Return a conversation in which no text of a person holds a special token, and what broke them up.

    Of those that a template writes within a turn, such as `<think>`, the assistant's own words keep theirs: it writes
    them itself.
    """
    everything = json.dumps([messages, tools], ensure_ascii=False)
    special, any_token = (
        _pattern(tokenizer.special_tokens),
        _pattern(tokenizer.special_tokens | tokenizer.template_tokens),
    )
    if not any_token.search(everything) and not _reads_otherwise(tokenizer):
        return None, messages, tools
    marker = _marker(tokenizer, everything)
    broken = [
        _each_text(message, _breaker(tokenizer, marker, special if message.get("role") == "assistant" else any_token))
        for message in messages
    ]
    return marker, broken, _each_text(tools, _breaker(tokenizer, marker, any_token))


def unescaped(marker: Marker | None, text: str) -> str:
    """Return a rendered text with its marks as they are, where a template wrote them as JSON in ASCII."""
    return text.replace(_escaped(marker.mark), marker.mark) if marker else text


def _escaped(mark: str) -> str:
    return json.dumps(mark)[1:-1]


@lru_cache(maxsize=32)
def _pattern(tokens: frozenset[str]) -> re.Pattern[str]:
    # One character can't be broken up; as text it is the same token.
    ordered = sorted((token for token in tokens if len(token) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) or r"(?!)")


def _reads_otherwise(tokenizer: "ChatTokenizer") -> bool:
    """Tell whether a special token may be read where its characters don't stand: in letters of another width."""
    reads = tokenizer.tokenizer
    added = reads.get_added_tokens_decoder().values()
    return reads.normalizer is not None and any(token.special and token.normalized for token in added)


def _marker(tokenizer: "ChatTokenizer", everything: str) -> Marker:
    seen = everything + tokenizer.template
    mark = next((m for m in _CANDIDATES if m not in seen and _escaped(m) not in seen), None)
    if mark is None:
        raise StudioError("This conversation holds every private-use character that could protect it.")
    if mark not in tokenizer.markers:
        tokenizer.markers[mark] = _made(tokenizer.tokenizer, mark)
    return tokenizer.markers[mark]


def _made(tokenizer: "Tokenizer", mark: str) -> Marker:
    from tokenizers import AddedToken, Tokenizer

    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.add_tokens([AddedToken(mark, normalized=False)])
    number = copy.token_to_id(mark)
    assert number is not None
    return Marker(mark, Reader(copy), number)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _each_text(item, change) for key, item in value.items()}
    return [_each_text(item, change) for item in value] if isinstance(value, list) else value


def _breaker(tokenizer: "ChatTokenizer", marker: Marker, pattern: re.Pattern[str]) -> Callable[[str], str]:
    def broken(text: str) -> str:
        # What is left of a token that was broken may be another one.
        while pattern.search(text):
            text = pattern.sub(lambda found: found[0][0] + marker.mark + found[0][1:], text)
        return _read_and_broken(tokenizer, marker, text) if _reads_otherwise(tokenizer) else text

    return broken


def _read_and_broken(tokenizer: "ChatTokenizer", marker: Marker, text: str) -> str:
    while True:
        encoding = marker.reader.tokenizer.encode(text, add_special_tokens=False)
        spans = [span for i, span in zip(encoding.ids, encoding.offsets, strict=True) if i in tokenizer.special_ids]
        wide = [(start, end) for start, end in spans if text[start:end].strip() and end - start > 1]
        if not wide:
            return text
        for start, end in reversed(wide):
            place = start + len(text[start:end]) - len(text[start:end].lstrip()) + 1
            text = text[:place] + marker.mark + text[place:]
