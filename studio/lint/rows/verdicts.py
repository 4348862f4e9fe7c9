"""Verdicts that were given too fast, or go in a circle."""

from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import name_of, text_of


def _hasty(subject: Subject, context: Context) -> Iterator[str]:
    sizes = None
    for pair in subject.pairs:
        if pair.seconds is None or pair.verdict in (None, "skip"):
            continue
        sizes = sizes or {answer.id: len(text_of(answer.messages)) for answer in subject.answers}
        size = sizes.get(pair.left_id, 0) + sizes.get(pair.right_id, 0)
        needed = max(context.options["shortest_decision"], size / context.options["reading_speed"])
        if pair.seconds < needed:
            yield f"{pair.rater}: {pair.seconds:.1f} seconds for {size:,} characters"


def _cycle(subject: Subject, _: Context) -> Iterator[str]:
    if len(subject.pairs) < 3:
        return
    beats: defaultdict[int, set[int]] = defaultdict(set)
    for pair in subject.pairs:
        if decided := pair.chosen_and_rejected:
            beats[decided[0]].add(decided[1])
    try:
        TopologicalSorter(beats).prepare()
    except CycleError as error:
        # Its second argument goes from each answer to one that beats it.
        circle: list[int] = error.args[1][::-1]
        names = {answer.id: name_of(subject, answer) for answer in subject.answers}
        yield " beats ".join(names.get(response, f"response {response}") for response in circle)


CHECKS = (
    OfRow(
        Check(
            "hasty-verdict",
            "verdicts given too fast to have read",
            "The time from showing to verdict is shorter than anybody reads that much text (lint.shortest_decision,"
            " lint.reading_speed).",
            "warning",
        ),
        _hasty,
    ),
    OfRow(
        Check(
            "cyclic-verdicts",
            "prompts whose verdicts go in a circle",
            "A beats B, B beats C, C beats A: no order of the answers agrees with them, so at least one is a slip.",
            "warning",
        ),
        _cycle,
    ),
)
