"""What the row checks find in real files equals what is known of these."""

from collections.abc import Callable
from pathlib import Path

import pytest

from store.database import Store
from studio.importing import import_file
from studio.mapping import Mapping
from studio.project import Project

MEANINGS = Mapping(verdicts={"0": "tie", "1": "left", "2": "right"})
CLASSES = Mapping({"prompt": "text", "completion": "category"})
QUESTIONS = Mapping({"prompt": "question", "completion": "ground_truth"})

KNOWN = [
    # file, mapping, check, examples that it finds
    ("llamafactory_identity.json", None, "placeholder", 85),
    ("llamafactory_alpaca_en_demo.json", None, "placeholder", 9),
    # 11 are known of it; in these two the words in brackets belong to patterns.
    ("llamafactory_alpaca_en_demo.json", None, "possible-placeholder", 2),
    ("llamafactory_alpaca_en_demo.json", None, "empty-answer", 0),
    ("llamafactory_alpaca_en_demo.json", None, "special-token", 0),
    ("llamafactory_alpaca_en_demo.json", None, "mojibake", 0),
    ("llamafactory_glaive_toolcall_en_demo.json", None, "refusal", 45),
    ("llamafactory_glaive_toolcall_en_demo.json", None, "personal-data", 11),
    ("llamafactory_glaive_toolcall_en_demo.json", None, "role-order", 0),
    # Sums, all of them: the check digit is right, but no card begins or is written like that.
    ("llamafactory_dpo_en_demo.json", None, "possible-card", 4),
    ("llamafactory_glaive_toolcall_en_demo.json", None, "possible-card", 0),
    ("llamafactory_dpo_en_demo.json", None, "same-sides", 0),
    ("llamafactory_dpo_en_demo.json", None, "mojibake", 1),
    ("llamafactory_dpo_en_demo.json", None, "role-order", 0),
    ("llamafactory_kto_en_demo.json", None, "special-token", 2),
    ("pandalm_testset_v1.json", MEANINGS, "empty-answer", 54),
    ("pandalm_testset_v1.json", MEANINGS, "same-sides", 0),
    ("gsm8k_example_model_solutions.jsonl", QUESTIONS, "truncated-answer", 0),
]


@pytest.mark.parametrize(("file", "mapping", "check", "known"), KNOWN)
def test_as_many_are_found_as_are_there(
    project: Project, store: Store, shared_data: Path, found_in: Callable[..., dict], file, mapping, check, known
) -> None:
    import_file(project, store, shared_data / file, mapping=mapping)
    found = found_in(check, store)
    assert len(found) == known, found


def test_the_row_of_zeros_is_found_as_repetition(
    project: Project, store: Store, shared_data: Path, found_in: Callable[..., dict]
) -> None:
    import_file(project, store, shared_data / "llamafactory_glaive_toolcall_en_demo.json")
    found = found_in("repetition", store)
    # Row 243, counted from 0.
    assert list(found) == [244]
    assert "'0' 5,639 times" in found[244][0]


def test_a_tool_call_that_misses_its_schema_is_found(
    project: Project, store: Store, shared_data: Path, found_in: Callable[..., dict]
) -> None:
    import_file(project, store, shared_data / "llamafactory_glaive_toolcall_en_demo.json")
    assert list(found_in("tool-call", store)) == [260]


def test_all_classes_are_known_until_one_is_taken_off_the_list(
    project: Project, store: Store, shared_data: Path, found_in: Callable[..., dict]
) -> None:
    import_file(project, store, shared_data / "banking77_test.csv", mapping=CLASSES)
    classes = sorted({line.rpartition(",")[2] for line in (shared_data / "banking77_test.csv").read_text().split("\n")})
    assert found_in("unknown-label", store, labels=tuple(classes)) == {}
    without = tuple(name for name in classes if name != "card_arrival")
    assert len(found_in("unknown-label", store, labels=without)) == 40


def test_chinese_answers_are_of_another_language(
    project: Project, store: Store, shared_data: Path, found_in: Callable[..., dict]
) -> None:
    import_file(project, store, shared_data / "llamafactory_dpo_zh_demo.json")
    assert len(found_in("other-language", store, language="en")) > 270
    assert len(found_in("other-language", store, language="zh")) < 30
