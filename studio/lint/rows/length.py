"""Rows that are longer than training takes."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from store.examples import Message
from studio.errors import StudioError
from studio.lint.check import Answer, Check, Context, OfRow, Subject
from studio.lint.rows.passages import name_of

if TYPE_CHECKING:
    from studio.rendering import ChatTokenizer

_BYTES_A_TOKEN = 3.5
"""What a token holds of a text in most languages; for a guess where there is no tokenizer."""

_UNKNOWN = 1 << 40
"""A size that makes sure that the tokens are counted."""

_MARGIN = 1.15
"""Tokenizers take texts apart at spaces; this covers what a few of them join otherwise."""
_LONGEST_WORD = 40
_MOST_WORDS = 200_000
"""Words that are remembered, about 20 MB."""


def _too_long(subject: Subject, context: Context) -> Iterator[str]:
    for answer in subject.answers or [Answer(None, [])]:
        messages = [*subject.prompt, *answer.messages]
        size = sum(map(_size, messages))
        name = name_of(subject, answer) if answer.messages else "prompt"
        if context.tokenizer is None:
            if size > context.max_length * _BYTES_A_TOKEN:
                guess = round(size / _BYTES_A_TOKEN)
                yield f"{name}: about {guess:,} tokens of {context.max_length:,}, guessed without the model's tokenizer"
        elif _may_exceed(context.tokenizer, context.max_length, messages, size, subject):
            yield from _counted(subject, messages, name, context.tokenizer, context.max_length)


def _size(message: Message) -> int:
    text = _written(message)
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _written(message: Message) -> str:
    content = message.get("content")
    # Nearly all messages are a role and a content; whatever else one has is in its JSON, as wide as any template's.
    return content if len(message) == 2 and isinstance(content, str) else json.dumps(message, indent=4, default=str)


def _may_exceed(tokenizer: "ChatTokenizer", most: int, messages: list[Message], size: int, subject: Subject) -> bool:
    """Tell whether a conversation's tokens must be counted one by one to know that they are not too many."""
    if subject.tools:
        # Templates write tools out in ways of their own, with a text about them.
        return True
    known = _known_of(tokenizer)
    start, each = known.own_bytes
    around = start + each * len(messages)
    # No token is shorter than a byte.
    if size + around <= most:
        return False
    return around + _MARGIN * sum(known.words.count(_written(message)) for message in messages) > most


class _Words(dict[str, int]):
    """How many tokens a word has after a space; filled as words are met."""

    def __init__(self, tokenizer: "ChatTokenizer") -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, word: str) -> int:
        if len(word) > _LONGEST_WORD or self._tokenizer.special_pattern.search(word):
            return len(word.encode(errors="surrogatepass")) + 1
        if len(self) >= _MOST_WORDS:
            self.clear()
        plain = word.encode(errors="replace").decode()
        self[word] = count = len(self._tokenizer.tokenizer.encode(f" {plain}", add_special_tokens=False).ids)
        return count

    def count(self, text: str) -> int:
        """Return about how many tokens a text has, rather too many: as many as its words have one by one."""
        return sum(map(self.__getitem__, text.split(" ")))


class _Known(NamedTuple):
    """What was found out about a tokenizer."""

    tokenizer: "ChatTokenizer"
    own_bytes: tuple[int, int]
    """How much the chat template adds once, and to each turn."""
    words: _Words


_latest: _Known | None = None


def _known_of(tokenizer: "ChatTokenizer") -> _Known:
    global _latest  # noqa: PLW0603
    known = _latest
    if known is None or known.tokenizer is not tokenizer:
        _latest = known = _Known(tokenizer, _measured(tokenizer), _Words(tokenizer))
    return known


def _measured(tokenizer: "ChatTokenizer") -> tuple[int, int]:
    turns: list[Message] = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "a"}]
    try:
        one, two = (_own_size(tokenizer, turns * times) for times in (1, 2))
    except StudioError:
        return _UNKNOWN, 0
    # Two turns are as long as the longer of them twice, at most.
    return one, two - one


def _own_size(tokenizer: "ChatTokenizer", messages: list[Message]) -> int:
    """Return the bytes of rendered messages, a control token counted as one."""
    from studio.rendering import segments

    texts = (part.text for parts in segments(tokenizer, messages) for part in parts)
    return sum(len(tokenizer.special_pattern.sub("-", text).encode()) for text in texts)


def _counted(
    subject: Subject, messages: list[Message], name: str, tokenizer: "ChatTokenizer", most: int
) -> Iterator[str]:
    from studio.rendering import lengths

    try:
        asked, whole = lengths(tokenizer, messages, subject.tools)
    except StudioError:
        return
    if asked >= most:
        yield f"{name}: its prompt alone has {asked:,} tokens of {most:,}, so that it is left out of training"
    elif whole > most:
        yield (
            f"{name}: {whole:,} tokens of {most:,}: cut at the end, of the {whole - asked:,} trained tokens"
            f" {whole - most:,} are lost"
        )


CHECKS = (
    OfRow(
        Check(
            "too-long",
            "rows longer than training takes",
            "Training keeps lint.max_length tokens from the start. What is cut is the answer's end, with the mark that"
            " ends it; a row whose prompt alone is that long is left out.",
            "warning",
        ),
        _too_long,
    ),
)
