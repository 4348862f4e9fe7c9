"""What the statistics of columns say in words and bars, for the screen and for paper."""

from rich.cells import cell_len, set_cell_size

from studio.columns.distribution import Bar, Spread, number_words, words_apart
from studio.columns.statistics import ColumnStatistics, Look
from studio.durations import duration

BLOCK, HALF_BLOCK = "█", "▌"
WIDEST_BAR = 40
WIDEST_LABEL = 24


def look_words(look: Look, seconds: float = 0.0) -> str:
    """Return how many rows the figures are of, and how long the rest takes after so many seconds."""
    if look.is_sample:
        left = duration(seconds * (look.of - look.rows) / look.rows)
        words = f"a sample, {look.rows:,} of {look.of:,} rows; going on, about {left} left"
    else:
        words = {0: "no rows", 1: "the one row"}.get(look.of, f"all {look.of:,} rows")
    unreadable = f", {look.unreadable:,} of them unreadable" if look.unreadable else ""
    more = f"; only the first {len(look.columns)} columns" if look.more_columns else ""
    return f"{words}{unreadable}{more}"


def value_words(value: str) -> str:
    """Return a value so that it can be seen."""
    return value if value.strip() else "(blank)" if value else "(empty)"


def distinct_words(column: ColumnStatistics) -> str:
    """Return how many distinct values a column has, as far as that was counted."""
    if not column.values:
        return "-"
    return f"over {column.distinct:,}" if column.is_over else f"{column.distinct:,}"


def types_words(column: ColumnStatistics) -> str:
    """Return the types with their shares."""
    total = sum(column.types.values())
    return ", ".join(f"{name} {count / total:.1%}" for name, count in column.types.items())


def spreads(column: ColumnStatistics) -> list[tuple[str, Spread]]:
    """Return the distributions that say something, the most telling first."""
    found = {"numbers": column.numbers, "characters": column.characters, "items": column.items}
    numbers = column.numbers.count if column.numbers else 0
    # Lengths of numbers say nothing, and a few numbers among texts are no distribution.
    if numbers * 10 > column.values * 9:
        del found["characters"]
    elif numbers * 2 < column.values:
        del found["numbers"]
    return [(title, spread) for title, spread in found.items() if spread is not None]


def range_words(spread: Spread) -> str:
    """Return between what a distribution lies."""
    least, most = words_apart((spread.least, spread.most))
    return f"{least} to {most}" if spread.least != spread.most else f"always {least}"


def middle_words(spread: Spread) -> str:
    """Return where most of a distribution lies; empty where it is all one number."""
    if spread.least == spread.most:
        return ""
    lower, median, upper = words_apart((spread.lower, spread.median, spread.upper))
    about = "about " if spread.is_sampled else ""
    return f"median {about}{median}, half of them {about}{lower} to {upper}, mean {number_words(spread.mean)}"


def bar_lines(bars: list[Bar], width: int) -> list[str]:
    """Return a chart, a line for each bar, no wider than a width where that is possible; a single bar says nothing."""
    if len(bars) < 2:
        return []
    label_width = min(max(cell_len(bar.label) for bar in bars), WIDEST_LABEL)
    room = max(min(width - label_width - 9, WIDEST_BAR), 4)
    largest = max(bar.share for bar in bars) or 1.0
    return [
        f"{_label(bar.label, label_width)} {_bar(bar.share / largest * room):<{room}} {bar.share:6.1%}" for bar in bars
    ]


def _label(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + set_cell_size(text, min(cell_len(text), width))


def _bar(length: float) -> str:
    """Return a bar; what is there at all is seen, however little."""
    halves = max(round(length * 2), 1 if length else 0)
    return BLOCK * (halves // 2) + HALF_BLOCK * (halves % 2)
