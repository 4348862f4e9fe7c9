"""The labelling report against journals whose sums are known."""

import json
from datetime import datetime, timedelta

import pytest

from store import examples, journal, pairs, responses
from store.database import Store
from store.pairs import Pair
from studio.labelling.report import recent_seconds, report
from studio.statistics.shares import wilson


def ask(store: Store, *, first: str = "long answer", second: str = "short", seed: int = 0) -> Pair:
    """Add a pair of an answer by Anna and one by Bert."""
    example_id = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Q"}], split="train")
    made = [
        responses.add(store, example_id, [{"role": "assistant", "content": text}], origin="human", author=author)
        for text, author in ((first, "Anna"), (second, "Bert"))
    ]
    return pairs.get(store, pairs.add_pair(store, example_id, *made, seed=seed))


def judge(store: Store, pair: Pair, verdict: str, *, seconds: float | None = 3.0, rater: str = "Ada") -> None:
    """Judge a pair that was shown some seconds ago; None where it was judged by its file."""
    shown = None if seconds is None else (datetime.now().astimezone() - timedelta(seconds=seconds)).isoformat()
    journal.judge(store, pair, verdict, rater=rater, shown_at=shown)


def test_an_empty_project_has_a_report(store) -> None:
    labels = report(store)
    assert (labels.pairs, labels.unjudged, labels.usable, labels.verdicts, labels.authors) == (0, 0, 0, {}, {})
    assert (labels.left_share, labels.left_p, labels.median_seconds, labels.pairs_per_minute) == (
        wilson(0, 0),
        1.0,
        None,
        None,
    )
    assert labels.position_sentence == "left chosen no data: too few to tell a bias (100 needed)"


def test_counts_are_of_the_verdicts_that_stand(store) -> None:
    queue = [ask(store) for _ in range(8)]
    for pair, verdict in zip(queue, ("left", "right", "left", "tie", "both_bad", "skip", "left"), strict=False):
        judge(store, pair, verdict)
    journal.undo(store, rater="Ada")
    judge(store, queue[0], "right")
    labels = report(store)
    assert labels.verdicts == {"left": 1, "right": 2, "tie": 1, "both_bad": 1, "skip": 1}
    assert (labels.pairs, labels.unjudged, labels.usable) == (8, 2, 3)


def test_position_counts_only_what_was_shown_here(store) -> None:
    for _ in range(3):
        judge(store, ask(store), "left", seconds=None)
    for verdict in ("left", "right", "right", "tie"):
        judge(store, ask(store), verdict)
    labels = report(store)
    assert labels.left_share == wilson(1, 3)
    assert labels.usable == 6


@pytest.mark.parametrize(
    ("left", "words"), [(50, "no bias seen (p = 1.000)"), (59, "no bias seen (p = 0.089)"), (61, "a bias (p = 0.035)")]
)
def test_a_bias_is_called_one_only_where_chance_is_unlikely(store, left, words) -> None:
    with store.transaction():
        for number in range(100):
            judge(store, ask(store), "left" if number < left else "right")
    assert report(store).position_sentence == f"left chosen {wilson(left, 100)}: {words}"


def test_agreement_is_with_oneself_on_the_same_winner(store) -> None:
    steady, changed, tied, skipped, two_people = (ask(store) for _ in range(5))
    for pair, verdicts in (
        (steady, ("left", "left", "left")),
        (changed, ("left", "right")),
        (tied, ("tie", "both_bad")),
        (skipped, ("skip", "left")),
    ):
        for verdict in verdicts:
            judge(store, pair, verdict)
    judge(store, two_people, "left", rater="Ada")
    judge(store, two_people, "right", rater="Ben")
    assert report(store).agreement == wilson(2, 3)


def test_a_verdict_taken_back_is_no_disagreement(store) -> None:
    pair = ask(store)
    judge(store, pair, "left")
    journal.undo(store, rater="Ada")
    judge(store, pair, "right")
    assert report(store).agreement == wilson(0, 0)


def test_pauses_are_no_work(store) -> None:
    for seconds in (2.0, 4.0, 600.0, None):
        judge(store, ask(store), "left", seconds=seconds)
    labels = report(store)
    assert labels.median_seconds == pytest.approx(3.0, abs=0.5)
    assert labels.pairs_per_minute == pytest.approx(20, abs=3)
    assert recent_seconds(store, rater="Ada") == pytest.approx([4.0, 2.0], abs=0.5)
    assert recent_seconds(store, rater="Ben") == []


def test_length_and_authors_follow_the_response_not_the_side(store) -> None:
    judge(store, ask(store, seed=0), "left")
    judge(store, ask(store, seed=1), "right")
    judge(store, ask(store, seed=1), "left")
    judge(store, ask(store, first="equal", second="equal"), "left")
    judge(store, ask(store), "tie")
    labels = report(store)
    assert labels.longer_won == wilson(2, 3)
    assert labels.authors == {"Anna": wilson(3, 4), "Bert": wilson(1, 4)}


def test_an_answer_without_text_has_no_length(store) -> None:
    example_id = examples.add(store, record_id=None, messages=[], split="train")
    call = [{"role": "assistant", "content": None, "tool_calls": []}]
    made = [
        responses.add(store, example_id, messages, origin="file")
        for messages in (call, json.loads('[{"role": "assistant", "content": "text"}]'))
    ]
    judge(store, pairs.get(store, pairs.add_pair(store, example_id, *made, seed=0)), "right")
    labels = report(store)
    assert labels.longer_won == wilson(1, 1)
    assert labels.authors == {}
