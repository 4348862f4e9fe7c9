"""Runs side by side in words: a column a run, parted into what they come from, settings, results and data."""

from collections.abc import Iterator
from typing import NamedTuple

from studio.training.history.comparison import Comparison, Data, Line


class Part(NamedTuple):
    """Some lines under a title."""

    title: str
    lines: list[str]


def parts(found: Comparison, *, widest: int) -> list[Part]:
    """Return what there is to say of runs side by side; values are cut to `widest` characters.

    The first part, which has no title, names the runs over their columns.
    """
    heading = Line("", tuple(run.id for run in found.runs))
    groups = {
        "Where they come from": found.origin,
        "Settings that differ": found.recipe,
        "Results": found.results,
    }
    facts = [heading, *(line for group in groups.values() for line in group)]
    label = min(max(len(line.name) for line in facts), widest)
    columns = zip(*(line.values for line in facts), strict=True)
    widths = [max(len(_cut(value, widest)) for value in column) for column in columns]

    def row(line: Line) -> str:
        values = (_cut(value, widest).ljust(width) for value, width in zip(line.values, widths, strict=True))
        return f"  {_cut(line.name, label):<{label}}  {'  '.join(values)}".rstrip()

    told = [Part(title, [row(line) for line in group] or ["  none"]) for title, group in groups.items()]
    return [Part("", [row(heading)]), *told, Part("Data", list(_data(found)))]


def _data(found: Comparison) -> Iterator[str]:
    yield from (_split(data, found) for data in found.data)
    if found.unknown:
        yield f"  The rows of {', '.join(found.unknown)} are not this project's and can't be compared."
    yield from (f"  ! {sentence}" for sentence in found.cautions)


def _split(data: Data, found: Comparison) -> str:
    if not any(data.alone):
        return f"  {data.split}: the same {data.shared:,} rows"
    told = [f"{data.shared:,} rows in all of them"]
    known = [run for run in found.runs if run.id not in found.unknown]
    for run, count, examples in zip(known, data.alone, data.examples, strict=True):
        more = ", ..." if count > len(examples) else ""
        named = f" (of examples {', '.join(map(str, examples))}{more})" if count else ""
        told.append(f"{count:,} in {run.id} alone{named}")
    return f"  {data.split}: {'; '.join(told)}"


def _cut(value: str, widest: int) -> str:
    text = " ".join(value.split())
    return text if len(text) <= widest else f"{text[: max(widest - 3, 1)]}..."
