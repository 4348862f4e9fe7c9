"""The rows of a run that goes on from another: what is new, and a share of what the parent has seen."""

import json
from dataclasses import replace

import pytest

from store import examples, journal, pairs, responses, runs, snapshots
from store.database import Store
from store.runs import Run
from store.snapshots import Items
from studio.errors import StudioError
from studio.formats.row import SftRow
from studio.importing import import_file
from studio.project import Project
from studio.snapshots import recall
from studio.training.recipe import Recipe, as_table, make_recipe
from studio.training.rows.run_rows import KNOWN_ALREADY, NOT_MEASURED, SAME_ANSWER, rows_of


def add_talks(project: Project, store: Store, first: int, count: int) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(first, first + count)
    ]
    path = project.folder / f"talks{first}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)


def parent_of(project: Project, store: Store, recipe: Recipe) -> Run:
    built = rows_of(store, recipe, None)
    snapshots.save(store, built.snapshot)
    made = runs.add(
        store,
        method=recipe.method,
        base_model="m",
        base_hash=None,
        snapshot_id=built.snapshot.id,
        recipe=as_table(recipe),
    )
    return runs.get(store, made)


@pytest.fixture
def parent(project: Project, store: Store) -> Run:
    """A run that has learnt twenty conversations, or those of them that are to train on."""
    add_talks(project, store, 0, 20)
    return parent_of(project, store, make_recipe("sft", []))


def test_new_rows_are_mixed_with_a_share_of_the_parents(project: Project, store: Store, parent: Run) -> None:
    seen = {item for item in snapshots.get(store, parent.snapshot_id).items if item.split == "train"}
    add_talks(project, store, 100, 20)
    gone = min(item.example_id for item in seen)
    examples.set_excluded(store, gone, True)
    recipe = make_recipe("sft", ["replay=0.25"])
    built = rows_of(store, recipe, parent)
    train = [item for item, _ in built.rows if item.split == "train"]
    fresh = [item for item in train if item not in seen]
    old = [item for item in train if item in seen]
    assert all(item.example_id > 20 for item in fresh)
    assert len(old) == round(len(fresh) / 4) == built.snapshot.counts["replayed"]
    assert gone not in {item.example_id for item in old}
    assert built.snapshot.counts["train"] == len(train)
    assert built.left_out == {KNOWN_ALREADY: len(seen) - 1, "excluded": 1}
    held_out = [item for item, _ in built.rows if item.split == "validation"]
    assert held_out == [item for item, _ in rows_of(store, make_recipe("sft", []), None).rows
                        if item.split == "validation"]  # fmt: skip
    assert rows_of(store, recipe, parent).snapshot == built.snapshot
    other = rows_of(store, replace(recipe, seed=2), parent)
    assert other.snapshot.id != built.snapshot.id
    snapshots.save(store, built.snapshot)
    assert list(snapshots.get(store, built.snapshot.id).items) == [item for item, _ in built.rows]


def test_conversations_are_replayed_among_a_teachers_answers(project: Project, store: Store, parent: Run) -> None:
    add_talks(project, store, 100, 20)
    for number in range(21, 41):
        said = [{"role": "assistant", "content": "So the teacher says."}]
        responses.add(store, number, said, origin="model", author="big")
    built = rows_of(store, make_recipe("distill", ["replay=0.5"]), parent)
    fresh = [item for item, _ in built.rows if item.split == "train" and item.chosen_id]
    assert len(fresh) > 5
    assert built.snapshot.counts["replayed"] == round(len(fresh) / 2)
    snapshots.save(store, built.snapshot)
    with store.reading():
        again = [row for block in recall(store, built.snapshot.id) for row in block.rows]
    assert again == [row for _, row in built.rows]


def test_what_a_parent_replayed_itself_is_replayed_too(project: Project, store: Store, parent: Run) -> None:
    taught = {"role": "assistant", "content": "So the teacher says."}
    add_talks(project, store, 100, 20)
    for number in range(21, 41):
        responses.add(store, number, [taught], origin="model", author="big")
    built = rows_of(store, make_recipe("distill", ["replay=10"]), parent)
    snapshots.save(store, built.snapshot)
    recipe = make_recipe("distill", ["replay=10"])
    made = runs.add(
        store, method="distill", base_model="m", base_hash=None, snapshot_id=built.snapshot.id, recipe=as_table(recipe)
    )
    add_talks(project, store, 200, 20)
    for number in range(41, 61):
        responses.add(store, number, [taught], origin="model", author="big")
    grandchild = rows_of(store, recipe, runs.get(store, made))
    old = {item for item, _ in built.rows if item.split == "train"}
    assert {item.chosen_id is None for item in old} == {True, False}
    assert old < {item for item, _ in grandchild.rows}


