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


def test_short_inputs_like_held_out_ones_are_found_and_equal_ones_only_counted(row, look) -> None:
    noted = [row(f"question {n}{n} about {label}", label) for label in ("spam", "ham") for n in range(20)]
    noted += [
        row("When will my new card be delivered?", "spam", split="test"),
        row("when will my card be delivered", "spam"),
        row("How do I order a card, please?", "ham", split="test"),
        row("how do i order a card please", "ham"),
        row("Is the number 17 a prime, would you say?", "ham", split="validation"),
        row("Is the number 18 a prime, would you say?", "ham"),
        row("How can I stop getting more of these letters>", "spam", split="validation"),
        row("How can I stop getting more of these letters from you?", "spam", split="test"),
    ]
    assert look("like-held-out", noted, like_inputs=90.0) == [
        (42, "nearly the input of example 41 in test: when will my new card be delivered"),
        (47, "nearly the input of example 48 in test: how can i stop getting more of these letters from you"),
        (
            None,
            "3 of 5 held-out inputs have one like them, or the same, in a split that is held out less."
            " Short questions are alike by nature: exclude what only copies another.",
        ),
    ]
    assert look("like-held-out", noted[:40]) == []


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
    *like, whole = look("like-held-out", noted)
    assert whole.detail.startswith("368 of 3,080 held-out inputs")
    assert {by_id[each.row_id].split for each in like} == {"train"}
    assert not {each.row_id for each in like} <= {each.row_id for each in found}
