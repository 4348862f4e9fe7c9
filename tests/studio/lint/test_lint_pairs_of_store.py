"""Findings about pairs that the tables know: different prompts, and raters who contradict each other."""

import json
from pathlib import Path

import pytest

from store import examples, journal, pairs, responses
from store.database import Store
from studio.importing import import_file
from studio.lint.records import CHECKS
from studio.mapping import Mapping
from studio.project import Project


def found(name: str, store: Store) -> dict[int, str]:
    look = next(each.look for each in CHECKS if each.check.name == name)
    return {each.row_id or 0: each.detail for each in look(store)}


def test_pairs_with_different_prompts(project: Project, store: Store, tmp_path: Path) -> None:
    def transcript(question: str, answer: str) -> str:
        return f"\n\nHuman: {question}\n\nAssistant: {answer}"

    rows = [
        {"chosen": transcript("Why?", "Because."), "rejected": transcript("Why?", "No idea.")},
        {"chosen": transcript("Why?", "Because."), "rejected": transcript("Where?", "No idea.")},
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    import_file(project, store, file)
    assert found("different-prompts", store) == {2: "chosen and rejected do not share their prompt"}


def test_raters_who_contradict_each_other(project: Project, store: Store, shared_data: Path) -> None:
    file = shared_data / "pandalm_testset_v1.json"
    import_file(project, store, file, mapping=Mapping(verdicts={"0": "tie", "1": "left", "2": "right"}))
    rows = json.loads(file.read_text(encoding="utf-8"))
    readable = [row for row in rows if isinstance(row["response1"], str) and isinstance(row["response2"], str)]
    split = sum({1, 2} <= {row[f"annotator{n}"] for n in (1, 2, 3)} for row in readable)
    said = found("contradictory-verdicts", store)
    assert len(said) == split > 0
    assert all("annotator" in detail and "; the second to " in detail for detail in said.values())


@pytest.mark.parametrize(
    ("said", "contradict"),
    [
        ([("left", "Ada", "first"), ("right", "Ada", "repeat"), ("right", "Ada", "anchor")], False),
        ([("left", "Ada", "first"), ("right", "Ada", "change")], False),
        ([("left", "Ada", "first"), ("right", "Ben", "second")], True),
        ([("left", "Ada", "first"), ("right", "Ben", "second"), ("skip", "Ada", "review")], True),
        ([("left", "Ada", "first"), ("right", "Ben", "second"), ("tie", "Ada", "review")], False),
    ],
)
def test_only_people_contradict_each_other(store: Store, said: list[tuple], contradict: bool) -> None:
    example = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Why?"}], split="train")
    two = [responses.add(store, example, [{"role": "assistant", "content": text}], origin="file") for text in "ab"]
    pair = pairs.get(store, pairs.add_pair(store, example, *two, seed=0))
    for verdict, rater, purpose in said:
        journal.judge(store, pair, verdict, rater=rater, purpose=purpose)
    assert bool(found("contradictory-verdicts", store)) == contradict
