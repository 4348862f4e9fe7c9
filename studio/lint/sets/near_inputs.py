"""Short inputs of classification that say nearly the same."""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from studio.lint.check import Context
from studio.lint.features import Features
from studio.lint.noted import Noted
from studio.lint.sets.tasks import Task, tasks

RAREST_WORDS = 3
"""Two inputs are compared where they have one of their rarest words in common, this many of each."""
MOST_COMPARISONS = 3_000_000
"""Comparisons of a task; about half a second."""

_FIGURE = re.compile(r"\d+")
_SLIPS = "<>=^~|` "
"""Signs after the last word, which compare nothing there: slips of the finger, mostly for a question mark."""


@dataclass(frozen=True)
class NearPairs:
    """Inputs of a task that are nearly the same."""

    pairs: list[tuple[Features, Features]]
    unseen: int
    """Comparisons that were left out because there were too many."""


def near_inputs(noted: Noted, context: Context) -> Iterator[tuple[Task, NearPairs]]:
    """Yield each task of classification with its nearly equal inputs."""
    for task in tasks(noted, context):
        yield task, _of_task(task, float(context.options["like_inputs"]))


@lru_cache(maxsize=8)
def _of_task(task: Task, likeness: float) -> NearPairs:
    """Return the near pairs of a task; several checks ask for them."""
    return near_pairs(task.rows, likeness)


def figures(row: Features) -> list[str]:
    """Return the numbers of an input in their order: "is 3 > 5" is not "is 5 > 3"."""
    return _FIGURE.findall(row.short_prompt)


def near_pairs(rows: Sequence[Features], likeness: float) -> NearPairs:
    """Return the pairs of inputs whose words, in alphabetical order, are as much alike (0 to 100).

    The likeness is token_sort_ratio of rapidfuzz: 100 less the share of letters to take out or put in.
    Of all pairs only those are compared that share one of their rarest words, and whose lengths allow the likeness:
    on banking77 (10,003 inputs) this finds the same 595 pairs as comparing each with each.
    """
    from rapidfuzz import fuzz, process

    short = [row for row in rows if row.short_prompt]
    texts = [" ".join(sorted(row.short_prompt.rstrip(_SLIPS).split())) for row in short]
    order = sorted(range(len(short)), key=lambda at: len(texts[at]))
    found: set[tuple[int, int]] = set()
    left, unseen = MOST_COMPARISONS, 0
    for block in sorted(_blocks(texts, order), key=len):
        choices = [texts[at] for at in block]
        for place, end in _windows(choices, likeness):
            count = end - place - 1
            if count > left:
                unseen += count
                continue
            left -= count
            near = process.extract_iter(
                choices[place], choices[place + 1 : end], scorer=fuzz.ratio, score_cutoff=likeness
            )
            found.update(_ordered(block[place], block[place + 1 + index]) for _, _, index in near)
    return NearPairs([(short[one], short[other]) for one, other in sorted(found)], unseen)


def _windows(choices: list[str], likeness: float) -> Iterator[tuple[int, int]]:
    """Yield the place of each text, the shortest first, with the end of those after it that it can be like."""
    lengths = [len(text) for text in choices]
    # A ratio of 2 * common / (a + b) needs a common part, which is the shorter text at most.
    longer = (200 - likeness) / max(likeness, 1)
    for place, length in enumerate(lengths[:-1]):
        end = bisect_left(lengths, length * longer + 1, place + 1)
        if end > place + 1:
            yield place, end


def _blocks(texts: list[str], order: list[int]) -> list[list[int]]:
    """Return the places of texts that share one of their rarest words, in the order given."""
    words = [set(text.split()) for text in texts]
    times = Counter(word for each in words for word in each)
    rank = {word: place for place, (word, _) in enumerate(sorted(times.items(), key=lambda item: (item[1], item[0])))}
    blocks: dict[str, list[int]] = defaultdict(list)
    for at in order:
        for word in sorted(words[at], key=rank.__getitem__)[:RAREST_WORDS]:
            blocks[word].append(at)
    return [block for block in blocks.values() if len(block) > 1]


def _ordered(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
