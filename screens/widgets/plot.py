"""Curves as lines of characters: columns of blocks for one, a letter each for several over each other."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

BLOCKS = " ▁▂▃▄▅▆▇█"
BETWEEN = "·"
"""Stands where a letter's curve passes between two measurements."""

Point = tuple[int, float]
Steps = tuple[int, int]
"""The first and the last step that are drawn."""

Column = tuple[float, bool]
"""A value, and whether it was measured rather than lies between two that were."""


class Chart(NamedTuple):
    """One metric, of one run or of several."""

    title: str
    curves: Mapping[str, Sequence[Point]]
    """By the run's letter."""


def steps_of(charts: Sequence[Chart]) -> Steps:
    """Return the first and the last step of all that is in charts."""
    curves = [points for chart in charts for points in chart.curves.values() if points]
    ends = [step for points in curves for step, _ in (points[0], points[-1])]
    return (min(ends), max(ends)) if ends else (0, 0)


def smoothed(points: Sequence[Point], weight: float) -> list[Point]:
    """Return the exponential moving average of a curve; the first values don't weigh more than the others."""
    found: list[Point] = []
    total = share = 0.0
    for step, value in points:
        total = weight * total + (1 - weight) * value
        share = weight * share + (1 - weight)
        found.append((step, total / share))
    return found


def drawn(chart: Chart, steps: Steps, width: int, height: int) -> list[str]:
    """Return the lines of a chart: a line that says its values, over its curves."""
    inside = {letter: _within(points, steps) for letter, points in chart.curves.items()}
    values = {letter: [value for _, value in points] for letter, points in inside.items() if points}
    if not values or width < 1:
        return [f"{chart.title}: nothing measured here"[:width]]
    columns = {letter: columns_of(inside[letter], steps, width) for letter in values}
    if len(chart.curves) == 1:
        [(letter, line)] = columns.items()
        return [_heading(chart.title, values[letter], width), *blocks(line, height - 1)]
    last = "  ".join(f"{letter} {found[-1]:.3g}" for letter, found in values.items())
    return [f"{chart.title}: {last}"[:width], *letters(columns, width, height - 1)]


def columns_of(points: Sequence[Point], steps: Steps, width: int) -> list[Column | None]:
    """Return a value for each column: the mean of what was measured in its steps, or what lies between two columns.

    None stands before the first value and after the last.
    """
    first, last = steps
    found: list[Column | None] = [None] * width
    sums: dict[int, tuple[float, int]] = {}
    for step, value in points:
        place = round((step - first) / max(last - first, 1) * (width - 1))
        total, count = sums.get(place, (0.0, 0))
        sums[place] = (total + value, count + 1)
    for place, (total, count) in sums.items():
        found[place] = (total / count, True)
    for before, after in pairwise(sorted(sums)):
        start, end = sums[before][0] / sums[before][1], sums[after][0] / sums[after][1]
        for place in range(before + 1, after):
            found[place] = (start + (end - start) * (place - before) / (after - before), False)
    return found


def blocks(columns: Sequence[Column | None], height: int) -> list[str]:
    """Return lines of block characters, the highest value on top."""
    values = [column[0] for column in columns if column]
    if not values or height < 1:
        return []
    low, high = min(values), max(values)
    most = height * 8
    levels = [
        0 if column is None else 1 + round((column[0] - low) / (high - low) * (most - 1)) if high > low else most // 2
        for column in columns
    ]
    return ["".join(BLOCKS[max(0, min(8, level - row * 8))] for level in levels) for row in reversed(range(height))]


def letters(curves: Mapping[str, Sequence[Column | None]], width: int, height: int) -> list[str]:
    """Return lines in which each curve is drawn by its letter; where several meet they take turns."""
    values = [column[0] for columns in curves.values() for column in columns if column]
    if not values or height < 1:
        return []
    low, high = min(values), max(values)
    rows = [[" "] * width for _ in range(height)]
    for place in range(width):
        here: dict[int, list[str]] = {}
        for letter, columns in curves.items():
            if (column := columns[place]) is not None:
                level = round((column[0] - low) / (high - low) * (height - 1)) if high > low else height // 2
                here.setdefault(height - 1 - level, []).append(letter if column[1] else BETWEEN)
        for row, met in here.items():
            measured = [letter for letter in met if letter != BETWEEN]
            rows[row][place] = measured[place % len(measured)] if measured else BETWEEN
    return ["".join(row) for row in rows]


def _within(points: Sequence[Point], steps: Steps) -> list[Point]:
    return [point for point in points if steps[0] <= point[0] <= steps[1]]


def _heading(title: str, values: Sequence[float], width: int) -> str:
    head = f"{title} {values[0]:.3g}" + (f" to {values[-1]:.3g}" if len(values) > 1 else "")
    detail = f", between {min(values):.3g} and {max(values):.3g}"
    return (head + detail if len(head) + len(detail) <= width else head)[:width]
