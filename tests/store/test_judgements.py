"""What judges said: kept beside the journal, and shown of pairs only that the person has decided."""

import pytest
from stored import waiting_pairs

from store import examples, journal, judgements, pairs, responses
from store.database import Store
from store.judgements import Answer, Cell, Judgement, NewJudgement
from store.pairs import Pair


def add_pair(store: Store, seed: int = 0) -> Pair:
    prompt = [{"role": "user", "content": f"Q{pairs.next_id(store)}"}]
    example = examples.add(store, record_id=None, messages=prompt, split="train")
    ids = [responses.add(store, example, [{"role": "assistant", "content": t}], origin="file") for t in "ab"]
    return pairs.get(store, pairs.add_pair(store, example, *ids, seed=seed))


def keep(store: Store, pair: Pair, one: Answer, other: Answer, judge: str = "m", version: int = 1) -> None:
    said = Judgement(pair.id, judge, one, other)
    judgements.keep(store, NewJudgement(said, {"version": version}, ("left words", "right words")))


@pytest.mark.parametrize(
    ("one", "other", "consistent"),
    [
        ("first", "first", "first"),
        ("both_bad", "both_bad", "both_bad"),
        ("first", "second", None),
        ("unclear", "unclear", None),
        ("tie", "unclear", None),
    ],
)
def test_only_the_same_readable_answer_in_both_orders_is_consistent(one, other, consistent) -> None:
    assert Judgement(1, "m", one, other).consistent == consistent


def test_a_judge_is_not_seen_before_the_person_nor_after_a_verdict_is_taken_back(store) -> None:
    pair = add_pair(store)
    keep(store, pair, "first", "first")
    assert judgements.decided(store, "me", "m") == []
    assert judgements.seconds(store, "me", "m", [pair.id]) == {}
    journal.judge(store, pair, "right", rater="me")
    second = judgements.seconds(store, "me", "m", [pair.id])[pair.id]
    assert (second.person, second.judgement.consistent) == ("second", "first")
    assert second.replies == ("left words", "right words")
    assert judgements.decided(store, "me", "m") == [pair.id]
    assert judgements.decided(store, "somebody else", "m") == []
    journal.undo(store, rater="me")
    assert judgements.decided(store, "me", "m") == []
    assert judgements.seconds(store, "me", "m", [pair.id]) == {}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("verdict", "on_left", "on_right"),
    [("left", "first", "second"), ("right", "second", "first"), ("tie", "tie", "tie")],
)
def test_the_person_says_which_response_is_better_on_whichever_side_it_was(
    store, seed, verdict, on_left, on_right
) -> None:
    pair = add_pair(store, seed)
    keep(store, pair, "first", "first")
    journal.judge(store, pair, verdict, rater="me")
    assert judgements.seconds(store, "me", "m", [pair.id])[pair.id].person == (on_right if seed else on_left)


def test_the_newest_verdict_counts_and_repeats_and_skips_do_not(store) -> None:
    one, skipped = add_pair(store), add_pair(store)
    for pair in (one, skipped):
        keep(store, pair, "first", "first")
    journal.judge(store, one, "tie", rater="me")
    journal.judge(store, one, "left", rater="me", purpose="change")
    journal.judge(store, one, "right", rater="me", purpose="repeat")
    journal.judge(store, skipped, "left", rater="me")
    journal.judge(store, skipped, "skip", rater="me", purpose="change")
    assert judgements.decided(store, "me", "m") == judgements.judged_by(store, "me") == [one.id]
    assert judgements.seconds(store, "me", "m", [one.id])[one.id].person == "first"
    assert judgements.cells(store, "me") == [
        Cell("m", None, "first", "first", 1),
        Cell("m", "first", "first", "first", 1),
    ]


def test_pairs_on_which_they_differ_come_first(store) -> None:
    found = [add_pair(store) for _ in range(4)]
    said: list[tuple[Answer, Answer]] = [("first", "first"), ("unclear", "first"), ("second", "second"), ("tie", "tie")]
    for pair, (one, other) in zip(found, said, strict=True):
        keep(store, pair, one, other)
        journal.judge(store, pair, "left", rater="me")
    assert judgements.decided(store, "me", "m") == [found[n].id for n in (2, 3, 0, 1)]


def test_a_judge_that_is_asked_anew_says_its_newest_word(store) -> None:
    pair = add_pair(store)
    keep(store, pair, "first", "second")
    assert judgements.judged_so(store, "m", {"version": 1}) == {pair.id}
    assert judgements.judged_so(store, "m", {"version": 2}) == judgements.judged_so(store, "n", {"version": 1}) == set()
    keep(store, pair, "tie", "tie", version=2)
    keep(store, pair, "first", "first", judge="n")
    assert judgements.cells(store, "me") == [Cell("m", None, "tie", "tie", 1), Cell("n", None, "first", "first", 1)]


def test_a_judge_is_asked_about_decided_pairs_in_use_of_one_task(store) -> None:
    out, here, there = (add_pair(store) for _ in range(3))
    for pair, task in ((out, "tone"), (here, "tone"), (there, "facts")):
        journal.judge(store, pair, "left", rater="me", task=task)
    add_pair(store)
    examples.set_excluded(store, out.example_id, True)
    assert judgements.judged_by(store, "me") == [here.id, there.id]
    assert judgements.judged_by(store, "me", "tone") == [here.id]
    assert judgements.judged_by(store, "you") == []


def test_nothing_of_it_is_in_the_journal(store) -> None:
    pair = add_pair(store)
    keep(store, pair, "first", "first")
    assert list(journal.entries(store)) == []
    assert waiting_pairs(store) == [pair]


def test_twice_the_pairs_take_twice_the_work(store) -> None:
    def work() -> int:
        steps = [0]
        store.connection.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + 1), 10)
        judgements.judged_by(store, "me")
        judgements.cells(store, "me")
        store.connection.set_progress_handler(None, 0)
        return steps[0]

    found = []
    for _ in range(2):
        for _ in range(100):
            pair = add_pair(store)
            keep(store, pair, "first", "first")
            journal.judge(store, pair, "left", rater="me")
        found.append(work())
    assert found[1] < 3 * found[0]
