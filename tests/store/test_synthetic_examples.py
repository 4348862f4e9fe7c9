"""Synthetic examples: where they come from, where they are found, and that nothing uses them unreviewed."""

import pytest
from stored import waiting_pairs

from store import examples, find, journal, material, pairs, responses, splits, synthetic, tags
from store.database import Store
from store.synthetic import Variation


def asked(text: str) -> list[examples.Message]:
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]


def answered(text: str) -> list[examples.Message]:
    return [*asked(text), {"role": "assistant", "content": "Yes."}]


@pytest.fixture
def source(store: Store) -> int:
    return examples.add(store, record_id=None, messages=answered("Where is my book?"), split="test")


def vary(store: Store, source: int, text: str = "What became of my order?") -> int:
    return synthetic.add(store, Variation(source, "paraphrase", "smollm2", asked(text), {"seed": 7}))


def found(store: Store, query: str) -> list[int]:
    return [number for chunk in find.ids(store, "example", query) for number in chunk]


def test_a_variation_is_a_draft_in_the_split_and_the_group_of_its_source(store, source) -> None:
    made = vary(store, source)
    example = examples.get(store, made)
    assert (example.split, example.status, example.messages) == ("test", "draft", asked("What became of my order?"))
    assert tags.of_many(store, "example", [made]) == {made: ["synthetic"]}
    origin = synthetic.origins(store, [source, made])[made]
    assert (origin.source_id, origin.method, origin.model, origin.parameters) == (
        source,
        "paraphrase",
        "smollm2",
        {"seed": 7},
    )
    assert synthetic.of_sources(store, [source, made]) == {source: [origin]}


def test_its_history_shows_what_it_was_made_from(store, source) -> None:
    made = vary(store, source)
    assert examples.revisions(store, made)[0].messages == asked("Where is my book?")


def test_it_moves_to_another_split_with_its_source(store, source) -> None:
    made = vary(store, source)
    move = splits.plan(store, [source], "train")
    assert (move.examples, move.companions) == ({"test": 2}, 1)
    splits.move(store, move.groups, "train")
    assert examples.get(store, made).split == "train"


def test_it_stays_with_a_source_that_was_edited_before(store, source) -> None:
    examples.revise(store, source, answered("Where is my parcel?"))
    made = vary(store, source)
    assert examples.revisions(store, made)[0].messages == asked("Where is my parcel?")
    splits.move(store, splits.plan(store, [made], "validation").groups, "validation")
    assert {examples.get(store, number).split for number in (source, made)} == {"validation"}


def test_queries_find_it(store, source) -> None:
    made = vary(store, source)
    assert found(store, "is:synthetic") == found(store, "has:synthetic") == found(store, "tag:synthetic") == [made]
    assert found(store, "-is:synthetic") == [source]
    assert find.count(store, "record", "is:synthetic") == 0


@pytest.mark.parametrize(("status", "state"), [("draft", "unreviewed"), ("rejected", "rejected"), ("approved", None)])
def test_nothing_is_made_of_it_until_it_is_approved(store, source, status, state) -> None:
    made = vary(store, source)
    ids = [responses.add(store, made, [{"role": "assistant", "content": t}], origin="human") for t in "ab"]
    pair = pairs.get(store, pairs.add_pair(store, made, *ids, seed=0))
    examples.set_status(store, made, status)
    waiting = waiting_pairs(store)
    assert waiting == ([pair] if status == "approved" else [])
    assert pairs.counts(store)["pairs"] == len(waiting)
    journal.judge(store, pair, "left", rater="me")
    assert [each.state for columns in material.judged_pairs(store) for each in columns.each()] == [state]
    assert [each.state for columns in material.conversations(store) for each in columns.each()] == [None, state]


def test_only_what_is_in_use_and_no_copy_itself_is_a_source(store, source) -> None:
    others = [examples.add(store, record_id=None, messages=asked(f"Q{n}"), split="train") for n in range(3)]
    examples.set_excluded(store, others[0], True)
    examples.set_status(store, others[1], "rejected")
    made = vary(store, source)
    assert synthetic.usable_sources(store, [made, *others, source, 999]) == [source, others[2]]
