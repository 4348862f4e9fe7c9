"""Several rankings of the same things as one."""

from collections.abc import Sequence

STEEPNESS = 60
"""Of reciprocal rank fusion, as its authors chose it (Cormack and others, SIGIR 2009)."""


def fused(rankings: Sequence[Sequence[tuple[int, float]]]) -> list[tuple[int, float]]:
    """Return things with the sum of 1 / (60 + rank) over the rankings that have them, the best first."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, (number, _) in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (STEEPNESS + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
