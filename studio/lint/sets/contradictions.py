"""Verdicts of different examples that can't all be right: opposite ones, and circles."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted

Beats = Mapping[str, set[str]]


@dataclass
class Judgements:
    """What was decided about the answers to one prompt: better and worse text, and the examples that say so."""

    said_by: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, dict[bool, list[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    @property
    def beats(self) -> dict[str, set[str]]:
        """For each answer those that it beats more often than they beat it."""
        found: dict[str, set[str]] = defaultdict(set)
        for (better, worse), rows in self.said_by.items():
            if len(rows) > len(self.said_by.get((worse, better), ())):
                found[better].add(worse)
        return found


def judgements(noted: Noted) -> Iterator[Judgements]:
    """Yield what was decided about the answers to each prompt."""
    by_prompt: dict[tuple[str, str], Judgements] = defaultdict(Judgements)
    # What has fewer verdicts and a prompt of its own, in most data all there is, can't contradict anything.
    for each in noted.several_verdicts:
        here = by_prompt[each.prompt, each.system]
        for better, worse in each.pairs:
            if better.text != worse.text:
                here.said_by[better.text, worse.text].append(each.id)
        for candidate in each.candidates:
            if candidate.label is not None and candidate.text:
                here.labels[candidate.text][candidate.label].append(each.id)
    yield from by_prompt.values()


def opposite(noted: Noted, _context: Context) -> Iterator[Found]:
    """Find the examples whose verdict another example with the same prompt and answers turns round."""
    found: dict[int, str] = {}
    for here in judgements(noted):
        for (better, worse), rows in here.said_by.items():
            against = [row for row in here.said_by.get((worse, better), ()) if row not in rows]
            if against:
                _note(found, rows, f"example {against[0]} prefers the other one of the same two answers")
        for labels in here.labels.values():
            for label, rows in list(labels.items()):
                against = [row for row in labels.get(not label, ()) if row not in rows]
                if against:
                    _note(found, rows, f"example {against[0]} calls the same answer {'bad' if label else 'good'}")
    yield from (Found(row, detail) for row, detail in sorted(found.items()))


def _note(found: dict[int, str], rows: Iterable[int], detail: str) -> None:
    for row in rows:
        found.setdefault(row, detail)


def circles(noted: Noted, _context: Context) -> Iterator[Found]:
    """Find the examples whose verdicts together say that A beats B, B beats C and C beats A."""
    triangles = circular = 0
    rows_in: set[int] = set()
    for here in judgements(noted):
        if len(here.said_by) < 3:
            continue
        beats = here.beats
        around, decided = count_triangles(beats)
        circular, triangles = circular + around, triangles + decided
        for ring in rings(beats):
            inside = [rows for (b, w), rows in here.said_by.items() if b in ring and w in ring and w in beats[b]]
            rows_of_ring = {row for rows in inside for row in rows}
            if len(rows_of_ring) > 1:
                rows_in |= rows_of_ring
    for row in sorted(rows_in):
        yield Found(row, "its verdict and those of other examples with this prompt go in a circle")
    if rows_in:
        yield Found(
            None,
            f"{circular:,} of {triangles:,} times that three answers were compared with each other, the verdicts go in"
            " a circle. People do so now and then; above 5 % no order of the answers can be trusted.",
        )


def count_triangles(beats: Beats) -> tuple[int, int]:
    """Return how many threes of answers go in a circle, and how many were compared with each other at all.

    Circular triads, as Kendall and Babington Smith count them (Biometrika 31, 1940).
    """
    against: dict[str, set[str]] = defaultdict(set)
    for better, all_worse in beats.items():
        for worse in all_worse:
            against[better].add(worse)
            against[worse].add(better)
    around = decided = 0
    for one, others in against.items():
        for two, three in combinations(sorted(other for other in others if other > one), 2):
            if three in against[two]:
                decided += 1
                wins = Counter({one: 0, two: 0, three: 0})
                for first, second in ((one, two), (one, three), (two, three)):
                    wins[first if second in beats.get(first, ()) else second] += 1
                around += set(wins.values()) == {1}
    return around, decided


def rings(beats: Beats) -> list[set[str]]:
    """Return the groups of three or more answers each of which beats each other one, if by others between.

    Strongly connected components, by Kosaraju's two walks (Sharir, Computers and Mathematics 7, 1981).
    """
    beaten_by: dict[str, set[str]] = defaultdict(set)
    for better, all_worse in beats.items():
        for worse in all_worse:
            beaten_by[worse].add(better)
    order: list[str] = []
    seen: set[str] = set()
    for start in beats:
        order += _reached(start, beats, seen)
    seen = set()
    found = [set(_reached(start, beaten_by, seen)) for start in reversed(order)]
    return [ring for ring in found if len(ring) > 2]


def _reached(start: str, edges: Beats, seen: set[str]) -> list[str]:
    """Return what is reached from an answer and was not seen yet, each after those that it leads to."""
    if start in seen:
        return []
    seen.add(start)
    finished = []
    path = [(start, iter(sorted(edges.get(start, ()))))]
    while path:
        here, onward = path[-1]
        step = next((each for each in onward if each not in seen), None)
        if step is None:
            finished.append(here)
            path.pop()
        else:
            seen.add(step)
            path.append((step, iter(sorted(edges.get(step, ())))))
    return finished


CHECKS = (
    OfSet(
        Check(
            "opposite-verdicts",
            "same answers, opposite verdicts",
            "Two examples have the same prompt and answers, but not the same winner (or label): training is pulled"
            " both ways. Decide again, and exclude the other.",
            "warning",
        ),
        opposite,
    ),
    OfSet(
        Check(
            "verdict-circle",
            "verdicts of several examples that go in a circle",
            "A beats B, B beats C, C beats A, for one prompt: no order of the answers agrees with them, so at least"
            " one is a slip.",
            "warning",
        ),
        circles,
    ),
)
