"""The labelling report against journals whose sums are known."""

import json

import pytest
from labelled import ask, judge

from store import examples, journal, pairs, responses
from studio.labelling.report import report
from studio.statistics.agreement import kappa
from studio.statistics.shares import wilson


def test_an_empty_project_has_a_report(store) -> None:
    labels = report(store)
    assert (labels.pairs, labels.unjudged, labels.usable, labels.verdicts, labels.raters) == (0, 0, 0, {}, [])
    assert (labels.position.left, labels.position.p) == (wilson(0, 0), 1.0)
    assert (labels.pace.median_seconds, labels.pace.pairs_per_minute) == (None, None)
    assert labels.agreement.repeats == kappa({})
    assert (labels.enough.authors, labels.enough.strengths, labels.ai_judge) == ([], {}, None)


def test_counts_are_of_the_verdicts_that_stand(store) -> None:
    queue = [ask(store) for _ in range(8)]
    for pair, verdict in zip(queue, ("left", "right", "left", "tie", "both_bad", "skip", "left"), strict=False):
        judge(store, pair, verdict)
    journal.undo(store, rater="Ada")
    judge(store, queue[0], "right")
    labels = report(store)
    assert labels.verdicts == {"left": 1, "right": 2, "tie": 1, "both_bad": 1, "skip": 1}
    assert (labels.pairs, labels.unjudged, labels.usable, labels.judged) == (8, 2, 3, 6)
    assert (labels.replies.tied, labels.replies.both_bad) == (wilson(1, 5), wilson(1, 5))


def test_excluded_data_is_in_no_sum(store) -> None:
    kept, out = ask(store), ask(store)
    for pair in (kept, out):
        judge(store, pair, "left")
        judge(store, pair, "right", rater="Ben", purpose="second")
    examples.set_excluded(store, out.example_id, True)
    labels = report(store)
    assert (labels.pairs, labels.judged, labels.position.left.of) == (1, 1, 2)
    assert labels.others.disagreements == 1


def test_position_counts_all_that_was_shown_here_and_nothing_else(store) -> None:
    for _ in range(3):
        judge(store, ask(store), "left", seconds=None)
    for verdict in ("left", "right", "right", "tie"):
        judge(store, ask(store), verdict)
    judge(store, ask(store), "left", purpose="repeat")
    assert report(store).position.left == wilson(2, 4)


def test_agreement_with_oneself_is_of_pairs_that_came_back(store) -> None:
    steady, changed, tied, skipped, swapped, later = (ask(store) for _ in range(6))
    for pair, before, after, purpose in (
        (steady, "left", "left", "repeat"),
        (changed, "left", "right", "repeat"),
        (tied, "tie", "both_bad", "repeat"),
        (skipped, "left", "skip", "repeat"),
        (later, "right", "right", "anchor"),
    ):
        judge(store, pair, before)
        judge(store, pair, after, purpose=purpose)
    judge(store, swapped, "left")
    judge(store, swapped, "right", purpose="repeat", swapped=True)
    agreement = report(store).agreement
    assert agreement.repeats.observed == wilson(4, 5)
    assert agreement.same_sides.observed == wilson(3, 4)
    assert agreement.swapped_sides.observed == wilson(1, 1)
    assert (agreement.soon.observed, agreement.later.observed) == (wilson(3, 4), wilson(1, 1))
    assert agreement.decided == wilson(3, 4)


def test_changing_ones_mind_or_taking_back_is_no_disagreement(store) -> None:
    changed, undone, others = ask(store), ask(store), ask(store)
    judge(store, changed, "left")
    judge(store, changed, "right", purpose="change")
    judge(store, undone, "left")
    judge(store, undone, "right", purpose="repeat")
    journal.undo(store, rater="Ada")
    judge(store, others, "left")
    judge(store, others, "right", rater="Ben", purpose="second")
    assert report(store).agreement.repeats.n == 0


def test_a_repeat_is_held_against_what_was_said_before_it(store) -> None:
    pair = ask(store)
    judge(store, pair, "left")
    judge(store, pair, "right", purpose="repeat")
    judge(store, pair, "right", purpose="change")
    judge(store, pair, "right", purpose="anchor")
    agreement = report(store).agreement
    assert (agreement.soon.observed, agreement.later.observed) == (wilson(0, 1), wilson(1, 1))


