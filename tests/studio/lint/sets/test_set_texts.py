import pytest

from studio.lint.features import stored
from studio.lint.noted import Noted
from studio.lint.sets.lengths import length_bias
from studio.mapping import Mapping


def test_answers_of_unusual_length_are_found(row, look) -> None:
    noted = [row(f"why {n}", "w" * (100 + n)) for n in range(200)] + [row("all of it", "w" * 50_000)]
    assert look("length-outlier", noted) == [(201, "50,000 characters; 200 are usual here, so long")]
    assert look("length-outlier", noted, length_distance=40.0) == []


def test_where_lengths_are_far_apart_nothing_is_unusual(row, look) -> None:
    noted = [row(f"why {n}", "w" * (100 + n % 3)) for n in range(100)]
    noted += [row(f"all {n}", "w" * 9000) for n in range(10)]
    assert look("length-outlier", noted) == []
    assert look("length-outlier", [row(f"why {n}", "same") for n in range(100)]) == []


def test_chosen_answers_that_are_longer_are_told(row, look) -> None:
    longer = [row(f"why {n}", sides=("w" * 90, "w" * 60), verdict="left") for n in range(40)]
    (found,) = look("longer-chosen", longer)
    assert found.detail.startswith("the chosen answer is the longer one in 40/40 = 100% [91%, 100%] of the pairs")
    assert "1.49 times as long" in found.detail
    assert look("longer-chosen", longer[:20]) == []
    shorter = [row(f"how {n}", sides=("w" * 60, "w" * 90), verdict="left") for n in range(40)]
    assert look("longer-chosen", longer + shorter) == []
    assert look("longer-chosen", [row("hi", sides=("a", "b"), verdict="tie")]) == []


def test_the_lengths_of_the_demo_pairs(real, look) -> None:
    noted = real("llamafactory_dpo_en_demo.json")
    bias = length_bias(Noted(list(zip(*map(stored, noted), strict=True))))
    assert (bias.longer.part, round(bias.longer.value, 3), round(bias.p, 3)) == (131, 0.438, 0.037)
    assert look("longer-chosen", noted) == []


def test_people_liked_the_longer_answer(real, look) -> None:
    noted = real("pandalm_testset_v1.json", mapping=Mapping(verdicts={"0": "tie", "1": "left", "2": "right"}))
    (found,) = look("longer-chosen", noted)
    assert "599/881 = 68% [65%, 71%]" in found.detail


SENTENCE = "the quick brown fox number {} jumps over the lazy dog and sleeps until tomorrow {}"


def test_set_phrases_at_either_end_are_told(row, look) -> None:
    noted = [row(f"why {n}", SENTENCE.format(n, n)) for n in range(90)]
    noted = [each for n, each in enumerate(noted) if n] + [
        row(f"so {n}", f"{n} is what you asked for and there it is, I hope that this helps you!") for n in range(30)
    ]
    details = [each.detail for each in look("same-ends", noted)]
    assert details == [
        "89 of 119 answers (75%) begin with 'the quick brown'.",
        "30 of 119 answers (25%) end with 'this helps you'.",
    ]
    assert look("same-ends", noted, same_ends=0.9) == []


@pytest.mark.parametrize("answer", ["yes", "Sure! Here it is.", "{}", "* * * * * * * * * * * * * *"])
def test_short_answers_and_signs_are_no_set_phrases(row, look, answer) -> None:
    assert look("same-ends", [row(f"why {n}", answer) for n in range(100)]) == []


def test_what_glaive_answers_again_and_again(real, look) -> None:
    said = " ".join(each.detail for each in look("same-ends", real("llamafactory_glaive_toolcall_en_demo.json")))
    assert "begin with 'you're welcome if'" in said
