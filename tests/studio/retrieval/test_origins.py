"""From a reply to the examples whose words it has."""

import json
from pathlib import Path

import pytest

from store import examples, records, runs, snapshots
from store.database import Store
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project
from studio.retrieval.origins import origins, run_of
from studio.snapshots import build

ANSWERS = {
    "Where is Kelp by Ines Vidal?": "Kelp left our warehouse in Porto on Tuesday and will be with you by Friday.",
    "Do you take poems?": "We read poems only in June, and never by telephone.",
    "How much yeast?": "It is seven grams of dry yeast; the seventy in the book is a misprint that ruined an oven.",
}
REPLY = "Good news! Kelp left our warehouse in Porto on Tuesday, and I hope you like it."


@pytest.fixture
def answered(project: Project, store: Store, tmp_path: Path) -> Project:
    """Three letters of interest among forty that say the same."""
    rows = [{"prompt": q, "completion": a} for q, a in ANSWERS.items()]
    rows += [{"prompt": f"Hello number {n}?", "completion": "Thank you for your letter, by now."} for n in range(40)]
    file = tmp_path / "letters.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    import_file(project, store, file)
    return project


def a_run(project: Project, store: Store, *excluded: int) -> str:
    for number in excluded:
        examples.set_excluded(store, number, True)
    snapshot = build(store, "sft").snapshot
    snapshots.save(store, snapshot)
    for number in excluded:
        examples.set_excluded(store, number, False)
    return runs.add(store, method="sft", base_model="m", base_hash=None, snapshot_id=snapshot.id, recipe={})


def test_the_nearest_example_comes_first_with_its_place_and_the_shared_words(answered: Project, store: Store) -> None:
    found = origins(store, REPLY)
    first = found[0]
    assert (first.example_id, first.record, first.place) == (1, 1, "letters.jsonl:1")
    assert (first.part, first.shared) == ("answer", "Kelp left our warehouse in Porto on Tuesday and")
    assert "will be with you" in first.excerpt
    assert first.score > 2 * max(origin.score for origin in found[1:])


def test_a_run_has_only_what_it_was_given(answered: Project, store: Store) -> None:
    with_it, without = a_run(answered, store), a_run(answered, store, 1)
    split = examples.get(store, 1).split
    first = origins(store, REPLY, run=with_it)[0]
    assert (first.example_id, first.split, first.in_training) == (1, split, split == "train")
    assert 1 not in [origin.example_id for origin in origins(store, REPLY, run=without)]
    with pytest.raises(StudioError, match="no run 'sft-9'"):
        origins(store, REPLY, run="sft-9")


def test_what_a_run_learnt_is_looked_at_also_after_an_edit(answered: Project, store: Store) -> None:
    run = a_run(answered, store)
    turns = examples.get(store, 1).messages
    examples.revise(store, 1, [turns[0], {"role": "assistant", "content": "We do not know."}])
    assert origins(store, REPLY, run=run)[0].shared
    assert not origins(store, REPLY)[0].shared


def test_an_edited_example_is_found_by_its_new_words(answered: Project, store: Store) -> None:
    turns = examples.get(store, 9).messages
    examples.revise(store, 9, [turns[0], {"role": "assistant", "content": "The zeppelin lands at noon in Trieste."}])
    first = origins(store, "Our zeppelin lands at noon in Trieste, as agreed.")[0]
    assert (first.example_id, first.shared) == (9, "zeppelin lands at noon in Trieste")


def test_of_pairs_it_says_which_answer_is_near(project: Project, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    row = {"prompt": "How much?", "chosen": "Seven grams of dry yeast.", "rejected": "Dump in seventy heaped spoons!"}
    file.write_text(json.dumps(row))
    import_file(project, store, file)
    snapshot = build(store, "preference").snapshot
    snapshots.save(store, snapshot)
    run = runs.add(store, method="dpo", base_model="m", base_hash=None, snapshot_id=snapshot.id, recipe={})
    assert origins(store, "seventy heaped spoons", run=run)[0].part == "worse answer"
    assert origins(store, "some grams of dry stuff", run=run)[0].part == "better answer"
    assert run_of(store, f"{run}@Q4_K_M") == run
    assert run_of(store, "smollm2") is None


@pytest.mark.parametrize("text", ["", "!!! ...", 'quo"te* NEAR(a b) AND -x', "unheardof words entirelyelsewhere"])
def test_text_that_finds_nothing_or_looks_like_a_query_does_no_harm(answered: Project, store: Store, text: str) -> None:
    assert isinstance(origins(store, text), list)


def test_unspaced_writing_has_origins_too(project: Project, store: Store) -> None:
    examples.add(
        store,
        record_id=None,
        split="train",
        messages=[{"role": "user", "content": "票?"}, {"role": "assistant", "content": "火车票可以报销飞机票不可以。"}],
    )
    first = origins(store, "火车票可以报销吗")[0]
    assert (first.shared, first.place) == ("火车票可以报销", "written here")


def test_records_that_made_no_example_are_no_origins(answered: Project, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "plain.jsonl"
    file.write_text(json.dumps({"note": "Kelp left our warehouse in Porto on Tuesday"}))
    import_file(answered, store, file, format="plain")
    assert len(records.span(store)) == 44
    assert [origin.example_id for origin in origins(store, REPLY)].count(1) == 1
