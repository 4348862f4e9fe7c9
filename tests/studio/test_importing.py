"""Importing: every row is in the project, with what it carries, or is named with file and line."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store import examples, pairs, records
from store.records import RecordQuery
from studio import importing
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import create_project

PREFERENCES = [
    {"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"},
    {"prompt": "Bye", "chosen": "See you.", "rejected": "Go."},
]


def written(folder: Path, name: str, rows) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "format", "count"),
    [
        ("banking77_test.csv", "plain", 3080),
        ("gsm8k_example_model_solutions.jsonl", "plain", 1319),
        ("llamafactory_alpaca_en_demo.json", "alpaca", 999),
        ("llamafactory_dpo_en_demo.json", "llamafactory-ranking", 300),
        ("llamafactory_dpo_zh_demo.json", "llamafactory-ranking", 300),
        ("llamafactory_glaive_toolcall_en_demo.json", "sharegpt", 300),
        ("llamafactory_identity.json", "alpaca", 91),
        ("llamafactory_kto_en_demo.json", "llamafactory-kto", 300),
        ("pandalm_testset_v1.json", "plain", 999),
    ],
)
def test_real_files_are_read_whole(project, store, shared_data, name, format, count) -> None:
    report = import_file(project, store, shared_data / name)
    assert (report.format, report.records, report.rejected, report.problems) == (format, count, 0, [])
    assert records.count(store) == count
    assert len(examples.ids(store)) == (0 if format == "plain" else count)
    assert ("no shape that is known" in report.summary()) == (format == "plain")


def test_raw_texts_of_a_real_array_stand_in_the_file_at_their_line(project, store, shared_data) -> None:
    path = shared_data / "llamafactory_dpo_zh_demo.json"
    report = import_file(project, store, path)
    lines = path.read_bytes().decode().split("\n")
    for record in records.of_source(store, report.source_id):
        assert str(record.raw).split("\n") == [
            line.strip() if number == 0 else line
            for number, line in enumerate(lines[record.line - 1 :][: str(record.raw).count("\n")])
        ] + [lines[record.line - 1 + str(record.raw).count("\n")].rstrip(",")]


def test_unclear_labels_are_read_once_a_template_says_what_they_mean(tmp_path, shared_data) -> None:
    project = create_project(
        tmp_path / "p",
        """