def test_what_follows_from_others_is_in_no_sum(store) -> None:
    said, implied = ask(store), ask(store)
    head = judge(store, said, "left")
    judge(store, implied, "right", seconds=None, purpose="implied", implied_by=head)
    labels = report(store)
    assert (labels.judged, labels.usable) == (1, 2)
    assert [(each.won, each.lost) for each in labels.enough.authors] == [(1, 0)]


def test_pauses_are_no_work(store) -> None:
    for seconds in (2.0, 4.0, 600.0, None):
        judge(store, ask(store), "left", seconds=seconds)
    pace = report(store).pace
    assert (pace.timed, pace.pauses) == (2, 1)
    assert pace.median_seconds == pytest.approx(3.0, abs=0.5)
    assert pace.pairs_per_minute == pytest.approx(20, abs=3)


def test_too_fast_is_what_lint_calls_so(store) -> None:
    long, short = ask(store, first="x" * 3000), ask(store)
    judge(store, long, "left", seconds=10.0)
    judge(store, short, "left", seconds=10.0)
    judge(store, ask(store), "right", seconds=0.2)
    judge(store, ask(store), "skip", seconds=0.2)
    judge(store, ask(store), "left", seconds=None)
    hasty = report(store).hasty
    assert (hasty.verdicts, len(hasty.latest_pairs)) == (wilson(2, 3), 2)
    assert long.id in hasty.latest_pairs
    assert report(store, lint={"shortest_decision": 0.0, "reading_speed": 1e9}).hasty.verdicts == wilson(0, 3)
    assert report(store, lint={"shortest_decision": 15.0, "reading_speed": 0}).hasty.verdicts == wilson(3, 3)


def test_length_follows_the_response_not_the_side(store) -> None:
    judge(store, ask(store, seed=0), "left")
    judge(store, ask(store, seed=1), "right")
    judge(store, ask(store, seed=1), "left")
    judge(store, ask(store, first="equal", second="equal"), "left")
    judge(store, ask(store), "tie")
    labels = report(store)
    assert labels.replies.longer_won == wilson(2, 3)
    [pair] = labels.enough.authors
    assert (pair.better, pair.other, pair.won, pair.lost, pair.ties) == ("Anna", "Bert", 3, 1, 1)


def test_an_answer_without_text_has_no_length(store) -> None:
    example_id = examples.add(store, record_id=None, messages=[], split="train")
    call = [{"role": "assistant", "content": None, "tool_calls": []}]
    made = [
        responses.add(store, example_id, messages, origin="file")
        for messages in (call, json.loads('[{"role": "assistant", "content": "text"}]'))
    ]
    judge(store, pairs.get(store, pairs.add_pair(store, example_id, *made, seed=0)), "right")
    labels = report(store)
    assert labels.replies.longer_won == wilson(1, 1)
    assert labels.enough.authors == []


def test_two_people_and_what_they_disagree_on(store) -> None:
    same, other, settled, neither, alone = (ask(store) for _ in range(5))
    for pair, ada, ben in ((same, "left", "left"), (other, "left", "right"), (settled, "left", "tie")):
        judge(store, pair, ada)
        judge(store, pair, ben, rater="Ben", purpose="second")
    judge(store, neither, "tie")
    judge(store, neither, "both_bad", rater="Ben", purpose="second", swapped=True)
    judge(store, alone, "left")
    judge(store, settled, "tie", purpose="review")
    others = report(store).others
    [two] = others.people
    assert (two.rater, two.other, two.agreement.observed) == ("Ada", "Ben", wilson(2, 4))
    assert [(each.pair_id, each.answers) for each in others.disputed] == [
        (other.id, {"Ada": "first", "Ben": "second"}),
        (neither.id, {"Ada": "tie", "Ben": "both_bad"}),
    ]
    assert report(store, rater="Cleo").others.disagreements == 0


def test_one_task_and_one_person_on_request(store) -> None:
    tone, facts = ask(store), ask(store)
    judge(store, tone, "left", task="tone")
    judge(store, facts, "right", task="facts")
    judge(store, tone, "right", task="tone", rater="Ben", purpose="second")
    assert report(store, task="tone").verdicts == {"left": 1}
    assert report(store, rater="Ben").verdicts == {"right": 1}
    assert report(store, task="facts", rater="Ben").verdicts == {}
    assert report(store).verdicts == {"left": 1, "right": 1}
    assert report(store).raters == ["Ada", "Ben"]


