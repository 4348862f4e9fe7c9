"""Findings about pairs that the tables know: different prompts, and raters who contradict each other."""

import json
from pathlib import Path

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
