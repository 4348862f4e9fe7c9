"""How strong each of several competitors is, from who beat whom, ties included."""

import math
from collections.abc import Hashable, Iterable, Sequence
from operator import mul
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)

Result = tuple[int, int, int, int, int]
"""Places of two competitors, wins of the first, wins of the second, ties."""

RIDGE = 0.01
"""Pulls every strength a little to the middle, so that one that never won, or never met the others, stays finite."""

MOST_STEPS = 100
SMALL_STEP = 1e-9


def davidson(results: Iterable[tuple[Name, Name, int, int, int]], *, ridge: float = RIDGE) -> dict[Name, float]:
    """Return the log strength of each competitor; they sum to 0.

    The model is Davidson's (JASA 65, 1970, 317-328): with d the difference of two log strengths and nu the weight of
    ties, P(first) : P(second) : P(tie) = exp(d/2) : exp(-d/2) : nu. Fitted by Newton's method with a small ridge.

    Args:
        results: two competitors, wins of the first, wins of the second, ties; two may meet in several rows.
        ridge: weight of the squared log strengths in what is minimised.
    """
    met = [row for row in results if row[0] != row[1]]
    names = list(dict.fromkeys(name for row in met for name in row[:2]))
    place = {name: at for at, name in enumerate(names)}
    places = [(place[a], place[b], a_wins, b_wins, ties) for a, b, a_wins, b_wins, ties in met]
    fitted = _fit(places, len(names), ridge)
    return dict(zip(names, fitted, strict=False))


def _fit(results: Sequence[Result], competitors: int, ridge: float) -> list[float]:
    """Return the log strengths, followed by the logarithm of the weight of ties."""
    values = [0.0] * (competitors + 1)
    has_ties = any(ties for *_, ties in results)
    if not has_ties:
        values[-1] = -math.inf
    loss = _loss(results, values, ridge)
    for _ in range(MOST_STEPS):
        gradient, curvature = _slopes(results, values, ridge)
        step = _solve(curvature, gradient)
        # A full step may overshoot where somebody always won.
        scale = 1.0
        while (tried := _loss(results, moved := _move(values, step, scale), ridge)) > loss and scale > SMALL_STEP:
            scale /= 2
        values, loss = moved, tried
        if max(map(abs, step), default=0.0) * scale < SMALL_STEP:
            break
    return values


def _move(values: Sequence[float], step: Sequence[float], scale: float) -> list[float]:
    return [value - scale * change for value, change in zip(values, step, strict=True)]


def _shares(values: Sequence[float], first: int, second: int) -> tuple[float, float, float, float]:
    """Return how likely the first wins, the second wins, and a tie; and the logarithm of what they were divided by."""
    half = (values[first] - values[second]) / 2
    top = max(abs(half), values[-1])
    win, lose, tie = math.exp(half - top), math.exp(-half - top), math.exp(values[-1] - top)
    total = win + lose + tie
    return win / total, lose / total, tie / total, top + math.log(total)


def _loss(results: Sequence[Result], values: Sequence[float], ridge: float) -> float:
    loss = ridge / 2 * sum(value * value for value in values if value > -math.inf)
    for first, second, wins, losses, ties in results:
        *_, log_total = _shares(values, first, second)
        loss -= (wins - losses) * (values[first] - values[second]) / 2 - (wins + losses + ties) * log_total
        loss -= ties * values[-1] if ties else 0.0
    return loss


def _slopes(results: Sequence[Result], values: Sequence[float], ridge: float) -> tuple[list[float], list[list[float]]]:
    """Return the first and second derivatives of the loss."""
    size, last = len(values), len(values) - 1
    gradient = [ridge * value if value > -math.inf else 0.0 for value in values]
    curvature = [[ridge if row == column else 0.0 for column in range(size)] for row in range(size)]
    for first, second, wins, losses, ties in results:
        met = wins + losses + ties
        win, lose, tie, _ = _shares(values, first, second)
        mean = (win - lose) / 2
        spread = met * ((win + lose) / 4 - mean * mean)
        pull = met * mean - (wins - losses) / 2
        gradient[first] += pull
        gradient[second] -= pull
        gradient[last] += met * tie - ties
        for row, column, change in (
            *((first, first, spread), (second, second, spread), (first, second, -spread)),
            *((first, last, -met * mean * tie), (second, last, met * mean * tie)),
            (last, last, met * tie * (1 - tie)),
        ):
            curvature[row][column] += change
            if row != column:
                curvature[column][row] += change
    return gradient, curvature


def _dot(left: Iterable[float], right: Iterable[float]) -> float:
    return float(sum(map(mul, left, right)))


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a symmetric positive definite system (Cholesky)."""
    size = len(right)
    lower = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            rest = matrix[row][column] - _dot(lower[row][:column], lower[column][:column])
            lower[row][column] = math.sqrt(rest) if row == column else rest / lower[column][column]
    forward: list[float] = []
    for row in range(size):
        forward.append((right[row] - _dot(lower[row][:row], forward)) / lower[row][row])
    solved = [0.0] * size
    for row in reversed(range(size)):
        known = sum(lower[below][row] * solved[below] for below in range(row + 1, size))
        solved[row] = (forward[row] - known) / lower[row][row]
    return solved
