"""Which two responses to one prompt are worth comparing."""

import hashlib
from collections.abc import Mapping
from typing import Literal

from store import pairs
from store.database import Store
from store.responses import Response

PairKind = Literal["any", "models", "temperatures", "tuned", "human", "none"]

KINDS: dict[PairKind, str] = {
    "any": "any two",
    "models": "different models",
    "temperatures": "one model at two temperatures",
    "tuned": "tuned against base",
    "human": "human against model",
    "none": "no pairs",
}
"""The kinds of pairs, in words."""

OWN_ANSWER = "the example's answer"
"""The author of the answer that an example itself ends with, where it becomes a response: the human side."""


def is_human(response: Response) -> bool:
    """Tell whether a person wrote it; the answer that the data itself has counts as such."""
    return response.origin == "human"


def is_wanted(kind: PairKind, one: Response, other: Response, base_of: Mapping[str, str]) -> bool:
    """Tell whether two responses make a pair of a kind.

    Args:
        kind: which pairs are wanted.
        one: a response.
        other: another to the same prompt.
        base_of: the base model of each run.
    """
    match kind:
        case "any":
            return True
        case "models":
            authors = {one.author, other.author} - {""}
            return len(authors) == 2 and not is_human(one) and not is_human(other)
        case "temperatures":
            heats = {response.parameters.get("temperature") for response in (one, other)} - {None}
            return one.author == other.author and len(heats) == 2
        case "tuned":
            return base_of.get(one.author) == other.author or base_of.get(other.author) == one.author
        case "human":
            return is_human(one) != is_human(other)
        case "none":
            return False


def pair_up(
    store: Store, kind: PairKind, new: Response, others: list[Response], base_of: Mapping[str, str], seed: int
) -> int:
    """Queue a new response for comparison with those others that it makes a wanted pair with; return how many."""
    partners = [other for other in others if is_wanted(kind, new, other, base_of)]
    for other in partners:
        pairs.add_pair(store, new.example_id, other.id, new.id, seed=_side(seed, other.id, new.id))
    return len(partners)


def _side(seed: int, first: int, second: int) -> int:
    return int.from_bytes(hashlib.blake2b(repr((seed, first, second)).encode(), digest_size=4).digest())
