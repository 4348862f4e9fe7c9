"""Snapshots: what gets in, what stays out and why, and an id that is the content's."""

import json
from pathlib import Path

import pytest

from store import examples, pairs, records, snapshots
from store.database import Store
from studio.formats.row import PreferenceRow, SftRow
from studio.importing import import_file
from studio.project import Project
from studio.snapshots import build


@pytest.fixture
def judged(project: Project, store: Store, tmp_path: Path) -> Store:
    """Twelve pairs, all judged by their file."""
    rows = [{"prompt": f"Q{n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(12)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)
    return store


def test_preferences_are_explicit_and_conversational(project, judged) -> None:
    built = build(project, judged, "preference")
    item, row = built.rows[3]
    assert row == PreferenceRow(
        [{"role": "user", "content": "Q3"}],
        [{"role": "assistant", "content": "good 3"}],
        [{"role": "assistant", "content": "bad 3"}],
    )
    assert examples.response(judged, item.chosen_id).messages == row.chosen
    assert item.split == examples.get(judged, item.example_id).split
    assert built.snapshot.items == [i for i, _ in built.rows]


def test_only_the_current_verdict_with_a_better_side_counts(project, judged) -> None:
    queue = [pairs.get(judged, number) for number in range(1, 6)]
    pairs.judge(judged, queue[0], "tie", rater="me")
    pairs.judge(judged, queue[1], "both_bad", rater="me")
    pairs.judge(judged, queue[2], "skip", rater="me")
    pairs.undo(judged, rater="file rows.jsonl")
    chosen_now = build(project, judged, "preference").rows[0][1].chosen
    other = "right" if pairs.current_verdict(judged, 4).verdict == "left" else "left"
    pairs.judge(judged, queue[3], other, rater="me")
    built = build(project, judged, "preference")
    assert built.left_out == {"judged a tie": 1, "judged both bad": 1, "skipped": 1, "not judged yet": 1}
    assert built.rows[0][1].rejected == chosen_now


def test_excluded_and_rejected_stay_out_and_flagged_stay_in(project, judged) -> None:
    examples.set_excluded(judged, 1, True)
    records.set_excluded(judged, 2, True)
    examples.set_status(judged, 3, "rejected")
    examples.set_flagged(judged, 4, True)
    built = build(project, judged, "preference")
    assert built.left_out == {"excluded": 2, "rejected": 1}
    assert len(built.rows) == 9


def test_answers_that_teach_nothing_stay_out(project, store, tmp_path) -> None:
    rows = [
        {"prompt": "Q", "chosen": "same", "rejected": "same"},
        {"prompt": "Q", "chosen": "good", "rejected": " "},
        {"prompt": "Q", "chosen": "half \ud800", "rejected": "bad"},
        {"prompt": "Q", "chosen": "good", "rejected": "bad"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)
    built = build(project, store, "preference")
    assert built.left_out == {
        "both answers are the same": 1,
        "an answer is empty": 1,
        "holds half a character or too large a number": 1,
    }


def test_conversations_need_an_answer_and_take_the_newest_revision(project, store) -> None:
    question, answer = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}
    examples.add(store, record_id=None, messages=[question], split="train")
    examples.add(store, record_id=None, messages=[question, {**answer, "content": ""}], split="train")
    edited = examples.add(store, record_id=None, messages=[question, answer], split="test")
    examples.revise(store, edited, [question, {**answer, "content": "B"}])
    built = build(project, store, "sft")
    assert [row for _, row in built.rows] == [SftRow([question, {**answer, "content": "B"}])]
    assert built.rows[0][0].revision == 2
    assert built.snapshot.counts == {"test": 1, "left_out": {"without an answer": 1, "the answer is empty": 1}}


def test_the_id_is_the_contents(project, judged) -> None:
    first = build(project, judged, "preference").snapshot
    snapshots.save(judged, first)
    snapshots.save(judged, build(project, judged, "preference").snapshot)
    assert snapshots.get(judged, first.id) == first
    examples.set_excluded(judged, 1, True)
    assert build(project, judged, "preference").snapshot.id != first.id
    examples.set_excluded(judged, 1, False)
    assert build(project, judged, "preference").snapshot.id == first.id


def test_one_split_can_be_had_alone(project, judged) -> None:
    built = build(project, judged, "preference", split="train")
    assert {item.split for item, _ in built.rows} == {"train"}
    assert len(built.rows) + built.left_out["not in the train split"] == 12


def test_a_prompt_that_an_edit_makes_one_of_another_split_is_left_out(project, store) -> None:
    def turns(question: str) -> list[examples.Message]:
        return [{"role": "user", "content": question}, {"role": "assistant", "content": "A"}]

    trained = examples.add(store, record_id=None, messages=turns("P"), split="train")
    examples.add(store, record_id=None, messages=turns("Q"), split="validation")
    examples.add(store, record_id=None, messages=turns("R"), split="train")
    examples.revise(store, trained, [{"role": "system", "content": "Be kind."}, *turns("Q")])
    built = build(project, store, "sft")
    assert built.snapshot.counts == {
        "validation": 1,
        "train": 1,
        "left_out": {"its prompt is in the validation split": 1},
    }
    examples.revise(store, trained, turns("P"))
    assert not build(project, store, "sft").left_out


def test_what_is_written_meanwhile_is_not_seen_in_part(project, judged, monkeypatch) -> None:
    def imports_first(store: Store):
        with project.open_store() as other:
            example = examples.add(other, record_id=None, messages=[{"role": "user", "content": "New"}], split="train")
            ids = [
                examples.add_response(other, example, [{"role": "assistant", "content": text}], origin="file")
                for text in "ab"
            ]
            pair = pairs.get(other, pairs.add_pair(other, example, *ids, seed=0))
            pairs.judge(other, pair, "left", rater="me")
        return original(store)

    original = pairs.current_verdicts
    monkeypatch.setattr(pairs, "current_verdicts", imports_first)
    assert len(build(project, judged, "preference").rows) == 12
    monkeypatch.undo()
    assert len(build(project, judged, "preference").rows) == 13
