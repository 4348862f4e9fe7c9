"""The report in words: every share with its count and interval, what it means, and what to do next."""

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from labelled import ask, judge

from store import judgements
from studio.labelling.drift import day_words
from studio.labelling.report import report
from studio.labelling.report_words import plain

BARE = re.compile(r"(?<!= )(?<!\[)(?<!, )\b\d+(\.\d+)?\s?%")
"""A percentage without the count that it is of, or outside an interval."""


def words(store, rater: str = "", me: str = "Ada") -> str:
    return plain(report(store, rater=rater, reader=me), me)


def fill(store) -> None:
    with store.transaction():
        for number in range(120):
            pair = ask(store, authors=(("base", "tuned"), ("base", "other"), ("tuned", "other"))[number % 3])
            judge(store, pair, ("left", "right", "right", "tie", "both_bad")[number % 5], strength="slightly")
            if number % 5 == 0:
                judge(store, pair, "left", purpose="repeat" if number % 2 else "anchor", swapped=number % 3 == 0)
            if number % 4 == 0:
                judge(store, pair, "left", rater="Ben", purpose="second")


def test_no_percentage_stands_alone(store) -> None:
    fill(store)
    for rater in ("", "Ada", "Ben"):
        text = words(store, rater)
        assert "%" in text
        assert not BARE.findall(text), text


def test_an_empty_project_says_what_to_do(store) -> None:
    text = words(store)
    assert "compare replies of two models or people" in text
    assert "It can be tried from 50: 50 more." in text
    assert "Nothing came back yet" in text
    assert "TUNING_STUDIO_RATER" in text
    assert "nan" not in text.casefold()


def test_whose_and_which_task_come_first(store) -> None:
    judge(store, ask(store), "left", task="tone")
    assert words(store).startswith("Verdicts of everybody, all tasks")
    assert words(store, "Ada").startswith("Verdicts of you, all tasks")
    assert plain(report(store, task="tone", rater="Ada"), "Ben").startswith("Verdicts of Ada, task tone")


@pytest.mark.parametrize(
    ("left", "said"), [(50, "No bias seen (p = 1.000)"), (59, "No bias seen (p = 0.089)"), (61, "A bias (p = 0.035)")]
)
def test_a_bias_is_called_one_only_where_chance_is_unlikely(store, left, said) -> None:
    with store.transaction():
        for number in range(100):
            judge(store, ask(store), "left" if number < left else "right")
    assert said in words(store)


def test_below_a_hundred_a_bias_cannot_be_told(store) -> None:
    judge(store, ask(store), "left")
    assert "Too few to tell a bias: 100 decided pairs are needed." in words(store)


@pytest.mark.parametrize(
    ("alike", "said"), [(20, "Steady"), (17, "Steady"), (16, "Fair"), (15, "Fair"), (14, "Unsteady")]
)
def test_how_steady_one_is(store, alike, said) -> None:
    with store.transaction():
        for number in range(20):
            pair = ask(store)
            judge(store, pair, "left" if number % 2 else "right")
            other = "right" if number % 2 else "left"
            judge(store, pair, ("left" if number % 2 else "right") if number < alike else other, purpose="repeat")
    text = words(store)
    assert f"all repeats: {alike}/20 = " in text
    assert f"\n    {said} (kappa" in text


def test_stricter_than_on_the_day_of_the_first_verdicts(store) -> None:
    for number in range(15):
        pair = ask(store)
        judge(store, pair, "left")
        judge(store, pair, "both_bad" if number < 5 else "left", purpose="anchor")
    today = day_words(datetime.now().date().isoformat())
    text = words(store, "Ada")
    assert f"you are stricter than on {today}: 5 of 15 had a good reply then and none now, 0 the other way" in text
    assert "Chance may do that (p = 0.125); six changes one way are the least that tell." in text
    assert f"Ada is stricter than on {today}" in words(store, "Ada", me="Ben")


def test_more_than_chance_says_so(store) -> None:
    for number in range(15):
        pair = ask(store)
        judge(store, pair, "both_bad")
        judge(store, pair, "left" if number < 10 else "both_bad", purpose="anchor")
    text = words(store, "Ada")
    assert "you are milder than" in text
    assert "More than chance (p = 0.004)" in text


def test_a_day_of_another_year_has_its_year() -> None:
    today = datetime.now().date()
    before = today.replace(day=1, month=1) - timedelta(days=30)
    assert str(before.year) in day_words(before.isoformat())
    assert str(today.year) not in day_words(today.isoformat())


def test_the_judge_is_told_beside_the_person(store) -> None:
    pair = ask(store)
    judge(store, pair, "left")
    said = judgements.Judgement(pair.id, "gpt", "first", "first")
    judgements.keep(store, judgements.NewJudgement(said, {}, ("A", "B")))
    assert "AI judges" in words(store, "Ada")
    assert "gpt" in words(store, "Ada")
    assert "AI judges" in words(store)
    assert "AI judges" not in plain(report(store), "Ada")


def test_every_name_of_the_json_is_documented(store) -> None:
    fill(store)
    documented = (Path(__file__).parents[3] / "docs" / "label-statistics.md").read_text(encoding="utf-8")
    document = asdict(report(store))
    assert document.pop("ai_judge") is None
    for free in (document["verdicts"], document["replies"], document["enough"]):
        free.pop("strengths", None)
    document["others"]["disputed"][0]["answers"].clear()
    document["replies"]["reasons"].clear()
    missing = [name for name in names(document) if f"`{name}`" not in documented and f'"{name}"' not in documented]
    assert missing == []


def names(value: object) -> set[str]:
    """Return the names of all fields of a document; of a list its first item's."""
    if isinstance(value, dict):
        return set(value).union(*map(names, value.values()))
    return names(value[0]) if isinstance(value, list) and value else set()
