import pytest

from studio.lint.sets.contradictions import count_triangles, rings
from studio.mapping import Mapping


def test_an_author_that_always_wins_is_told(row, look) -> None:
    noted = [row(f"why {n}", sides=(f"a{n}", f"b{n}"), by=("gpt", "base"), verdict="left") for n in range(30)]
    details = [each.detail for each in look("one-author-wins", noted)]
    assert details[0].startswith("'base' loses 30/30 = 100% [89%, 100%] of its pairs against others. It is on one side")
    assert details[1].startswith("'gpt' wins 30/30")
    assert look("one-author-wins", noted[:15]) == []


def test_authors_that_win_and_lose_are_no_finding(row, look) -> None:
    noted = [
        row(f"why {n}", sides=("a", "b"), by=("gpt", "base"), verdict="left" if n % 4 else "right") for n in range(40)
    ]
    unnamed = [row(f"how {n}", sides=("a", "b"), verdict="left") for n in range(40)]
    same = [row(f"who {n}", sides=("a", "b"), by=("gpt", "gpt"), verdict="left") for n in range(40)]
    assert look("one-author-wins", noted + unnamed + same) == []


def test_whose_answers_are_compared_is_told_where_it_is_known(row, look) -> None:
    noted = [row(f"why {n}", sides=("a", "b"), by=("gpt", "base"), verdict="left") for n in range(30)]
    (found,) = look("answers-by", noted)
    assert found.detail.startswith("the 60 answers in decided pairs are by base 50%, gpt 50%.") or (
        found.detail.startswith("the 60 answers in decided pairs are by gpt 50%, base 50%.")
    )
    assert look("answers-by", [row(f"why {n}", sides=("a", "b"), verdict="left") for n in range(30)]) == []


def given(row, lefts: int, rights: int, *, rater: str = "mara", seconds: float | None = 60) -> list:
    verdicts = ["left"] * lefts + ["right"] * rights
    return [
        row(f"{rater} {n}", sides=("a" * 200, "b" * 200), verdict=verdict, rater=rater, seconds=seconds)
        for n, verdict in enumerate(verdicts)
    ]


def test_verdicts_that_follow_the_side_are_told_for_each_person(row, look) -> None:
    (found,) = look("side-bias", given(row, 90, 30) + given(row, 55, 55, rater="jo"))
    assert found.detail.startswith("mara chose the left answer in 90/120 = 75% [67%, 82%]")


@pytest.mark.parametrize(("lefts", "rights", "seconds"), [(60, 50, 60), (50, 10, 60), (200, 20, None)])
def test_chance_few_and_imported_verdicts_show_no_side(row, look, lefts, rights, seconds) -> None:
    assert look("side-bias", given(row, lefts, rights, seconds=seconds)) == []


def test_a_person_who_can_not_have_read_is_told(row, look) -> None:
    noted = given(row, 10, 10, seconds=0.8) + given(row, 10, 10) + given(row, 15, 15, rater="jo", seconds=30)
    (found,) = look("hasty-rater", noted)
    assert found.detail.startswith("mara gave 20/40 = 50%")
    assert look("hasty-rater", noted, shortest_decision=0.5, reading_speed=2000.0) == []


def test_opposite_verdicts_of_two_examples_are_found(row, look) -> None:
    noted = [
        row("Hi", sides=("a", "b"), verdict="left"),
        row("hi!", sides=("b", "a"), verdict="left"),
        row("Hi", sides=("a", "b"), verdict="left"),
        row("Hi", sides=("a", "b"), verdict="tie"),
        row("Why", sides=("b", "a"), verdict="left"),
    ]
    assert look("opposite-verdicts", noted) == [
        (1, "example 2 prefers the other one of the same two answers"),
        (2, "example 1 prefers the other one of the same two answers"),
        (3, "example 2 prefers the other one of the same two answers"),
    ]


def test_opposite_labels_of_one_answer_are_found(row, look) -> None:
    noted = [
        row("Hi", sides=("a",), labels=(True,)),
        row("hi", sides=("A.",), labels=(False,)),
        row("Hi", sides=("b",), labels=(False,)),
    ]
    assert look("opposite-verdicts", noted) == [
        (1, "example 2 calls the same answer bad"),
        (2, "example 1 calls the same answer good"),
    ]


def test_a_circle_over_several_examples_is_found(row, look) -> None:
    noted = [
        row("Hi", sides=("a", "b"), verdict="left"),
        row("Hi", sides=("b", "c"), verdict="left"),
        row("Hi", sides=("a", "c"), verdict="right"),
        row("Hi", sides=("a", "d"), verdict="left"),
        row("Why", sides=("a", "c"), verdict="right"),
    ]
    found = look("verdict-circle", noted)
    assert [each.row_id for each in found] == [1, 2, 3, None]
    assert found[-1].detail.startswith("1 of 1 times")


def test_a_verdict_given_twice_outweighs_its_opposite(row, look) -> None:
    sides = [("a", "b"), ("b", "c"), ("c", "a"), ("a", "c"), ("a", "c")]
    assert look("verdict-circle", [row("Hi", sides=each, verdict="left") for each in sides]) == []


def test_circles_and_triangles_are_counted() -> None:
    ring = {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"a"}, "e": {"a"}}
    assert rings(ring) == [{"a", "b", "c", "d"}]
    assert count_triangles(ring) == (0, 0)
    assert count_triangles({"a": {"b", "c"}, "b": {"c"}}) == (0, 1)
    assert count_triangles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "b", "c"}}) == (1, 4)
    assert rings({"a": {"b"}, "b": {"c"}}) == []
    line = {str(n): {str(n + 1)} for n in range(5000)}
    assert rings(line) == []


def test_the_one_circle_of_pandalm(real, look) -> None:
    noted = real("pandalm_testset_v1.json", mapping=Mapping(verdicts={"0": "tie", "1": "left", "2": "right"}))
    *rows, whole = look("verdict-circle", noted)
    assert len(rows) == 3
    assert whole.detail.startswith("1 of 286 times that three answers were compared")
    assert look("opposite-verdicts", noted) == []
