"""What a judge's figures say, held to counts by hand."""

import pytest

from store import examples, journal, judgements, pairs, responses
from store.database import Store
from store.judgements import Answer, Judgement, NewJudgement
from store.pairs import Verdict
from studio.ai_judge.report import JudgeFigures, lines, read
from studio.statistics.shares import wilson

VERDICTS: dict[Answer, Verdict] = {"first": "left", "second": "right", "tie": "tie", "both_bad": "both_bad"}


def judged(store: Store, person: Answer | None, one: Answer, other: Answer, judge: str = "m", times: int = 1) -> None:
    """Add pairs that a person and a judge have answered so."""
    for _ in range(times):
        prompt = [{"role": "user", "content": f"Q{pairs.next_id(store)}"}]
        example = examples.add(store, record_id=None, messages=prompt, split="train")
        ids = [responses.add(store, example, [{"role": "assistant", "content": t}], origin="file") for t in "ab"]
        pair = pairs.get(store, pairs.add_pair(store, example, *ids, seed=0))
        judgements.keep(store, NewJudgement(Judgement(pair.id, judge, one, other), {}, ("", "")))
        if person is not None:
            journal.judge(store, pair, VERDICTS[person], rater="me")


def only(store: Store) -> JudgeFigures:
    report = read(store, "me")
    assert report is not None
    [figures] = report.judges
    return figures


def test_without_a_judge_there_is_no_report(store) -> None:
    assert read(store, "me") is None


def test_figures_are_counted_by_hand(store) -> None:
    for person, one, other, times in (
        ("first", "first", "first", 20),
        ("first", "second", "second", 2),
        ("second", "second", "second", 9),
        ("second", "tie", "tie", 1),
        ("tie", "first", "first", 3),
        ("first", "first", "second", 4),
        ("second", "unclear", "first", 5),
        (None, "second", "second", 6),
    ):
        judged(store, person, one, other, times=times)
    figures = only(store)
    assert figures.clear == wilson(45, 50)
    assert figures.consistent == wilson(41, 45)
    assert figures.compared == 35
    assert figures.first == wilson(20, 22)
    assert figures.second == wilson(9, 10)
    assert figures.agreement.observed == wilson(29, 35)
    # po = 29/35; pe = (22*23 + 10*11 + 3*1) / 35^2
    expected = (29 / 35 - (22 * 23 + 10 * 11 + 3 * 1) / 35**2) / (1 - (22 * 23 + 10 * 11 + 3 * 1) / 35**2)
    assert figures.agreement.value == pytest.approx(expected)


def test_a_judge_that_always_names_the_one_shown_first_is_seen_through(store) -> None:
    judged(store, "first", "first", "second", times=40)
    figures = only(store)
    assert figures.consistent == wilson(0, 40)
    assert figures.named_first_shown == wilson(80, 80)
    assert (figures.compared, figures.agreement.value) == (0, None)
    assert "hang on the order" in figures.trust


def test_a_judge_that_can_not_be_read_is_said_to_be_none(store) -> None:
    judged(store, "first", "unclear", "unclear", times=12)
    figures = only(store)
    assert (figures.clear, figures.consistent.of, figures.named_first_shown.of) == (wilson(0, 12), 0, 0)
    assert "does not keep to the form" in figures.trust


def test_a_judge_that_always_says_the_same_agrees_by_chance(store) -> None:
    judged(store, "first", "first", "first", times=36)
    judged(store, "second", "first", "first", times=4)
    figures = only(store)
    assert (figures.first, figures.second) == (wilson(36, 36), wilson(0, 4))
    assert figures.agreement.value == pytest.approx(0)
    assert "no more than chance" in figures.trust


def test_few_pairs_tell_nothing_and_many_good_ones_something(store) -> None:
    judged(store, "first", "first", "first", times=10)
    assert "Too few pairs" in only(store).trust
    judged(store, "first", "first", "first", times=20)
    judged(store, "second", "second", "second", times=20)
    assert "second reader" in only(store).trust


def test_every_judge_has_its_lines(store) -> None:
    judged(store, "first", "first", "first", judge="m")
    judged(store, "first", "second", "second", judge="n")
    report = read(store, "me")
    assert report is not None
    said = lines(report)
    assert [line.split(":")[0] for line in said if line.startswith("AI judge")] == ["AI judge m", "AI judge n"]
    assert all("%" not in line or "[" in line for line in said)
