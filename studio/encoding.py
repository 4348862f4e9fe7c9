"""Text into token ids, in parts too: a part that goes on within a text gets no space before it that nobody wrote.

SentencePiece's tokenizers, and some others, put a space before a text. Encoded by itself, an answer would get one that
the whole conversation has not, and so would what follows a mark that breaks up a special token.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_LONG = 10_000
"""Characters that take a tokenizer more than a moment."""

Read = tuple[int, tuple[int, int]]
"""An id, and where its characters begin and end in the text."""


@dataclass(frozen=True)
class Reader:
    """A tokenizer that can begin within a text."""

    tokenizer: "Tokenizer"

    @cached_property
    def added(self) -> frozenset[int]:
        """The ids of tokens that are looked for before all else, and cut a text into stretches."""
        return frozenset(self.tokenizer.get_added_tokens_decoder())

    @cached_property
    def within(self) -> "Tokenizer | None":
        """The same tokenizer without a space before a text; None where it puts none there."""
        from tokenizers import Tokenizer

        described = json.loads(self.tokenizer.to_str())
        parts = {name: described[name] for name in ("normalizer", "pre_tokenizer")}
        plain = {name: _without_space(part) for name, part in parts.items()}
        return None if plain == parts else Tokenizer.from_str(json.dumps({**described, **plain}))

    @cached_property
    def is_each_stretch(self) -> bool:
        """Whether the space comes after each added token too, not at the beginning alone."""
        step = json.loads(self.tokenizer.to_str())["pre_tokenizer"]
        return '"prepend_scheme": "first"' not in json.dumps(step)

    def ids(self, text: str, after: int | None, mark: int | None = None) -> list[int]:
        """Return the ids of a text; quicker than `read`, whose arguments it takes."""
        usual = _encoding(self.tokenizer, text)
        if self._is_whole(usual.ids, after, mark):
            return usual.ids
        return [i for i, _ in self._put_together(text, _reads(usual), after, mark)]

    def read(self, text: str, after: int | None, mark: int | None = None) -> list[Read]:
        """Return the ids of a text, each with its place.

        Args:
            text: what to encode.
            after: the id that it follows; None where it begins a text.
            mark: the id of what only cuts a text in two, so that both sides belong together.
        """
        usual = _encoding(self.tokenizer, text)
        reads = _reads(usual)
        return reads if self._is_whole(usual.ids, after, mark) else self._put_together(text, reads, after, mark)

    def _is_whole(self, ids: list[int], after: int | None, mark: int | None) -> bool:
        return self.within is None or (self._begins(after) and mark not in ids)

    def _begins(self, after: int | None) -> bool:
        return after is None or (after in self.added and self.is_each_stretch)

    def _put_together(self, text: str, usual: list[Read], after: int | None, mark: int | None) -> list[Read]:
        """Return the stretches that go on within a text without a space before them, the others as usual."""
        assert self.within is not None
        stretches, others = self._stretches(usual), self._stretches(_reads(_encoding(self.within, text)))
        if [cut for cut, _ in stretches] != [cut for cut, _ in others]:
            return usual
        found: list[Read] = []
        for (cut, stretch), (_, other) in zip(stretches, others, strict=True):
            goes_on = cut[0] == mark if cut else not self._begins(after)
            found += [*([cut] if cut else []), *(other if goes_on else stretch)]
        return found

    def _stretches(self, reads: list[Read]) -> list[tuple[Read | None, list[Read]]]:
        """Return what stands between added tokens, each stretch with the one before it."""
        found: list[tuple[Read | None, list[Read]]] = [(None, [])]
        for read in reads:
            if read[0] in self.added:
                found.append((read, []))
            else:
                found[-1][1].append(read)
        return found


def pieces(text: str, reads: list[Read]) -> list[str]:
    """Return for each id its characters; empty where it goes on with the character of the one before."""
    found: list[str] = []
    reached = 0
    if not reads:
        return found
    starts = [start for _, (start, _) in reads[1:]] + [len(text)]
    for (_, (_, end)), following in zip(reads, starts, strict=True):
        # A vocabulary that lacks a byte drops it, and the offsets after it fall short: nothing may be lost here.
        end = following if following == len(text) or text[end:following].strip() else end  # noqa: PLW2901
        found.append(text[reached:end])
        reached = max(reached, end)
    return found


def _encoding(tokenizer: "Tokenizer", text: str) -> "Encoding":
    if len(text) > _LONG:
        # Slower to begin with, but it lets other threads go on, the screen's among them.
        return tokenizer.encode_batch([text], add_special_tokens=False)[0]
    return tokenizer.encode(text, add_special_tokens=False)


def _reads(encoding: "Encoding") -> list[Read]:
    return list(zip(encoding.ids, encoding.offsets, strict=True))


def _without_space(part: Any) -> Any:
    """Return a step of a tokenizer's description, or its steps, that puts nothing before a text; None for no step."""
    if isinstance(part, list):
        return [kept for each in part if (kept := _without_space(each)) is not None]
    if not isinstance(part, dict) or part["type"] == "Prepend":
        return None
    if part["type"] == "Sequence":
        return {name: _without_space(value) if isinstance(value, list) else value for name, value in part.items()}
    if part["type"] == "Metaspace":
        return {**part, "prepend_scheme": "never"}
    return {**part, "add_prefix_space": False} if "add_prefix_space" in part else part
