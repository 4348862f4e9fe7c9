"""What is said of logits: a wrong model can't pass as rounding, nor rounding as a wrong model."""

import pytest

from studio.inference.asked import Scored
from studio.inference.proof.evidence import Check
from studio.inference.proof.logits import MOST_KL, NEAR_TIE, judged


def found(
    places: int, leads: list[float], *, worst: float = 1e-4, usual: float = 1e-5, is_quantised: bool = False
) -> Check:
    """Judge a text of so many places, at which another token is the likeliest as often as there are leads."""
    same = [False] * len(leads) + [True] * (places - len(leads))
    kl = [*[usual] * (places - 1), worst]
    return judged([Scored([0.0] * places, [0.0] * places, kl, same)], leads, ["example 7"], is_quantised=is_quantised)


def test_near_ties_that_fall_the_other_way_are_said_and_no_fault() -> None:
    check = found(512, [NEAR_TIE / 2] * 2)
    assert check.outcome == "equal"
    assert check.sentence == (
        "the same likeliest token at 510 of 512 places (99.61%), near ties at the other 2,"
        " KL at worst 1.0e-04 and 1.0e-05 on average"
    )
    assert (check.figures["near_ties"], round(check.figures["top1"], 4)) == (2, 0.9961)
    assert "places (100.00%), KL" in found(512, []).sentence


@pytest.mark.parametrize(
    ("places", "clear", "outcome"), [(400, 1, "different"), (500, 1, "equal"), (999, 2, "different")]
)
def test_another_token_than_a_clear_favourite_counts(places: int, clear: int, outcome: str) -> None:
    check = found(places, [NEAR_TIE / 2, *[NEAR_TIE * 2] * clear])
    assert check.outcome == outcome
    assert f"near ties at 1 of the other {clear + 1}" in check.sentence


@pytest.mark.parametrize("worst", [MOST_KL * 1.1, float("nan"), float("inf")])
def test_one_place_that_diverges_is_named(worst: float) -> None:
    check = found(400, [], worst=worst)
    assert check.outcome == "different"
    assert "it diverges most in example 7, after 400 tokens" in check.findings[0].message


def test_what_quantising_costs_is_noted_and_what_it_can_not_cost_is_no_excuse() -> None:
    assert found(400, [1.0] * 20, worst=0.4, usual=0.05, is_quantised=True).outcome == "noted"
    check = found(400, [1.0] * 300, worst=4.0, usual=2.0, is_quantised=True)
    assert check.outcome == "different"
    assert "by 4 nats where quantising costs less than 1 on average" in check.findings[0].message
