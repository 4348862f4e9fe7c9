"""What the statistics of columns look like: lines of the lists, and the detail beside them."""

from screens.widgets.table import Row
from screens.widgets.text_view import Span
from studio.columns.statistics import ColumnStatistics
from studio.columns.tally import Counted
from studio.columns.words import (
    bar_lines,
    distinct_words,
    middle_words,
    range_words,
    spreads,
    types_words,
    value_words,
)


def column_row(column: ColumnStatistics) -> Row:
    """Return a column's line for the list."""
    rows = column.present + column.missing
    types = next(iter(column.types), "")
    more = f" +{len(column.types) - 1}" if len(column.types) > 1 else ""
    share = f"{column.present / rows:.0%}" if rows else ""
    counts = (f"{column.missing:,}", f"{column.empty:,}", distinct_words(column))
    return Row((column.name, types + more, share, *counts))


def value_row(counted: Counted, values: int) -> Row:
    """Return a frequent value's line; a plus says that it may occur more often."""
    more = "+" if counted.at_most > counted.count else ""
    return Row((value_words(counted.value), f"{counted.count:,}{more}", f"{counted.count / values:.1%}"))


def column_detail(column: ColumnStatistics, width: int) -> list[Span]:
    """Return all that is known of a column but its frequent values."""
    spans = [Span(f"{column.name}\n", "bold")]
    for title, spread in spreads(column):
        spans.append(Span(f"{title}: {range_words(spread)}\n", "underline"))
        lines = [*bar_lines(spread.bars, width), middle_words(spread), ""]
        spans.append(Span("\n".join(lines).lstrip("\n") + "\n"))
    if column.values:
        spans.append(Span(f"distinct: {distinct_words(column)} of {column.values:,} values\n"))
    spans.append(Span(f"types: {types_words(column)}\n"))
    rows = column.present + column.missing
    spans.append(Span(f"in {column.present:,} of {rows:,} rows, missing in {column.missing:,}; {column.empty:,} empty"))
    return spans
