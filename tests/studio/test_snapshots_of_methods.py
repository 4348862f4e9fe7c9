"""What learning from single answers, from prompts and from a teacher uses, and why the rest stays out."""

import json
from pathlib import Path

import pytest

from store import examples, journal, pairs, responses, snapshots
from store.database import Store
from studio.formats.row import LabelledRow, PromptRow, SftRow
from studio.importing import import_file
from studio.project import Project
from studio.snapshots import build, outcomes, recall, survey


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


@pytest.fixture
def judged(project: Project, store: Store, tmp_path: Path) -> Store:
    """Twelve pairs, all judged by their file."""
    rows = [{"prompt": f"Q{n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(12)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)
    return store


def labels(project: Project, store: Store) -> dict[str, bool]:
    built = build(store, "unpaired")
    return {row.completion[0]["content"]: row.label for _, row in built.rows if isinstance(row, LabelledRow)}


def test_verdicts_make_single_answers_good_or_bad(project: Project, judged: Store) -> None:
    assert len(labels(project, judged)) == 24
    first, second, third = (pairs.get(judged, number) for number in (1, 2, 3))
    journal.judge(judged, first, "both_bad", rater="me")
    journal.judge(judged, second, "tie", rater="me")
    examples.set_excluded(judged, third.example_id, True)
    found = labels(project, judged)
    assert (found["good 0"], found["bad 0"]) == (False, False)
    assert not {"good 1", "bad 1", "good 2", "bad 2"} & set(found)
    assert (found["good 3"], found["bad 3"]) == (True, False)
    assert build(judged, "unpaired").left_out == {"excluded": 2}


def test_a_label_of_its_own_counts_until_a_verdict_speaks_and_both_ways_is_neither(
    project: Project, judged: Store
) -> None:
    alone = responses.add(judged, 1, said("by itself"), origin="file", label=True)
    assert labels(project, judged)["by itself"] is True
    winner = next(r.id for r in responses.of_example(judged, 1) if r.messages[0]["content"] == "good 0")
    pair = pairs.get(judged, pairs.add_pair(judged, 1, alone, winner, seed=0))
    journal.judge(judged, pair, "left", rater="me")
    assert labels(project, judged)["by itself"] is True
    assert "good 0" not in labels(project, judged)
    assert build(judged, "unpaired").left_out == {"better in one pair and worse in another": 1}
    assert survey(judged, "unpaired").counts == build(judged, "unpaired").snapshot.counts


def test_prompts_come_with_what_an_answer_is_checked_against(project: Project, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "sums.jsonl"
    rows = [{"instruction": f"{n} + {n}?", "input": "", "output": f"It is {n + n}.", "sum": n + n} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)
    asked = {"messages": [{"role": "user", "content": "Hi?"}, *said("Hello.")]}
    path.with_name("talk.jsonl").write_text(json.dumps(asked) + "\n")
    import_file(project, store, path.with_name("talk.jsonl"))
    examples.set_status(store, 1, "rejected")
    built = build(store, "prompts")
    assert built.left_out == {"rejected": 1}
    second, last = built.rows[0][1], built.rows[-1][1]
    assert isinstance(second, PromptRow)
    assert second.prompt == [{"role": "user", "content": "1 + 1?"}]
    assert (second.fields["sum"], second.fields["answer"]) == (2, "It is 2.")
    assert isinstance(last, PromptRow)
    assert last.fields["answer"] == "Hello."


def test_a_teachers_newest_answer_is_learnt(project: Project, judged: Store) -> None:
    for text in ("old", "new"):
        responses.add(judged, 1, said(text), origin="model", author="big")
    responses.add(judged, 1, said("cut in the mid"), origin="model", author="big", parameters={"ended": "length"})
    responses.add(judged, 4, said("cut in the mid"), origin="model", author="big", parameters={"ended": "length"})
    responses.add(judged, 1, said("another"), origin="run", author="sft-1", parameters={"ended": "stop"})
    responses.add(judged, 2, said(" "), origin="model", author="big")
    responses.add(judged, 3, said("mine"), origin="human", author="big")
    built = build(judged, "distillation", teacher="big")
    [(item, row)] = built.rows
    assert row == SftRow([{"role": "user", "content": "Q0"}, *said("new")])
    assert built.left_out == {"without a whole answer of the teacher": 10, "an answer is empty": 1}
    assert survey(judged, "distillation", teacher="big").counts == built.snapshot.counts
    [(_, of_any)] = build(judged, "distillation").rows
    assert of_any[0][-1]["content"] == "another"
    assert [each.item for each in outcomes(judged, "distillation", [1], teacher="big")] == [item]


@pytest.mark.parametrize("kind", ["unpaired", "prompts", "distillation"])
def test_a_snapshot_is_recalled_as_it_was(project: Project, judged: Store, kind: str) -> None:
    responses.add(judged, 1, said("taught"), origin="model", author="big")
    built = build(judged, kind)
    snapshots.save(judged, built.snapshot)
    examples.set_excluded(judged, 1, True)
    with judged.reading():
        again = [row for block in recall(judged, built.snapshot.id) for row in block.rows]
    assert again == [row for _, row in built.rows]
    assert len(again) == {"unpaired": 24, "prompts": 12, "distillation": 1}[kind]
    assert not [item for item, _ in build(judged, kind).rows if item.example_id == 1]
