import random

import pytest

from studio.lint.sets.numbers import declared_ranges, roundness
from studio.mapping import Mapping


def answered(row, values) -> list:
    return [row(f"how long is way {n}?", f"{value:g}") for n, value in enumerate(values)]


@pytest.fixture
def lengths() -> list[int]:
    draw = random.Random(1)
    return [round(draw.lognormvariate(5, 0.6)) + 1 for _ in range(2000)]


def test_an_even_spread_is_not_called_round(row, look, lengths) -> None:
    assert 90 < roundness(lengths, 5) < 115
    assert look("round-numbers", answered(row, lengths)) == []


def test_estimates_are_called_round(row, look, lengths) -> None:
    # As in the logistics case: half of them were rounded to tens.
    half = [round(value, -1) if n % 2 else value for n, value in enumerate(lengths)]
    assert 290 < roundness(half, 5) < 310
    assert 520 < roundness(half, 10) < 570
    (found,) = look("round-numbers", answered(row, half))
    assert found.row_id is None
    assert found.detail.startswith("answers, 2,000 numbers of 20 or more: multiples are 59% of 5")
    assert "index 5" in found.detail
    assert look("round-numbers", answered(row, half), roundness=600.0) == []


def test_fields_of_json_are_judged_each_by_itself(row, look, lengths) -> None:
    noted = [row(f"way {n}", f'{{"cm": {value * 10}, "exact": {value}}}') for n, value in enumerate(lengths)]
    (found,) = look("round-numbers", noted)
    assert found.detail.startswith("'cm', 2,000 numbers of 20 or more: multiples are 100% of 5")


@pytest.mark.parametrize("values", [[5] * 10 + [10] * 10, [0, 5, 10, 15, 20] * 100, []])
def test_scales_and_handfuls_are_no_measurements(row, look, values) -> None:
    for name in ("round-numbers", "number-at-limit", "impossible-number"):
        assert look(name, answered(row, values)) == []


def test_a_pile_at_a_limit_is_told(row, look, lengths) -> None:
    cut = [min(value, 300) for value in lengths]
    (found,) = look("number-at-limit", answered(row, cut))
    assert "are 300, the highest one" in found.detail
    assert look("number-at-limit", answered(row, lengths)) == []


def test_numbers_out_of_range_and_signs_for_unknown_are_found(row, look, lengths) -> None:
    values = [value for value in lengths if value < 1000][:100]
    noted = answered(row, [*values, -1, 99999])
    assert [each.row_id for each in look("impossible-number", noted)] == [101, 102]
    assert [each.row_id for each in look("impossible-number", noted, ranges=("-5 to 5000",))] == [101, 102]
    noted = answered(row, [*values, 1001])
    assert look("impossible-number", noted) == []
    last = look("impossible-number", noted, ranges=("0 to 1000",))[-1]
    assert last.detail == "answers: 1001 is not within 0 to 1000"


def test_negative_numbers_among_others_are_none_for_unknown(row, look) -> None:
    assert look("impossible-number", answered(row, range(-50, 50))) == []


def test_what_is_no_number_is_found(row, look) -> None:
    noted = [row("a", '{"cm": NaN}'), row("b", "inf"), row("c", "12")]
    assert [each.row_id for each in look("impossible-number", noted)] == [1, 2]


def test_ranges_are_read() -> None:
    said = ("0 to 100", "price: -1.5 to 5000", "size.kg : 1 to 2", "nonsense")
    assert list(declared_ranges(said)) == [("", (0, 100)), ("price", (-1.5, 5000)), ("size.kg", (1, 2))]


def test_small_numbers_and_zeros_say_nothing_of_rounding(row, look, lengths) -> None:
    assert look("round-numbers", answered(row, [*lengths, *[0] * 2000])) == []
    assert look("round-numbers", answered(row, [*range(20), *[5, 10, 15] * 100])) == []


def test_the_answers_of_gsm8k_are_rounder_than_chance(real, look) -> None:
    noted = real(
        "gsm8k_example_model_solutions.jsonl", mapping=Mapping({"prompt": "question", "completion": "ground_truth"})
    )
    values = [value for each in noted for _, value in each.numbers]
    assert len(values) == 1319
    (found,) = look("round-numbers", noted)
    assert found.detail.startswith("answers, 877 numbers of 20 or more: multiples are 61% of 5")
    assert "index 307" in found.detail
    assert "may be round by nature" in found.detail
    # 304 is known of those that are written without a comma; the check reads "2,125", too.
    plain = [each for each in noted if "," not in each.closing.rpartition(" ")[2]]
    (found,) = look("round-numbers", plain)
    assert found.detail.startswith("answers, 863 numbers of 20 or more")
    assert "index 304" in found.detail
    assert look("number-at-limit", noted) == look("impossible-number", noted) == []
    assert look("class-imbalance", noted) == []
