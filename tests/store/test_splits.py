"""Splits: a prompt's examples move together, and nothing else does."""

from store import examples, splits
from store.database import Store
from store.examples import prompt_group
from store.splits import Move


def add(store: Store, prompt: str, answer: str, split: examples.Split) -> int:
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return examples.add(store, record_id=None, messages=messages, split=split)


def test_examples_move_with_all_that_have_their_prompts(store: Store) -> None:
    first, second = add(store, "A", "1", "test"), add(store, "A", "2", "test")
    other, there = add(store, "B", "1", "validation"), add(store, "C", "1", "train")
    alone = add(store, "D", "1", "test")
    group = prompt_group(examples.get(store, first).messages)
    move = splits.plan(store, [first, other, there], "train")
    assert sorted(move.groups) == sorted([group, prompt_group(examples.get(store, other).messages)])
    assert (move.to, move.examples, move.companions) == ("train", {"test": 2, "validation": 1}, 1)
    assert examples.get(store, first).split == "test"
    assert splits.move(store, move.groups, "train") == 3
    found = {n: examples.get(store, n).split for n in (first, second, other, there, alone)}
    assert found == {first: "train", second: "train", other: "train", there: "train", alone: "test"}
    assert splits.plan(store, [first, other], "train") == Move("train", [], {}, 0)


def test_an_edit_keeps_the_group_that_an_example_was_made_with(store: Store) -> None:
    edited, same = add(store, "A", "1", "train"), add(store, "A", "2", "train")
    examples.revise(store, edited, [{"role": "user", "content": "Else"}])
    move = splits.plan(store, [edited], "test")
    assert (move.examples, move.companions) == ({"train": 2}, 1)
    splits.move(store, move.groups, "test")
    assert examples.get(store, same).split == "test"
