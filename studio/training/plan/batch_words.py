"""A batch in words: how large it is, what its rows are, and its text with what is learnt marked."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from studio.text import BEGIN, END, clean
from studio.training.plan.batch import Batch, BatchRow, Part

if TYPE_CHECKING:
    from studio.rendering import ChatTokenizer

BAR_WIDTH = 44
"""Cells for a row of a batch as a drawing."""

BAR_LEGEND = "= prompt   # trained   . padding   | an example ends"


def lines(batch: Batch, tokenizer: "ChatTokenizer") -> Iterator[str]:
    """Say a run's first batch in lines: what it is, a drawing of its rows, and each stretch of them as text."""
    yield title(batch, first=True)
    yield from facts(batch).splitlines()
    for number, row in enumerate(batch.rows, start=1):
        yield f"row {number:<3} |{bar(row)}|  {of_row(row)}"
    yield BAR_LEGEND
    for number, row in enumerate(batch.rows, start=1):
        for part in row.parts:
            yield ""
            yield f"row {number}, {of_part(part)}"
            yield from clean(_text(row, part, tokenizer)).splitlines()


def _text(row: BatchRow, part: Part, tokenizer: "ChatTokenizer") -> str:
    text = read = ""
    for is_trained, places in groupby(range(part.start, part.end), key=lambda place: row.trained[place]):
        # Read from the part's beginning: some tokenizers drop the space before the first word.
        so_far = tokenizer.decode(row.ids[part.start : max(places) + 1])
        piece, read = so_far[len(read) :], so_far
        text += f"{BEGIN}{piece}{END}" if is_trained else piece
    return text


def of_part(part: Part) -> str:
    """Return what a stretch of a row is, in words."""
    example = "an example that is in no row" if part.example is None else f"example {part.example}"
    side = f" ({part.side})" if part.side else ""
    return f"{example}{side}: {part.end - part.start:,} tokens, at {part.start:,} to {part.end - 1:,}"


def title(batch: Batch, *, first: bool) -> str:
    """Return what the batch is: a run's first, or one of chosen examples."""
    what = "The first batch of a run" if first else "The selected examples as one batch"
    return f"{what}, {batch.method}, as the trainer's own collator makes it"


_SIDE_BY_SIDE = (
    "Not packed, not padded: the examples lie one behind the other, and none sees another. packing=true packs."
)
_SHARED = "A pair is its prompt once and then its two answers, which don't see each other. Nothing is padded."


def facts(batch: Batch) -> str:
    """Return how large it is, and how its rows lie in it, in lines."""
    size = sum(len(row.ids) for row in batch.rows)
    trained = sum(map(sum, (row.trained for row in batch.rows)))
    rows = f"{_rows(len(batch.rows))} of {len(batch.rows[0].ids):,} tokens"
    facts = [f"{rows}: {trained:,} of {size:,} are trained, {batch.padding_share:.0%} is padding."]
    if batch.packing:
        facts.append(
            f"Packed: {batch.examples_in_all:,} examples in {_rows(batch.rows_in_all)} of up to {batch.max_length:,}"
            " tokens; no example sees another, and positions begin anew with each."
        )
    elif not batch.padding_share and len(batch.rows[0].parts) > 1:
        facts.append(_SIDE_BY_SIDE if batch.method == "sft" else _SHARED)
    elif batch.method == "sft":
        facts.append("Not packed: a row is one example, padded to the longest. packing=true packs.")
    else:
        facts.append("Each pair is two rows: first all with the chosen answer, then all with the rejected one.")
    if batch.drawn_from:
        many, some = f"{batch.drawn_from:,}", f"{batch.examples_in_all + batch.left_out:,}"
        facts.append(f"A batch like the run's, of {some} rows that were drawn from {many}.")
    if batch.left_out:
        facts.append(f"{batch.left_out:,} rows are left out: they can't be rendered, or their prompt is too long.")
    return "\n".join(facts)


def _rows(number: int) -> str:
    return f"{number:,} row{'s' * (number != 1)}"


def of_row(row: BatchRow) -> str:
    """Return which examples a row is of."""
    names = list(dict.fromkeys(str(part.example) for part in row.parts))
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    sides = {part.side for part in row.parts}
    side = f" {sides.pop()}" if len(sides) == 1 and sides != {""} else ""
    return f"example{'s' * (len(names) != 1)} {shown}{side}"


def bar(row: BatchRow) -> str:
    """Draw a row: each cell says what most of its tokens are."""
    ends = {part.end - 1 for part in row.parts[:-1]}
    length = len(row.ids)
    cells = []
    for cell in range(min(BAR_WIDTH, length)):
        start, end = cell * length // min(BAR_WIDTH, length), (cell + 1) * length // min(BAR_WIDTH, length)
        kinds = [_kind(row, place) for place in range(start, end)]
        cells.append("|" if ends & set(range(start, end)) else max(set(kinds), key=kinds.count))
    return "".join(cells)


def _kind(row: BatchRow, place: int) -> str:
    if not row.present[place]:
        return "."
    return "#" if row.trained[place] else "="
