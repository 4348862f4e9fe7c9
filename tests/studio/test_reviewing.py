"""A review: what is decided of a list, at which pace, and what comes next."""

from array import array

import pytest

from store import examples, records, reviewed
from store.database import Store
from store.reviewed import DECIDED, DRAFT, OUT_OF_USE
from studio.reviewing import IDLE_SECONDS, Pace, Review, look


@pytest.fixture
def eight(store: Store) -> Store:
    """Eight examples: the second approved, the third rejected, the fifth excluded, the sixth's record excluded."""
    source = records.add_source(store, name="a", path="/a", container="jsonl", format="messages", sha256="a", size=1)
    [row] = records.add(store, source, [records.NewRecord(1, "{}", {}, b"")])
    for number in range(1, 9):
        messages = [{"role": "user", "content": str(number)}]
        examples.add(store, record_id=row if number == 6 else None, messages=messages, split="train")
    examples.set_status(store, 2, "approved")
    examples.set_status(store, 3, "rejected")
    examples.set_excluded(store, 5, True)
    records.set_excluded(store, row, True)
    return store


def test_all_that_is_listed_is_counted(eight: Store) -> None:
    review = look(eight, examples.span(eight))
    assert (review.listed, review.done, review.out_of_use, review.left) == (8, 2, 2, 4)
    part = look(eight, array("q", [1, 3, 5]))
    assert (part.listed, part.done, part.out_of_use, part.left) == (3, 1, 1, 1)
    assert look(eight, range(0)).left == 0


def test_the_next_draft_is_found_and_the_list_goes_round(eight: Store) -> None:
    for ids in (examples.span(eight), array("q", examples.span(eight)), range(8, 0, -1)):
        review = look(eight, ids)
        found, position = [], -1
        for _ in range(5):
            number = review.next_after(ids, position)
            assert number is not None
            found.append(number)
            position = ids.index(number)
        assert found == ([8, 7, 4, 1, 8] if ids[0] == 8 else [1, 4, 7, 8, 1])


def test_decisions_are_taken_up_without_counting_again(eight: Store) -> None:
    ids = examples.span(eight)
    review = look(eight, ids)
    examples.set_status(eight, 1, "rejected")
    examples.set_excluded(eight, 4, True)
    examples.set_status(eight, 3, "draft")
    review.take(reviewed.flags_of(eight, [1, 4, 3, 6]))
    assert vars(review) == vars(look(eight, ids))
    for number in ids:
        review.take({number: DECIDED})
    assert review.next_after(ids, 0) is None
    review.take({20: DRAFT})
    assert review.flags[20] == DRAFT


def test_flags_of_some_agree_with_those_of_all(eight: Store) -> None:
    all_flags = reviewed.flags(eight)
    assert reviewed.flags_of(eight, list(range(1, 9))) == {n: all_flags[n] for n in range(1, 9)}
    assert all_flags[6] == OUT_OF_USE


def test_pauses_do_not_slow_the_pace() -> None:
    pace = Pace()
    assert pace.per_minute is None
    for moment in (0, 5, 10, 10 + 2 * IDLE_SECONDS, 15 + 2 * IDLE_SECONDS):
        pace.decided(1, moment)
    assert pace.per_minute == pytest.approx(12)
    pace.decided(10, 65 + 2 * IDLE_SECONDS)
    assert pace.per_minute == pytest.approx(12)


def test_the_words_say_how_much_how_fast_and_how_long() -> None:
    pace = Pace()
    review = Review(bytearray(), listed=1_210, done=0, out_of_use=6)
    assert review.words(pace) == ""
    review.done = 45
    assert review.words(pace) == "reviewed 45 of 1,204"
    pace.decided(1, 0)
    pace.decided(1, 5)
    assert review.words(pace) == "reviewed 45 of 1,204, 12 a minute, 1 h 37 min left"
    review.done = 1_204
    assert review.words(pace) == "reviewed 1,204 of 1,204, 12 a minute"
