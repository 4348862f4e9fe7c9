"""Blocks put together into passages: under one heading, not longer than asked, cut between sentences where need be."""

import re
from collections.abc import Iterable, Iterator

from store.passages import Cut
from studio.retrieval.blocks import Block

_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def cut(blocks: Iterable[Block], size: int) -> Iterator[Cut]:
    """Yield the passages that blocks make, of at most `size` characters each."""
    headings: list[tuple[int, str]] = []
    held: list[Block] = []
    for block in blocks:
        if block.level:
            yield from _passage(held, headings)
            held = []
            headings = [*(h for h in headings if h[0] < block.level), (block.level, block.text)]
            continue
        for part in _parts(block, size):
            if held and sum(len(b.text) + 2 for b in held) + len(part.text) > size:
                yield from _passage(held, headings)
                held = []
            held.append(part)
    yield from _passage(held, headings)


def _passage(held: list[Block], headings: list[tuple[int, str]]) -> Iterator[Cut]:
    if held:
        text = "\n\n".join(block.text for block in held)
        yield Cut(held[0].first, held[-1].last, " > ".join(text for _, text in headings), text)


def _parts(block: Block, size: int) -> Iterator[Block]:
    """Yield a block in pieces that are short enough, cut between sentences, and else between words."""
    begin = 0
    while len(block.text) - begin > size:
        end = _best_end(block.text, begin, size)
        yield _piece(block, begin, end)
        begin = end
    yield _piece(block, begin, len(block.text))


def _best_end(text: str, begin: int, size: int) -> int:
    window = text[begin : begin + size]
    ends = [match.end() for match in _END.finditer(window) if match.end() > size // 2]
    at = ends[-1] if ends else window.rfind(" ", size // 2) + 1
    return begin + (at or size)


def _piece(block: Block, begin: int, end: int) -> Block:
    if end - begin == len(block.text):
        return block
    # A text of fewer lines than its block has, such as a row of data, stands on all of them.
    is_as_written = block.text.count("\n") == block.last - block.first
    first = block.first + block.text.count("\n", 0, begin) if is_as_written else block.first
    text = block.text[begin:end]
    last = first + text.rstrip().count("\n") if is_as_written else block.last
    return Block(first, last, text.strip())
