"""A run's rows as tokens: all of them, or of very many so many that the figures are known well enough."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.rendering import ChatTokenizer
from studio.training.recipe import Recipe
from studio.training.rows.data import Tokenised, tokenise

MOST_ROWS = 2_000
"""Rows that are made into tokens; of more a seeded choice, and the longest beside it."""
LONGEST_ROWS = 32


@dataclass(frozen=True)
class Sampled:
    """Rows as tokens, and how many they stand for."""

    typical: Tokenised
    longest: list[dict[str, Any]]
    """The rows that need the most memory, the longest first."""
    looked_at: int
    rows: int
    seconds: float = 0.0
    """How long it took to make tokens of those that were looked at."""

    @property
    def seconds_for_all(self) -> float:
        """How long it would take for all rows."""
        return self.seconds * self.rows / self.looked_at if self.looked_at else 0.0

    def scaled(self, count: int) -> int:
        """Return a count over the rows that were looked at as one over all."""
        return round(count * self.rows / self.looked_at) if self.looked_at else 0


def sample(tokenizer: ChatTokenizer, recipe: Recipe, rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> Sampled:
    """Make rows into tokens as the run does.

    Args:
        tokenizer: the run's.
        recipe: the run's.
        rows: those of a split.
        sizes: how long each row is, in whatever: tells which are long.
    """
    chosen: Sequence[dict[str, Any]] = rows
    longest: list[dict[str, Any]] = []
    if len(rows) > MOST_ROWS:
        chosen = random.Random(recipe.seed).sample(rows, MOST_ROWS)
        places = sorted(range(len(rows)), key=lambda place: -sizes[place])[:LONGEST_ROWS]
        longest = tokenise(tokenizer, recipe, [rows[place] for place in places]).rows
    begun = time.perf_counter()
    typical = tokenise(tokenizer, recipe, list(chosen))
    seconds = time.perf_counter() - begun
    ordered = sorted([*typical.rows, *longest], key=lambda row: -tokens_of(row))
    return Sampled(typical, ordered[:LONGEST_ROWS], len(chosen), len(rows), seconds)


def tokens_of(row: dict[str, Any]) -> int:
    """Return how many tokens a prepared row has."""
    return sum(len(ids) for name, ids in row.items() if name.endswith("_ids"))


def learnt_of(row: dict[str, Any]) -> int:
    """Return how many of them the loss counts."""
    if "labels" in row:
        return sum(label != -100 for label in row["labels"])
    answers = [ids for name, ids in row.items() if name.endswith("_ids") and name != "prompt_ids"]
    # A reward model reads its score at the last token of each answer.
    return sum(map(len, answers)) if "prompt_ids" in row else len(answers)
