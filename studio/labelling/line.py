"""A line of the labelling report: a figure in words."""

from typing import NamedTuple

MOST_LINES = 6
"""Pairs of authors or of people that are listed: those of four models. All are in the JSON."""


class Line(NamedTuple):
    """A figure with its name, and what it means."""

    title: str
    figure: str
    meaning: str = ""


def p_words(value: float) -> str:
    """Return a p-value as it is written."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
