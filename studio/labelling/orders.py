"""A task's queue as a whole: all that waits, in the task's order."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from store import find, pair_queues, saved_queries, tallies
from store.database import Store
from store.errors import MissingRowError
from store.pair_queues import Counts, Kind, Scope
from store.query import QueryError
from studio.errors import StudioError
from studio.labelling import ranking
from studio.labelling.task_settings import Task

MOST_AUTHORS = 50
"""Strengths are worked out for those that met most often."""


@dataclass(frozen=True)
class Plan:
    """What waits in a task, in its order; worked out in one go."""

    ids: "array[int]"
    """Pairs, or the examples whose responses are to be ranked."""
    anchors: tuple[int, ...] = ()
    """Pairs of earlier sessions that are to come back in this one."""
    allowed: int | None = None
    """How many comparisons are still planned; None for as many as there are."""
    newest: int = 0
    """The newest pair that it knows of; the newest response where responses are ranked."""
    session: int = 0
    """The last line of the journal before the session that it was made in."""


def kind_of(task: Task) -> Kind:
    """Return what a pair of the task waits for."""
    if task.order == "fewest" or task.ranking:
        return "mine"
    return "disagreements" if task.order == "disagreements" else "undecided"


def scope_of(store: Store, task: Task) -> Scope:
    """Look up which pairs a task is about.

    Raises:
        StudioError: its query can't be read.
    """
    if not task.query:
        return Scope(task.pairs)
    query = _query(store, task.query)
    try:
        pair_queues.narrow(store, find.ids(store, "example", query))
    except QueryError as error:
        raise StudioError(
            f"Task '{task.name}': {error}", "Its query stands in studio.toml, or is a saved query by its name."
        ) from error
    return Scope(task.pairs, narrowed=True)


def ordered(store: Store, task: Task, scope: Scope, rater: str) -> "array[int]":
    """Return all that waits in a task, in its order."""
    shuffled = task.seed if task.order == "random" else None
    if task.ranking:
        ids = pair_queues.rankable(store, scope, rater=rater, shuffled=shuffled)
        ranked = {example_id for example_id, left in _begun(store, scope, rater) if not left}
        return array("q", (number for number in ids if number not in ranked)) if ranked else ids
    if task.order == "fewest":
        return pair_queues.fewest(store, scope, rater=rater)
    if task.order == "disagreements":
        return pair_queues.disagreements(store, scope, rater=rater)
    if task.order == "uncertain":
        return pair_queues.uncertain(store, scope, _strengths(store), seed=task.seed)
    return pair_queues.undecided(store, scope, shuffled=shuffled)


def tally(store: Store, task: Task, scope: Scope, rater: str) -> Counts:
    """Return how many comparisons a task has, and how many of them are made."""
    if task.ranking:
        made = pair_queues.ranking_counts(store, scope, rater=rater)
        ahead = pair_queues.rankings_ahead(store, scope, rater=rater)
        left = sum(number * ranking.estimate(range(responses), ()) for responses, number in ahead)
        left += sum(left for _, left in _begun(store, scope, rater))
        counts = made._replace(pairs=made.done + left)
    else:
        counts = pair_queues.counts(store, scope, kind_of(task), rater=rater)
    if not task.planned:
        return counts
    # What came judged with a file, or was judged in other tasks, is none of the comparisons that this one is to have.
    own = pair_queues.counts_of_task(store, task.name, kind_of(task), rater=rater)
    return own._replace(pairs=min(counts.pairs - counts.done + own.done, task.planned))


def _begun(store: Store, scope: Scope, rater: str) -> Iterator[tuple[int, int]]:
    """Yield the examples whose responses a person began to rank, with how many comparisons that still takes."""
    for example_id in pair_queues.begun_rankings(store, scope, rater=rater):
        known = ranking.outcomes_of(store, example_id, rater=rater)
        candidates = pair_queues.candidates(store, example_id)
        is_ranked = ranking.next_pair(candidates, known) is None
        yield example_id, 0 if is_ranked else ranking.estimate(candidates, known)


def _query(store: Store, text: str) -> str:
    """Return a task's query; one that is the name of a saved one stands for that."""
    try:
        return saved_queries.get(store, text.removeprefix("@").strip('"')).query
    except MissingRowError:
        return text


def _strengths(store: Store) -> dict[str, float]:
    from studio.statistics.strengths import davidson

    return davidson(tallies.results_of_authors(store, most=MOST_AUTHORS))
