from studio.mapping import Mapping


def test_the_side_that_is_held_out_less_is_found(row, look) -> None:
    noted = [
        row("Hi?", split="train"),
        row("hi", split="validation"),
        row("HI!", split="test"),
        row("Hi", split="test"),
        row("Why?", split="train"),
        row("why", split="validation"),
        row("How?", split="train"),
        row("How?", split="train"),
    ]
    assert look("leaked-prompt", noted) == [
        (1, "asks the same as example 3 in test"),
        (2, "asks the same as example 3 in test"),
        (5, "asks the same as example 6 in validation"),
    ]


def test_a_leak_does_not_depend_on_what_the_model_is_told(row, look) -> None:
    assert len(look("leaked-prompt", [row("Hi", told="Be brief"), row("Hi", split="test")])) == 1


def test_sums_are_no_leaks_of_each_other(row, look) -> None:
    assert look("leaked-prompt", [row("What is 6-2?"), row("What is 6/2?", split="test")]) == []


def test_the_leaks_of_banking77(real, look) -> None:
    noted = real(
        "banking77_train.csv",
        "banking77_test.csv",
        mapping=Mapping({"prompt": "text", "completion": "category"}),
        splits=("train", "test"),
    )
    found = look("leaked-prompt", noted)
    by_id = {each.id: each for each in noted}
    assert len(found) == 25
    assert {by_id[each.row_id].split for each in found} == {"train"}
    assert len({by_id[each.row_id].prompt for each in found}) == 25
