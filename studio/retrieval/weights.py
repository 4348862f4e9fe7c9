"""What words say of a text: the rarer in the project's data, the more."""

from collections.abc import Collection
from dataclasses import dataclass
from math import log

from store import examples, nearest, records
from store.database import Store

COMMON = 2_000
"""A word is counted up to so many rows; one that stands in more says next to nothing."""
COMMON_WEIGHT = 0.1
MOST_WORDS = 400
"""Different words of a text that are looked up, from its beginning."""


@dataclass(frozen=True)
class Weights:
    """The words of a text that occur in the project's data, each with what it weighs."""

    of: dict[str, float]

    @property
    def total(self) -> float:
        """What all of them weigh."""
        return sum(self.of.values())

    def rarest(self, most: int) -> list[str]:
        """Return those that weigh most, the heaviest first; common ones only where there are no others."""
        telling = [word for word, weight in self.of.items() if weight > COMMON_WEIGHT] or list(self.of)
        return sorted(telling, key=lambda word: (-self.of[word], word))[:most]

    def covered(self, words: Collection[str]) -> float:
        """Return from 0 to 1 how much of the text's weight some words have."""
        return sum(self.of[word] for word in self.of.keys() & set(words)) / (self.total or 1)


def weigh(store: Store, words: Collection[str]) -> Weights:
    """Return the weights of words by how many rows have them (idf)."""
    rows = max(len(records.span(store)), examples.count(store), 1)
    counts = nearest.counts(store, list(dict.fromkeys(words))[:MOST_WORDS], COMMON)
    return Weights(
        {word: log(1 + rows / number) if number < COMMON else COMMON_WEIGHT for word, number in counts.items()}
    )
