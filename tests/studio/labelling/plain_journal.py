"""A plain model of what people said: lines of a list, and what follows from them by going one step at a time."""

from dataclasses import dataclass, field
from itertools import combinations

from store.pairs import Pair, Verdict

Two = frozenset[int]


@dataclass(frozen=True)
class Line:
    """A verdict or a criterion as the model remembers it."""

    entry: int
    two: Two
    winner: int | str
    verdict: str
    rater: str
    purpose: str = "first"
    criterion: str = ""


@dataclass
class Act:
    """What one key said: a line, and those that follow from it and go with it."""

    head: Line
    follow: list[Line] = field(default_factory=list)

    @property
    def verdicts(self) -> list[Line]:
        """Return them less what was said by criterion."""
        return [line for line in (self.head, *self.follow) if not line.criterion]


def decides(line: Line) -> bool:
    """Tell whether a verdict counts even where others stand."""
    return line.purpose != "second" and (line.purpose, line.verdict) != ("review", "skip")


def twosome(pair: Pair) -> Two:
    """Return the two responses, whichever is the first."""
    return frozenset((pair.first_id, pair.second_id))


def winner_of(pair: Pair, verdict: Verdict) -> int | str:
    """Return the better response, or the verdict that names none."""
    return {"left": pair.left_id, "right": pair.right_id}.get(verdict, verdict)


def what_follows(said: dict[Two, int | str]) -> dict[Two, int | str]:
    """Return the winners that follow, by adding one step to what is known until nothing new comes."""
    steps = {(winner, loser, True) for two, winner in said.items() if winner in two for loser in two - {winner}}
    steps |= {
        (one, two, False) for both, said_ in said.items() if said_ == "tie" for one in both for two in both - {one}
    }
    known: set[tuple[int, int, bool]] = set()
    new = set(steps)
    while new - known:
        known |= new
        new = {(a, d, strict or more) for a, b, strict in known for c, d, more in steps if b == c}
    bad = {each for two, winner in said.items() if winner == "both_bad" for each in two}
    follows: dict[Two, int | str] = {}
    for a, b in combinations({each for two in said for each in two}, 2):
        down, up = ({strict for x, y, strict in known if (x, y) == way} for way in ((a, b), (b, a)))
        if frozenset((a, b)) in said:
            continue
        if down and up:
            if True not in down | up:
                follows[frozenset((a, b))] = "tie"
        elif True in down | up:
            follows[frozenset((a, b))] = a if down else b
        if frozenset((a, b)) not in follows and {a, b} <= bad:
            follows[frozenset((a, b))] = "both_bad"
    return follows