[template]
name = "pandalm"
verdict = "{{ ['tie', 'left', 'right'][annotator1] }}"
[[template.turns]]
role = "user"
content = "{{ instruction }}\\n{{ input }}"
[[template.responses]]
content = "{{ response1 }}"
author = "{{ cmp_key.split('_')[0] }}"
[[template.responses]]
content = "{{ response2 }}"
author = "{{ cmp_key.split('_')[1] }}"
""",
    )
    with project.open_store() as store:
        report = import_file(project, store, shared_data / "pandalm_testset_v1.json")
        assert report.records == 999
        assert sum("is true" in problem for problem in report.problems) == 6
        assert sum("empty" in problem for problem in report.problems) == 54
        assert report.made.examples == 993
        assert report.made.verdicts == 999 - 6 - 54
        flagged = records.ids(store, RecordQuery(errors_only=True))
        assert len(flagged) == len(report.problems)
        line = records.get(store, flagged[0]).line
        assert report.problems[0].startswith(f"{shared_data / 'pandalm_testset_v1.json'}:{line}: ")
        assert store.connection.execute("SELECT name FROM template").fetchall() == [("pandalm",)]
        assert examples.get(store, 1).template_id == 1


def test_verdicts_of_a_file_say_where_they_are_from(project, store, tmp_path) -> None:
    report = import_file(project, store, written(tmp_path, "dpo.jsonl", PREFERENCES * 10))
    assert report.format == "trl-preference"
    assert report.made.verdicts == 20
    shown_left = set()
    for entry in pairs.current_verdicts(store):
        assert entry.rater == "file dpo.jsonl"
        chosen_id, rejected_id = entry.chosen_and_rejected or (0, 0)
        assert examples.response(store, chosen_id).messages[0]["content"] in ("Hello!", "See you.")
        assert examples.response(store, rejected_id).messages[0]["content"] in ("What?", "Go.")
        shown_left.add(entry.left_id == chosen_id)
    # The better answer must not always stand on the same side when it is shown again.
    assert shown_left == {True, False}


def test_labels_of_single_answers_are_kept(project, store, tmp_path) -> None:
    row = {"prompt": "Hi", "completion": "Hello!", "label": False}
    import_file(project, store, written(tmp_path, "kto.jsonl", [row]))
    (response,) = examples.responses(store, 1)
    assert response.label is False
    assert pairs.counts(store) == {"pairs": 0}


def test_the_same_bytes_add_nothing_under_any_name(project, store, tmp_path) -> None:
    import_file(project, store, written(tmp_path, "a.jsonl", PREFERENCES))
    again = import_file(project, store, written(tmp_path, "b.jsonl", PREFERENCES))
    assert "imported already" in again.summary()
    assert "nothing was added" in again.summary()
    assert records.count(store) == 2
    assert len(records.sources(store)) == 1


def test_two_imports_of_a_file_at_once_add_it_once(project, tmp_path, monkeypatch) -> None:
    def looked_up_together(path: Path) -> str:
        both.wait(10)
        return original(path)

    def run(path: Path) -> str:
        with project.open_store() as own:
            return import_file(project, own, path).already

    original, both = importing._sha256, threading.Barrier(2)
    monkeypatch.setattr(importing, "_sha256", looked_up_together)
    path = written(tmp_path, "a.jsonl", PREFERENCES)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(run, [path, path]))
    assert sorted(map(bool, answers)) == [False, True]


def test_rows_of_unknown_shape_become_examples_once_a_mapping_is_given(project, store, tmp_path) -> None:
    path = written(tmp_path, "plain.jsonl", [{"text": "Where?", "category": "x"}, {"text": "", "category": "y"}])
    assert import_file(project, store, path).format == "plain"
    report = import_file(project, store, path, mapping={"prompt": "text"})
    assert report.made.examples == 1
    assert [p.rpartition(": ")[2] for p in report.problems] == ["the template makes no turn of it"]
    assert records.count(store) == 2
    assert records.sources(store)[0].format == "template"
    third = import_file(project, store, path, mapping={"prompt": "category"})
    assert third.made.examples == 0
    assert "double" in third.summary()


def test_a_mapping_must_name_columns_that_are_there(project, store, tmp_path) -> None:
    path = written(tmp_path, "plain.jsonl", [{"text": "Where?"}])
    with pytest.raises(StudioError, match=r"no column 'txt'.*It has text"):
        import_file(project, store, path, mapping={"prompt": "txt"})
    assert records.sources(store) == []


def test_broken_rows_are_records_with_the_reason(project, store, tmp_path) -> None:
    path = tmp_path / "mixed.jsonl"
    lines = [json.dumps(PREFERENCES[0]).encode()] * 9
    lines += [b'{"prompt": "\xff"}', b'{"prompt": ', b'{"prompt": "Hi", "chosen": 1, "rejected": "x"}']
    path.write_bytes(b"\n".join(lines))
    report = import_file(project, store, path)
    assert (report.records, report.rejected, report.made.examples) == (12, 2, 9)
    assert [p.removeprefix(f"{path}:") for p in report.problems] == [
        "10: is not valid UTF-8",
        "11: is not valid JSON: expecting value at character 12",
        "12: chosen is 1, not a text",
    ]
    stored = list(records.of_source(store, report.source_id))
    assert [r.raw if isinstance(r.raw, bytes) else r.raw.encode() for r in stored] == lines
    assert len(records.ids(store, RecordQuery(errors_only=True))) == 3


def test_awkward_texts_are_stored_byte_for_byte(project, store, tmp_path) -> None:
    path = tmp_path / "awkward.jsonl"
    lines = [
        b'{"prompt": "half \\ud800 \\u0000", "completion": "x"}',
        b'{"prompt": "a", "completion": "b", "n": 1234567890123456789012345678901234567890, "f": 0.1e-7}',
        b'{"prompt": "a", "prompt": "b", "completion": "c"}',
    ]
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    report = import_file(project, store, path)
    stored = list(records.of_source(store, report.source_id))
    assert [str(r.raw).encode() for r in stored] == lines
    assert stored[1].fields == json.loads(lines[1])
    assert examples.get(store, 1).messages[0]["content"] == "half \ud800 \0"
    assert "more than once" in (stored[2].problem or "")
    assert list(records.ids(store, RecordQuery(text="half"))) == [stored[0].id]


def test_an_import_that_breaks_off_leaves_nothing(project, store, tmp_path) -> None:
    path = written(tmp_path, "a.jsonl", PREFERENCES)

    def break_off(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(project, store, path, on_progress=break_off)
    assert records.sources(store) == []
    assert records.count(store) == 0
    assert import_file(project, store, path).made.verdicts == 2


def test_a_prompt_that_comes_again_stays_in_its_split(project, store, tmp_path) -> None:
    rows = [{"prompt": f"Question {number}", "completion": "Answer"} for number in range(60)]
    import_file(project, store, written(tmp_path, "a.jsonl", rows))
    import_file(project, store, written(tmp_path, "b.jsonl", [{**row, "completion": "Other"} for row in rows]))
    splits = [e.split for e in examples.all_current(store)]
    assert splits[:60] == splits[60:]
    assert set(splits) == {"train", "validation", "test"}


def test_repeated_rows_are_counted_and_kept(project, store, tmp_path) -> None:
    report = import_file(project, store, written(tmp_path, "a.jsonl", [*PREFERENCES, PREFERENCES[0]]))
    assert (report.records, report.duplicates) == (3, 1)


def test_a_file_without_rows_is_refused(project, store, tmp_path) -> None:
    path = tmp_path / "empty.json"
    path.write_text("[]")
    with pytest.raises(StudioError, match="no rows"):
        import_file(project, store, path)
    assert records.sources(store) == []


def test_several_answers_make_a_pair_of_each_two_that_differ(tmp_path) -> None:
    responses = "".join(f'[[template.responses]]\ncontent = "{{{{ {name} }}}}"\n' for name in "abc")
    turns = '[[template.turns]]\nrole = "user"\ncontent = "{{ q }}"\n'
    project = create_project(tmp_path / "p", f'[template]\nname = "three"\n{turns}{responses}')
    with project.open_store() as store:
        rows = [{"q": "Q", "a": "1", "b": "2", "c": "3"}, {"q": "R", "a": "1", "b": "1", "c": ""}]
        report = import_file(project, store, written(tmp_path, "a.jsonl", rows))
        assert (report.made.responses, report.made.pairs) == (5, 3)
