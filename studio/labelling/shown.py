"""A pair as it is shown: blind, with all that is on the screen of it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from store import examples, pairs, responses
from store.database import Store
from store.examples import Message, prompt_of
from store.journal import Purpose
from store.pairs import Pair
from store.responses import Response


@dataclass(frozen=True)
class Shown:
    """A pair as the labeller sees it: blind, so that nothing tells where the responses are from."""

    pair: Pair
    """Its seed is that of the sides that are shown."""
    prompt: list[Message]
    left: Response
    right: Response
    flagged: bool
    purpose: Purpose | None = None
    """Why it is shown; None where that is found out when it is judged."""
    ranking: str = ""
    """How far the ranking of its prompt is, such as 2 of about 5; empty where nothing is ranked."""

    def says(self, *replies: list[Message]) -> bool:
        """Tell whether one of these replies, by what it says, is one of the two."""
        return any(messages in (self.left.messages, self.right.messages) for messages in replies)

    def with_flag(self, flagged: bool) -> "Shown":
        """Return the same with the mark set or taken off."""
        return replace(self, flagged=flagged)


class Content(NamedTuple):
    """What there is to show of a pair, whichever sides it is shown with."""

    pair: Pair
    prompt: list[Message]
    first: Response
    second: Response
    flagged: bool
    revision: int

    def shown(self, seed: int, purpose: Purpose | None = None, ranking: str = "") -> Shown:
        """Return the pair as it is shown with the sides of a seed."""
        left, right = (self.second, self.first) if seed % 2 else (self.first, self.second)
        return Shown(self.pair._replace(seed=seed), self.prompt, left, right, self.flagged, purpose, ranking)


def read(store: Store, pair_id: int) -> Content:
    """Read all that is shown of a pair.

    Raises:
        MissingRowError: there is no pair of that id.
    """
    pair = pairs.get(store, pair_id)
    example = examples.get(store, pair.example_id)
    return Content(
        pair,
        prompt_of(example.messages) or example.messages,
        responses.get(store, pair.first_id),
        responses.get(store, pair.second_id),
        example.flagged,
        example.revision,
    )
