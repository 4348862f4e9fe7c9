"""Which response is shown on the left: by chance, in blocks of two, so that none is there more often than the other."""

import random
from collections import defaultdict

from store.pairs import Pair
from store.responses import Response


class Sides:
    """Deals out sides."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.SystemRandom()
        self._lead: defaultdict[tuple[str, str], int] = defaultdict(int)
        """How often more one stood on the left: the first of two authors by name, and the first response of all."""

    def any_seed(self) -> int:
        """Return a seed by which either response may stand on the left."""
        return self._chance.getrandbits(31)

    def seed(self, first: Response, second: Response) -> int:
        """Return a seed for a pair, by whose parity the first response stands on the left or on the right."""
        return self._chance.getrandbits(30) * 2 + (not self._first_on_the_left(first, second))

    def seed_with(self, pair: Pair, left_id: int) -> int:
        """Return a seed by which one of a pair's responses stands on the left."""
        return self._chance.getrandbits(30) * 2 + (pair.first_id != left_id)

    def _first_on_the_left(self, first: Response, second: Response) -> bool:
        authors = _met(first, second)
        # Where the second is the one whose name comes first, its standing on the right is the first's on the left.
        sign = 1 if first.author <= second.author else -1
        lead = sign * self._lead[authors] or self._lead[_ALL]
        is_left = lead < 0 if lead else bool(self._chance.getrandbits(1))
        step = 1 if is_left else -1
        self._lead[_ALL] += step
        if authors != _ALL:
            self._lead[authors] += sign * step
        return is_left


_ALL = ("", "")


def _met(first: Response, second: Response) -> tuple[str, str]:
    """Return the two authors by name; none where they are not known, or are one."""
    if not first.author or not second.author or first.author == second.author:
        return _ALL
    return min(first.author, second.author), max(first.author, second.author)