def test_what_can_not_be_replayed_is_said(project: Project, store: Store, parent: Run) -> None:
    recipe = make_recipe("sft", ["replay=0.5"])
    with pytest.raises(StudioError, match="this run has none"):
        rows_of(store, recipe, None)
    with pytest.raises(StudioError, match=f"{parent.id} has seen every row already"):
        rows_of(store, recipe, parent)
    add_talks(project, store, 100, 3)
    with pytest.raises(StudioError, match="rows of another form"):
        rows_of(store, make_recipe("grpo", ["replay=0.5"]), parent)


def test_rows_that_are_not_known_here_can_not_be_replayed(project: Project, store: Store, parent: Run) -> None:
    add_talks(project, store, 100, 3)
    elsewhere = replace(snapshots.get(store, parent.snapshot_id), id="0f0f0f0f0f0f", items=Items())
    snapshots.save(store, elsewhere)
    imported = replace(parent, snapshot_id=elsewhere.id)
    with pytest.raises(StudioError, match=f"The rows of {parent.id} are not known here"):
        rows_of(store, make_recipe("sft", ["replay=0.5"]), imported)


def test_the_better_answers_of_pairs_are_learnt_once_each(judged: Project, store: Store) -> None:
    pairs_of = {item.example_id: row for item, row in rows_of(store, make_recipe("dpo", []), None).rows}
    again = next(iter(pairs_of))
    better = next(each for each in responses.of_example(store, again) if "left on Monday" in str(each.messages))
    worse = responses.add(store, again, [{"role": "assistant", "content": "Who knows?"}], origin="human")
    pair = pairs.get(store, pairs.add_pair(store, again, better.id, worse, seed=0))
    journal.judge(store, pair, "left" if pair.left_id == better.id else "right", rater="Ada")
    recipe = make_recipe("sft", ["answers=chosen"])
    built = rows_of(store, recipe, None)
    assert {item.example_id for item, _ in built.rows} == set(pairs_of)
    assert all(isinstance(row, SftRow) for _, row in built.rows)
    first = built.rows[0]
    told = pairs_of[first[0].example_id]
    assert first[1] == SftRow(told.prompt + told.chosen, told.tools)
    assert built.left_out == {SAME_ANSWER: 1}
    parent = parent_of(judged, store, recipe)
    add_talks(judged, store, 0, 20)
    mixed = rows_of(store, make_recipe("sft", ["replay=0.5"]), parent)
    assert mixed.snapshot.counts["replayed"] == round(0.5 * sum(
        item.split == "train" for item, _ in rows_of(store, make_recipe("sft", []), None).rows
    ))  # fmt: skip


def test_more_held_out_rows_than_are_wanted_are_not_measured(project: Project, store: Store) -> None:
    def held_out(wanted: int) -> list[int]:
        built = rows_of(store, make_recipe("sft", [f"held_out_rows={wanted}"]), None)
        items = list(built.snapshot.items)
        assert items == [item for item, _ in built.rows]
        measured = [item.example_id for item in items if item.split == "validation"]
        assert built.snapshot.counts["validation"] == len(measured)
        assert built.snapshot.counts["train"] == sum(item.split == "train" for item in items) == train
        assert built.left_out == ({NOT_MEASURED: len(everything) - len(measured)} if measured != everything else {})
        return measured

    add_talks(project, store, 0, 60)
    items = [item for item, _ in rows_of(store, make_recipe("sft", []), None).rows]
    train = sum(item.split == "train" for item in items)
    everything = [item.example_id for item in items if item.split == "validation"]
    assert len(everything) > 7
    assert held_out(0) == held_out(len(everything)) == everything
    five = held_out(5)
    assert len(five) == 5
    assert set(held_out(3)) < set(five) < set(everything)
    assert five == sorted(five)
    wanted = make_recipe("sft", ["held_out_rows=5"])
    assert rows_of(store, wanted, None).snapshot == rows_of(store, wanted, None).snapshot
