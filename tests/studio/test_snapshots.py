"""Snapshots: what gets in, what stays out and why, and an id that is the content's."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import examples_of

from store import examples, journal, pairs, records, responses, snapshots
from store.database import Store
from studio.formats.row import LabelledRow, PreferenceRow, SftRow
from studio.importing import import_file
from studio.project import Project, create_project
from studio.snapshots import Wanted, build, recall, select, survey


@pytest.fixture
def judged(project: Project, store: Store, tmp_path: Path) -> Store:
    """Twelve pairs, all judged by their file."""
    rows = [{"prompt": f"Q{n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(12)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)
    return store


def test_preferences_are_explicit_and_conversational(project, judged) -> None:
    built = build(judged, "preference")
    item, row = built.rows[3]
    assert row == PreferenceRow(
        [{"role": "user", "content": "Q3"}],
        [{"role": "assistant", "content": "good 3"}],
        [{"role": "assistant", "content": "bad 3"}],
    )
    assert responses.get(judged, item.chosen_id).messages == row.chosen
    assert item.split == examples.get(judged, item.example_id).split
    assert built.snapshot.items == [i for i, _ in built.rows]


def test_only_the_current_verdict_with_a_better_side_counts(project, judged) -> None:
    queue = [pairs.get(judged, number) for number in range(1, 6)]
    journal.judge(judged, queue[0], "tie", rater="me")
    journal.judge(judged, queue[1], "both_bad", rater="me")
    journal.judge(judged, queue[2], "skip", rater="me")
    journal.undo(judged, rater="file rows.jsonl")
    chosen_now = build(judged, "preference").rows[0][1].chosen
    other = "right" if journal.current_verdict(judged, 4).verdict == "left" else "left"
    journal.judge(judged, queue[3], other, rater="me")
    built = build(judged, "preference")
    assert built.left_out == {"judged a tie": 1, "judged both bad": 1, "skipped": 1, "not judged yet": 1}
    assert built.rows[0][1].rejected == chosen_now


def test_excluded_and_rejected_stay_out_and_flagged_stay_in(project, judged) -> None:
    examples.set_excluded(judged, 1, True)
    records.set_excluded(judged, 2, True)
    examples.set_status(judged, 3, "rejected")
    examples.set_flagged(judged, 4, True)
    built = build(judged, "preference")
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
    built = build(store, "preference")
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
    built = build(store, "sft")
    assert [row for _, row in built.rows] == [SftRow([question, {**answer, "content": "B"}])]
    assert built.rows[0][0].revision == 2
    assert built.snapshot.counts == {"test": 1, "left_out": {"without an answer": 1, "the answer is empty": 1}}


def test_the_id_is_the_contents(project, judged) -> None:
    first = build(judged, "preference").snapshot
    snapshots.save(judged, first)
    snapshots.save(judged, build(judged, "preference").snapshot)
    assert snapshots.get(judged, first.id) == first
    examples.set_excluded(judged, 1, True)
    assert build(judged, "preference").snapshot.id != first.id
    examples.set_excluded(judged, 1, False)
    assert build(judged, "preference").snapshot.id == first.id


def test_one_split_can_be_had_alone(project, judged) -> None:
    built = build(judged, "preference", split="train")
    assert {item.split for item, _ in built.rows} == {"train"}
    assert len(built.rows) + built.left_out["not in the train split"] == 12


def test_a_prompt_that_an_edit_makes_one_of_another_split_is_left_out(project, store) -> None:
    def turns(question: str) -> list[examples.Message]:
        return [{"role": "user", "content": question}, {"role": "assistant", "content": "A"}]

    trained = examples.add(store, record_id=None, messages=turns("P"), split="train")
    examples.add(store, record_id=None, messages=turns("Q"), split="validation")
    examples.add(store, record_id=None, messages=turns("R"), split="train")
    examples.revise(store, trained, [{"role": "system", "content": "Be kind."}, *turns("Q")])
    built = build(store, "sft")
    assert built.snapshot.counts == {
        "validation": 1,
        "train": 1,
        "left_out": {"its prompt is in the validation split": 1},
    }
    examples.revise(store, trained, turns("P"))
    assert not build(store, "sft").left_out


def test_what_is_written_meanwhile_is_not_seen_in_part(project, judged) -> None:
    with judged.reading():
        selection = iter(select(judged, Wanted("preference")))
        with project.open_store() as other:
            for pair in (pairs.get(other, number) for number in range(1, 13)):
                journal.judge(other, pair, "tie", rater="me")
            add_judged(other)
        assert sum(len(block.rows) for block in selection) == 12
    built = build(judged, "preference")
    assert (len(built.rows), built.left_out) == (1, {"judged a tie": 12})


def add_judged(store: Store) -> int:
    example = examples.add(store, record_id=None, messages=[{"role": "user", "content": "New"}], split="train")
    ids = [responses.add(store, example, [{"role": "assistant", "content": text}], origin="file") for text in "ab"]
    pair = pairs.get(store, pairs.add_pair(store, example, *ids, seed=0))
    journal.judge(store, pair, "left", rater="me")
    return example


def test_an_earlier_snapshot_is_recalled_whatever_came_later(project, judged) -> None:
    before = build(judged, "preference")
    snapshots.save(judged, before.snapshot)
    journal.judge(judged, pairs.get(judged, 1), "tie", rater="me")
    examples.revise(judged, 2, [{"role": "user", "content": "Other"}])
    examples.set_excluded(judged, 3, True)
    add_judged(judged)
    with judged.reading():
        recalled = recall(judged, before.snapshot.id)
        rows = [row for block in recalled for row in block.rows]
    assert rows == [row for _, row in before.rows]
    assert recalled.snapshot() == before.snapshot


def test_the_id_is_the_same_in_another_project_with_the_same_data(project, judged, tmp_path) -> None:
    twin = create_project(tmp_path / "twin")
    with twin.open_store() as store:
        import_file(twin, store, tmp_path / "rows.jsonl")
        assert build(store, "preference").snapshot.id == build(judged, "preference").snapshot.id
        examples.revise(store, 1, [{"role": "user", "content": "Q0!"}])
        assert build(store, "preference").snapshot.id != build(judged, "preference").snapshot.id


def test_the_survey_counts_the_same_and_keeps_no_rows(project, judged) -> None:
    journal.judge(judged, pairs.get(judged, 1), "tie", rater="me")
    assert survey(judged, "preference") == build(judged, "preference").snapshot


def test_labelled_answers_come_with_the_pairs_where_they_are_wanted(project, judged) -> None:
    example = add_judged(judged)
    good, bad = (
        responses.add(judged, example, [{"role": "assistant", "content": text}], origin="file", label=label)
        for text, label in (("good", True), ("bad", False))
    )
    labelled = responses.of_example(judged, example)[0]
    assert labelled.label is None
    with judged.reading():
        selection = select(judged, Wanted("preference", labelled=True))
        found = [
            (used.chosen_id, used.rejected_id, row)
            for block in selection
            for used, row in zip(block.used.each(), block.rows, strict=True)
        ][13:]
    prompt = [{"role": "user", "content": "New"}]
    assert found == [
        (good, None, LabelledRow(prompt, [{"role": "assistant", "content": "good"}], True)),
        (None, bad, LabelledRow(prompt, [{"role": "assistant", "content": "bad"}], False)),
    ]
    assert len(build(judged, "preference").rows) == 13


def test_a_labelled_answer_that_was_judged_in_a_pair_comes_once(project, store) -> None:
    example = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Q"}], split="train")
    ids = [
        responses.add(store, example, [{"role": "assistant", "content": t}], origin="file", label=t == "a")
        for t in "ab"
    ]
    pair = pairs.get(store, pairs.add_pair(store, example, *ids, seed=0))

    def rows() -> list[str]:
        with store.reading():
            selection = select(store, Wanted("preference", labelled=True))
            return [type(row).__name__ for block in selection for row in block.rows]

    assert rows() == ["LabelledRow", "LabelledRow"]
    journal.judge(store, pair, "left", rater="me")
    assert rows() == ["PreferenceRow"]


@pytest.mark.parametrize("number", [str(2**70), "1e999", "NaN"])
def test_numbers_that_would_change_are_left_out(project, store, tmp_path, number) -> None:
    row = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "find", "arguments": {"n": 7777}}}]}
    rows = [{"messages": [*asked("P")[:1], row]}, {"messages": asked("Q")}]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows).replace("7777", number))
    import_file(project, store, path)
    built = build(store, "sft")
    assert built.left_out == {"holds half a character or too large a number": 1}
    assert len(built.rows) == 1


def test_texts_are_what_the_record_says_however_they_are_stored(project, store, tmp_path) -> None:
    long = "A text that is long enough to be quoted: \u00e4\U0001f600 " * 3
    rows = [
        {"prompt": long, "chosen": long + "1", "rejected": long + "2"},
        {"prompt": long + "?", "chosen": "short", "rejected": long},
        {
            "prompt": [{"role": "system", "content": long}, {"role": "user", "content": long}],
            "chosen": [{"role": "assistant", "content": long + "3"}],
            "rejected": [{"role": "assistant", "content": "no"}],
        },
        {"prompt": long + "!", "chosen": long + "4", "rejected": long + "5", "other": "\ud800"},
    ]
    for name, chosen in (("rows.jsonl", rows), ("rows.csv", None)):
        path = tmp_path / name
        if chosen:
            path.write_text("".join(json.dumps(row) + "\n" for row in chosen))
        else:
            path.write_text(f"prompt,chosen,rejected\n{long}.,{long}6,{long}7\n", encoding="utf-8")
        import_file(project, store, path)
    built = build(store, "preference")
    assert [row.chosen[0]["content"] for _, row in built.rows] == [
        long + "1", "short", long + "3", long + "4", long + "6"
    ]  # fmt: skip
    for item, row in built.rows:
        assert row.prompt == examples.get(store, item.example_id).messages
        assert row.chosen == responses.get(store, item.chosen_id).messages
        assert row.rejected == responses.get(store, item.rejected_id).messages


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_prompt_is_in_two_splits_whatever_was_edited(tmp_path_factory, data) -> None:
    """The rule said plainly: what is held out is never in another split's rows, by its newest words."""
    project = create_project(tmp_path_factory.mktemp("leaks") / "project")
    words, splits = st.sampled_from("PQRS"), st.sampled_from(["train", "validation", "test"])
    with project.open_store() as store:
        for _ in range(data.draw(st.integers(1, 8))):
            number = examples.add(store, record_id=None, messages=asked(data.draw(words)), split=data.draw(splits))
            for _ in range(data.draw(st.integers(0, 2))):
                examples.revise(store, number, asked(data.draw(words)))
            if data.draw(st.integers(0, 5)) == 0:
                examples.set_excluded(store, number, True)
        built = build(store, "sft")
        found = {e.id: e for e in examples_of(store) if not e.excluded}
    held_out: dict[str, str] = {}
    for example in found.values():
        word = example.messages[0]["content"]
        if example.split == "test" or (example.split == "validation" and held_out.get(word) != "test"):
            held_out[word] = example.split
    assert [item.example_id for item, _ in built.rows] == [
        e.id for e in found.values() if held_out.get(e.messages[0]["content"], e.split) == e.split
    ]


def asked(question: str) -> list[examples.Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": "A"}]
