import pytest

from studio.mapping import Mapping


def rows_of(found) -> list[int]:
    return [each.row_id for each in found if each.row_id is not None]


def test_each_repeat_of_an_earlier_example_is_found(row, look) -> None:
    noted = [row("Hi!", "Hello."), row("hi", "HELLO"), row("hi", "Hello, you"), row("Hi!", "Hello.", told="Shout")]
    assert look("repeated-example", noted) == [(2, "says the same as example 1")]


def test_a_pair_with_its_sides_swapped_is_a_repeat_and_one_with_other_sides_is_none(row, look) -> None:
    noted = [row("Hi", sides=("a", "b")), row("Hi", sides=("b", "a")), row("Hi", sides=("a", "c"))]
    assert rows_of(look("repeated-example", noted)) == [2]
    assert rows_of(look("repeated-prompt", noted)) == [3]


def test_answers_with_opposite_labels_are_no_repeats(row, look) -> None:
    noted = [row("Hi", sides=("a",), labels=(True,)), row("Hi", sides=("a",), labels=(False,))]
    assert look("repeated-example", noted) == []


def test_an_example_without_words_repeats_nothing(row, look) -> None:
    assert look("repeated-example", [row(), row()]) == []


def test_comparisons_count_by_prompt(row, look) -> None:
    noted = [row(f"Question {n % 10}", sides=(f"answer {n}", "none")) for n in range(40)]
    found = look("repeated-prompt", noted)
    assert len(rows_of(found)) == 30
    assert found[-1].detail.startswith("40 examples ask 10 different things")


def test_different_answers_to_one_prompt_name_each_other(row, look) -> None:
    noted = [row("Hi?", "Hello"), row("hi", "Go away"), row("hi", "hello"), row("Why?", "So"), row("Why?", "so.")]
    assert look("conflicting-answers", noted) == [
        (1, "example 2 answers the same prompt in another way"),
        (2, "example 1 answers the same prompt in another way"),
        (3, "example 2 answers the same prompt in another way"),
    ]


def test_two_prompts_that_the_model_is_told_otherwise_may_be_answered_otherwise(row, look) -> None:
    assert look("conflicting-answers", [row("Hi", "Hello"), row("Hi", "Bonjour", told="French")]) == []


@pytest.mark.parametrize(
    ("name", "repeats"),
    [
        ("llamafactory_dpo_en_demo.json", 5),
        ("llamafactory_dpo_zh_demo.json", 11),
        ("llamafactory_alpaca_en_demo.json", 14),
    ],
)
def test_what_is_known_of_real_repeats(real, look, name, repeats) -> None:
    noted = real(name)
    assert len(look("repeated-example", noted)) == repeats
    assert look("repeated-prompt", noted) == []
    assert look("conflicting-answers", noted) == []
    assert look("leaked-prompt", noted) == []


def test_the_prompts_of_real_comparisons(real, look) -> None:
    noted = real("pandalm_testset_v1.json", mapping=Mapping(verdicts={"0": "tie", "1": "left", "2": "right"}))
    assert "993 examples ask 170 different things" in look("repeated-prompt", noted)[-1].detail
