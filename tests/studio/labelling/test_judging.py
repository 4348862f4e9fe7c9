"""What a key writes: verdicts with their reasons, what a ranking implies, and a better reply of one's own."""

from collections.abc import Callable

import pytest
from stored import current_verdicts

from store import examples, journal, pairs, responses
from store.database import Store
from studio.errors import StudioError
from studio.labelling import judging, ranking, shown
from studio.labelling.shown import Shown

SEEN = "2025-01-11T09:00:00.000000+00:00"


def text(content: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": content}]


def candidates(store: Store, count: int) -> list[int]:
    """Add a prompt with so many replies, none of them paired yet; return the replies."""
    prompt = [{"role": "user", "content": "Why?"}]
    example = examples.add(store, record_id=None, messages=prompt, split="train")
    return [responses.add(store, example, text(f"{number}"), origin="file") for number in range(count)]


def show(store: Store, first: int, second: int, seed: int = 0, ranked: str = "") -> Shown:
    example = responses.get(store, first).example_id
    pair = pairs.add_pair(store, example, first, second, seed=0)
    return shown.read(store, pair).shown(seed, ranking=ranked)


def rank(store: Store, replies: list[int], better: Callable[[int, int], bool], rater: str = "Ada") -> int:
    """Judge until nothing is left to ask; return how many keys that took."""
    example = responses.get(store, replies[0]).example_id
    keys = 0
    while two := ranking.next_pair(replies, ranking.outcomes_of(store, example, rater=rater)):
        verdict = "left" if better(*two) else "right"
        said = show(store, *two, ranked="so far")
        assert (said.left.id, said.right.id) in (two, two[::-1])
        if said.left.id != two[0]:
            verdict = {"left": "right", "right": "left"}[verdict]
        judging.judge(store, said, verdict, rater=rater, task="rank", shown_at=SEEN)
        keys += 1
    return keys


def winners(store: Store) -> set[tuple[int, int]]:
    return {e.chosen_and_rejected for e in current_verdicts(store) if e.chosen_and_rejected}


def test_a_verdict_keeps_all_that_was_said_with_it(store) -> None:
    pair = show(store, *candidates(store, 2), seed=1)
    line = judging.judge(
        store,
        pair,
        "left",
        rater="Ada",
        task="tone",
        strength="clearly",
        reasons=["kind", "short"],
        note="more so",
        shown_at=SEEN,
    )
    entry = journal.current_verdict(store, pair.pair.id)
    assert entry.id == line
    assert (entry.left_id, entry.right_id, entry.seed) == (pair.pair.second_id, pair.pair.first_id, 1)
    assert (entry.task, entry.strength, entry.reasons, entry.note) == ("tone", "clearly", ("kind", "short"), "more so")
    assert (entry.purpose, entry.shown_at) == ("first", SEEN)


def test_how_much_better_is_of_no_meaning_for_a_tie(store) -> None:
    pair = show(store, *candidates(store, 2))
    judging.judge(store, pair, "tie", rater="Ada", task="", strength="clearly", shown_at=SEEN)
    assert journal.current_verdict(store, pair.pair.id).strength == ""


def test_a_repeat_never_changes_the_label(store) -> None:
    pair = show(store, *candidates(store, 2))
    judging.judge(store, pair, "left", rater="Ada", task="", shown_at=SEEN)
    again = shown.read(store, pair.pair.id).shown(1, "repeat")
    judging.judge(store, again, "left", rater="Ada", task="", shown_at=SEEN)
    assert winners(store) == {(pair.left.id, pair.right.id)}
    assert [e.purpose for e in journal.entries(store)] == ["first", "repeat"]


def test_a_ranking_of_five_writes_all_ten_pairs(store) -> None:
    replies = candidates(store, 5)
    keys = rank(store, replies, lambda left, right: left < right)
    assert keys <= 8
    assert winners(store) == {(a, b) for a in replies for b in replies if a < b}
    implied = [e for e in journal.entries(store) if e.purpose == "implied"]
    assert len(implied) == 10 - keys
    assert all(e.shown_at is None and e.implied_by and e.task == "rank" for e in implied)


def test_one_undo_takes_back_what_followed(store) -> None:
    replies = candidates(store, 3)
    assert rank(store, replies, lambda left, right: left > right) == 2
    assert len(winners(store)) == 3
    journal.undo(store, rater="Ada")
    assert len(winners(store)) == 1
    journal.redo(store, rater="Ada")
    assert len(winners(store)) == 3


def test_nothing_is_implied_where_nothing_is_ranked(store) -> None:
    one, two, three = candidates(store, 3)
    for both in ((one, two), (two, three)):
        judging.judge(store, show(store, *both), "left", rater="Ada", task="", shown_at=SEEN)
    assert winners(store) == {(one, two), (two, three)}


def test_a_change_of_mind_corrects_what_followed_from_the_old_verdict(store) -> None:
    one, two, three = candidates(store, 3)
    rank(store, [one, two, three], lambda left, right: left > right)
    assert winners(store) == {(two, one), (three, two), (three, one)}
    # Looked up in the list of all verdicts, so that nothing is being ranked.
    judging.judge(store, show(store, one, two), "left", rater="Ada", task="", shown_at=None)
    assert winners(store) == {(one, two), (three, two)}
    assert ranking.next_pair([one, two, three], ranking.outcomes_of(store, 1, rater="Ada")) == (one, three)
    journal.undo(store, rater="Ada")
    assert winners(store) == {(two, one), (three, two), (three, one)}


def test_what_one_person_implies_replaces_nothing_that_another_said(store) -> None:
    one, two, three = candidates(store, 3)
    judging.judge(store, show(store, one, three), "right", rater="Ben", task="", shown_at=SEEN)
    rank(store, [one, two, three], lambda left, right: left < right)
    assert winners(store) == {(one, two), (two, three), (three, one)}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("left", [True, False])
def test_an_edited_reply_beats_both(store, seed, left) -> None:
    both = show(store, *candidates(store, 2), seed=seed)
    original, other = (both.left, both.right) if left else (both.right, both.left)
    third = judging.keep_better(store, both, original, text("best"), rater="Ada", task="", shown_at=SEEN)
    kept = responses.get(store, third)
    assert (kept.messages, kept.origin, kept.author, kept.parent_id) == (text("best"), "human", "Ada", original.id)
    assert winners(store) == {(original.id, other.id), (third, original.id), (third, other.id)}
    head, *follow = journal.entries(store)
    assert [(e.purpose, e.shown_at) for e in (head, *follow)] == [("edited", SEEN), ("edited", None), ("implied", None)]
    assert journal.undo(store, rater="Ada").id == head.id
    assert winners(store) == set()
    journal.redo(store, rater="Ada")
    assert len(winners(store)) == 3


def test_a_reply_that_was_not_changed_is_no_better_one(store) -> None:
    both = show(store, *candidates(store, 2))
    with pytest.raises(StudioError, match="same as one of the two"):
        judging.keep_better(store, both, both.left, both.right.messages, rater="Ada", task="", shown_at=SEEN)
    assert list(journal.entries(store)) == []
    assert len(responses.of_example(store, both.pair.example_id)) == 2


def test_an_edited_reply_takes_its_place_in_the_ranking(store) -> None:
    one, two, three, four = candidates(store, 4)
    rank(store, [one, two, three], lambda left, right: left < right)
    best = judging.keep_better(
        store, show(store, one, two, ranked="2 of about 3"), responses.get(store, one), text("best"), rater="Ada",
        task="rank", shown_at=SEEN,
    )  # fmt: skip
    assert {(best, each) for each in (one, two, three)} <= winners(store)
    assert rank(store, [one, two, three, best, four], lambda left, right: left == four) == 2
    assert (four, best) in winners(store)
