"""Every real file in and out again: the counts are those that are known of it."""

from pathlib import Path

import pytest
from stored import records_of

from store import records
from store.database import Store
from studio.exporting import export
from studio.import_report import ImportReport
from studio.importing import import_file
from studio.mapping import Mapping
from studio.project import Project, create_project

MEANINGS = Mapping(verdicts={"0": "tie", "1": "left", "2": "right"})
CLASSES = Mapping({"prompt": "text", "completion": "category"})
QUESTIONS = Mapping({"prompt": "question", "completion": "ground_truth"})
SOLUTIONS = Mapping(
    {"prompt": "question", "response_a": "6b_finetuning.solution", "response_b": "175b_verification.solution"}
)

FILES = [
    # file, mapping, rows, examples, format out, rows out
    ("llamafactory_dpo_en_demo.json", None, 300, 300, "llamafactory-ranking", 300),
    ("llamafactory_dpo_en_demo.json", None, 300, 300, "trl-preference", 300),
    ("llamafactory_dpo_zh_demo.json", None, 300, 300, "trl-preference", 300),
    ("llamafactory_kto_en_demo.json", None, 300, 300, "trl-kto", 300),
    ("llamafactory_kto_en_demo.json", None, 300, 300, "llamafactory-kto", 300),
    ("llamafactory_alpaca_en_demo.json", None, 999, 999, "trl-sft", 999),
    ("llamafactory_identity.json", None, 91, 91, "alpaca", 91),
    ("llamafactory_glaive_toolcall_en_demo.json", None, 300, 300, "sharegpt", 300),
    ("pandalm_testset_v1.json", MEANINGS, 999, 993, "trl-preference", None),
    ("banking77_train.csv", CLASSES, 10_003, 10_003, "trl-prompt-completion", 10_003),
    ("banking77_test.csv", CLASSES, 3_080, 3_080, "trl-prompt-completion", 3_080),
    ("gsm8k_example_model_solutions.jsonl", QUESTIONS, 1_319, 1_319, "openai-chat", 1_319),
]


def imported(project: Project, store: Store, path: Path, mapping: Mapping | None) -> ImportReport:
    return import_file(project, store, path, mapping=mapping)


@pytest.mark.parametrize(("name", "mapping", "rows", "made", "format", "out"), FILES)
def test_what_comes_in_goes_out(
    project: Project, shared_data: Path, tmp_path: Path, name, mapping, rows, made, format, out
) -> None:
    target = tmp_path / "out.jsonl"
    with project.open_store() as store:
        report = imported(project, store, shared_data / name, mapping)
        assert (report.records, report.rejected, report.made.examples) == (rows, 0, made)
        written = export(project, store, format, target)
    if out is not None:
        assert written.rows == out
    assert written.used + sum(written.left_out.values()) == written.considered
    assert len(target.read_bytes().splitlines()) == written.rows
    again = create_project(tmp_path / "again")
    with again.open_store() as store:
        assert imported(again, store, target, None).made.examples == written.rows


def test_what_is_known_of_the_demo_pairs(project: Project, shared_data: Path) -> None:
    with project.open_store() as store:
        report = imported(project, store, shared_data / "llamafactory_dpo_en_demo.json", None)
        duplicates = [r for r in records_of(store, report.source_id) if r.duplicate_of is not None]
        linked = [records.get(store, r.duplicate_of or 0).raw for r in duplicates]
    assert report.duplicates == 5
    assert linked == [r.raw for r in duplicates]


def test_what_is_known_of_the_judged_pairs(project: Project, shared_data: Path, tmp_path: Path) -> None:
    with project.open_store() as store:
        report = imported(project, store, shared_data / "pandalm_testset_v1.json", MEANINGS)
        problems = list(records.with_problems(store))
        written = export(project, store, "trl-preference", tmp_path / "out.jsonl")
        (prompts,) = store.connection.execute("SELECT COUNT(DISTINCT prompt_group) FROM example").fetchone()
        verdicts = dict(store.connection.execute("SELECT verdict, COUNT(*) FROM pair GROUP BY 1"))
    # Six answers are JSON true; the others with a problem have an empty answer.
    assert len([p for p in problems if "true" in (p.problem or "")]) == 6
    assert len(problems) == 6 + 54
    assert prompts == 170
    assert sum(verdicts.values()) == 993
    assert report.made.verdicts == 4 * 993
    assert verdicts["tie"] + written.left_out.get("an answer is empty", 0) + written.rows <= 993


def test_classes_of_a_file_are_held_out_as_told(project: Project, shared_data: Path) -> None:
    with project.open_store() as store:
        import_file(project, store, shared_data / "banking77_train.csv", mapping=CLASSES, split="train")
        report = import_file(project, store, shared_data / "banking77_test.csv", mapping=CLASSES, split="test")
        splits = dict(store.connection.execute("SELECT split, COUNT(*) FROM example GROUP BY 1"))
    # A question that stands in both files letter by letter keeps the split that it was given first.
    assert splits == {"train": 10_003 + report.made.kept_split, "test": 3_080 - report.made.kept_split}


def test_two_answers_of_models_wait_to_be_compared(project: Project, shared_data: Path) -> None:
    with project.open_store() as store:
        report = imported(project, store, shared_data / "gsm8k_example_model_solutions.jsonl", SOLUTIONS)
    assert report.made.pairs > 1_300
    assert report.made.verdicts == 0