def test_of_one_task_is_what_still_holds(store) -> None:
    changed, settled, apart = ask(store), ask(store), ask(store)
    judge(store, changed, "left", task="tone")
    judge(store, changed, "right", task="facts", purpose="change")
    judge(store, changed, "right", task="tone", purpose="repeat")
    for pair in (settled, apart):
        judge(store, pair, "left", task="tone")
        judge(store, pair, "right", task="tone", rater="Ben", purpose="second")
    judge(store, settled, "tie", task="to settle", rater="Cleo", purpose="review")
    tone = report(store, task="tone")
    assert tone.verdicts == {"left": 1}
    assert report(store, task="tone", rater="Ada").verdicts == {"left": 2}
    assert tone.agreement.repeats.observed == wilson(1, 1)
    assert [each.pair_id for each in tone.others.disputed] == [apart.id]
    assert report(store).others.disagreements == 1


def test_settling_a_disagreement_makes_no_agreement(store) -> None:
    pair = ask(store)
    judge(store, pair, "left")
    judge(store, pair, "right", rater="Ben", purpose="second")
    before = report(store).others
    judge(store, pair, "right", purpose="review")
    after = report(store).others
    assert before.people == after.people
    assert (before.disagreements, after.disagreements) == (1, 0)


def test_a_disagreement_that_was_skipped_is_still_one(store) -> None:
    pair = ask(store)
    judge(store, pair, "left")
    judge(store, pair, "right", rater="Ben", purpose="second")
    judge(store, pair, "skip", purpose="review")
    judge(store, pair, "skip", rater="Cleo", purpose="review")
    assert report(store).others.disagreements == 1
    assert report(store).verdicts == report(store, rater="Ada").verdicts == {"left": 1}


def test_a_criterion_goes_with_the_verdict_that_followed_it(store) -> None:
    pair = ask(store)
    journal.judge_criterion(store, pair, "tone", "left", rater="Ada", shown_at=None)
    judge(store, pair, "left")
    journal.judge_criterion(store, pair, "tone", "right", rater="Ada", shown_at=None)
    judge(store, pair, "left", purpose="repeat")
    [tone] = report(store).replies.criteria
    assert (tone.asked, tone.both_decided, tone.as_overall) == (1, 1, 1)


def test_circles_strengths_reasons_and_criteria(store) -> None:
    example_id = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Q"}], split="train")
    one, two, three, four = (
        responses.add(store, example_id, [{"role": "assistant", "content": text}], origin="file") for text in "abcd"
    )
    for better, worse in ((one, two), (two, three), (three, one), (one, four), (two, four)):
        pair = pairs.get(store, pairs.add_pair(store, example_id, better, worse, seed=0))
        judge(store, pair, "left", strength="clearly", reasons=("shorter", "true"))
    by_criterion = ask(store)
    journal.judge_criterion(store, by_criterion, "tone", "left", rater="Ada", shown_at=None)
    journal.judge_criterion(store, by_criterion, "facts", "right", rater="Ada", shown_at=None)
    judge(store, by_criterion, "left")
    found = report(store).replies
    assert found.circles == wilson(1, 2)
    assert (found.strengths, found.reasons) == ({"clearly": 5}, {"shorter": 5, "true": 5})
    assert [(c.name, c.asked, c.both_decided, c.as_overall) for c in found.criteria] == [
        ("facts", 1, 1, 0),
        ("tone", 1, 1, 1),
    ]


def test_the_measure_then_and_now(store) -> None:
    moves = [("left", "both_bad")] * 5 + [("left", "left")] * 9 + [("both_bad", "both_bad")]
    for before, after in moves:
        pair = ask(store)
        judge(store, pair, before)
        judge(store, pair, after, purpose="anchor")
    anchors = report(store).drift.anchors
    assert (anchors.pairs, anchors.other_winner) == (15, 5)
    assert (anchors.good_enough.lost, anchors.good_enough.gained) == (5, 0)
    assert anchors.good_enough.p == pytest.approx(2 * 0.0625)


def test_early_and_late_answers(store) -> None:
    for verdict in ("left", "left", "right", "tie", "both_bad", "both_bad", "left", "both_bad"):
        judge(store, ask(store), verdict)
    drift = report(store).drift
    assert (drift.earlier.left, drift.later.left) == (wilson(2, 3), wilson(1, 1))
    assert (drift.earlier.both_bad, drift.later.both_bad) == (wilson(0, 4), wilson(3, 4))
