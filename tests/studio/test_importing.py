"""Importing: every row is in the project, with what it carries, or is named with file and line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from stored import current_verdicts, examples_of, records_of

from store import examples, journal, pairs, records, responses
from studio.errors import StudioError
from studio.import_plan import plan
from studio.importing import import_file
from studio.mapping import Mapping
from studio.project import create_project
from tests.studio.rows_to_import import MANY, PREFERENCES, written


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
    ],
)
def test_real_files_are_read_whole(project, store, shared_data, name, format, count) -> None:
    report = import_file(project, store, shared_data / name)
    assert (report.format, report.records, report.rejected, report.problems) == (format, count, 0, [])
    assert records.count(store) == count
    assert examples.count(store) == (0 if format == "plain" else count)
    assert ("no shape that is known" in report.summary()) == (format == "plain")


def test_verdict_codes_are_asked_for_and_read_once_they_are_said(project, store, shared_data) -> None:
    path = shared_data / "pandalm_testset_v1.json"
    untold = import_file(project, store, path)
    assert (untold.format, untold.records, untold.made.examples) == ("plain", 999, 0)
    assert "verdict codes 0, 1, 2" in untold.note
    assert "--verdict 1=left --verdict 2=right --verdict 0=tie" in untold.note
    half = import_file(project, store, path, mapping=Mapping(verdicts={"1": "left", "2": "right"}))
    assert "verdict code 0 means" in half.note
    assert records.sources(store)[0].format == "plain"
    told = import_file(project, store, path, mapping=Mapping(verdicts={"1": "left", "2": "right", "0": "tie"}))
    assert told.already
    assert records.sources(store)[0].format == "pandalm"
    assert told.made.examples == 993
    assert sum("true" in problem for problem in told.problems) == 6
    assert sum("empty" in problem for problem in told.problems) == 54
    assert records.count(store) == 999
    # Each pair has three people's verdicts and their majority, which is the one that counts.
    raters = {entry.rater for entry in journal.entries(store)}
    assert raters == {"annotator1", "annotator2", "annotator3", f"majority in {path.name}"}
    assert {entry.rater for entry in current_verdicts(store)} == {f"majority in {path.name}"}


def test_raw_texts_of_a_real_array_stand_in_the_file_at_their_line(project, store, shared_data) -> None:
    path = shared_data / "llamafactory_dpo_zh_demo.json"
    report = import_file(project, store, path)
    lines = path.read_bytes().decode().split("\n")
    for record in records_of(store, report.source_id):
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
        lines = [record.line for record in records_of(store, report.source_id) if record.problem]
        assert len(lines) == report.problem_count == len(report.problems)
        assert report.problems[0].startswith(f"{shared_data / 'pandalm_testset_v1.json'}:{lines[0]}: ")
        assert store.connection.execute("SELECT name FROM template").fetchall() == [("pandalm",)]
        assert examples.get(store, 1).template_id == 1


def test_verdicts_of_a_file_say_where_they_are_from(project, store, tmp_path) -> None:
    report = import_file(project, store, written(tmp_path, "dpo.jsonl", PREFERENCES * 10))
    assert report.format == "trl-preference"
    assert report.made.verdicts == 20
    shown_left = set()
    for entry in current_verdicts(store):
        assert entry.rater == "file dpo.jsonl"
        chosen_id, rejected_id = entry.chosen_and_rejected or (0, 0)
        assert responses.get(store, chosen_id).messages[0]["content"] in ("Hello!", "See you.")
        assert responses.get(store, rejected_id).messages[0]["content"] in ("What?", "Go.")
        shown_left.add(entry.left_id == chosen_id)
    # The better answer must not always stand on the same side when it is shown again.
    assert shown_left == {True, False}


def test_labels_of_single_answers_are_kept(project, store, tmp_path) -> None:
    row = {"prompt": "Hi", "completion": "Hello!", "label": False}
    import_file(project, store, written(tmp_path, "kto.jsonl", [row]))
    (response,) = responses.of_example(store, 1)
    assert response.label is False
    assert pairs.counts(store) == {"pairs": 0}


def test_the_same_bytes_add_nothing_under_any_name(project, store, tmp_path) -> None:
    import_file(project, store, written(tmp_path, "a.jsonl", PREFERENCES))
    again = import_file(project, store, written(tmp_path, "b.jsonl", PREFERENCES))
    assert "imported already" in again.summary()
    assert "nothing was added" in again.summary()
    assert records.count(store) == 2
    assert len(records.sources(store)) == 1


def test_a_second_import_at_the_same_time_is_refused(project, store, tmp_path) -> None:
    def import_beside(_: object) -> None:
        with project.open_store() as own, pytest.raises(StudioError, match="Another import"):
            import_file(project, own, path)

    path = written(tmp_path, "a.jsonl", PREFERENCES)
    import_file(project, store, path, on_progress=import_beside)
    assert records.count(store) == 2


def test_rows_of_unknown_shape_become_examples_once_a_mapping_is_given(project, store, tmp_path) -> None:
    path = written(tmp_path, "plain.jsonl", [{"text": "Where?", "category": "x"}, {"text": "", "category": "y"}])
    assert import_file(project, store, path).format == "plain"
    report = import_file(project, store, path, mapping=Mapping({"prompt": "text"}))
    assert report.made.examples == 1
    assert [p.rpartition(": ")[2] for p in report.problems] == ["its prompt, the column 'text', is empty"]
    assert records.count(store) == 2
    (source,) = records.sources(store)
    assert source.format == "mapping"
    assert json.loads(source.mapping or "") == {"columns": {"prompt": "text"}, "verdicts": {}}
    third = import_file(project, store, path, mapping=Mapping({"prompt": "category"}))
    assert third.made.examples == 0
    assert "double" in third.summary()


def test_reading_rows_later_can_be_stopped_and_goes_on(project, store, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("studio.importing.BATCH_ROWS", 100)
    path = written(tmp_path, "plain.jsonl", [{"body": row["prompt"]} for row in MANY])
    assert import_file(project, store, path).format == "plain"
    first = import_file(project, store, path, mapping=Mapping({"prompt": "body"}), cancelled=lambda: True)
    assert (first.stopped, examples.count(store)) == (True, 100)
    second = import_file(project, store, path, mapping=Mapping({"prompt": "body"}))
    assert (second.stopped, second.made.examples) == (False, len(MANY) - 100)
    assert examples.count(store) == records.count(store) == len(MANY)


def test_a_mapping_must_name_columns_that_are_there(project, store, tmp_path) -> None:
    path = written(tmp_path, "plain.jsonl", [{"text": "Where?"}])
    with pytest.raises(StudioError, match=r"no column 'txt'.*It has text"):
        import_file(project, store, path, mapping=Mapping({"prompt": "txt"}))
    assert records.sources(store) == []


def test_broken_rows_are_records_with_the_reason(project, store, tmp_path) -> None:
    path = tmp_path / "mixed.jsonl"
    lines = [json.dumps({**PREFERENCES[0], "rejected": "Qu\u00e9?"}, ensure_ascii=False).encode()] * 9
    lines += [b'{"prompt": "\xff"}', b'{"prompt": ', b'{"prompt": "Hi", "chosen": 1, "rejected": "x"}']
    path.write_bytes(b"\n".join(lines))
    report = import_file(project, store, path)
    assert (report.records, report.rejected, report.made.examples) == (12, 2, 9)
    assert [p.removeprefix(f"{path}:") for p in report.problems] == [
        "10: is not valid UTF-8",
        "11: is not valid JSON: expecting value at character 12",
        "12: chosen is 1, not a text",
    ]
    stored = records_of(store, report.source_id)
    assert [r.raw if isinstance(r.raw, bytes) else r.raw.encode() for r in stored] == lines
    assert [r.line for r in stored if r.error or r.problem] == [10, 11, 12]


def test_awkward_texts_are_stored_byte_for_byte(project, store, tmp_path) -> None:
    path = tmp_path / "awkward.jsonl"
    lines = [
        b'{"prompt": "half \\ud800 \\u0000", "completion": "x"}',
        b'{"prompt": "a", "completion": "b", "n": 1234567890123456789012345678901234567890, "f": 0.1e-7}',
        b'{"prompt": "a", "prompt": "b", "completion": "c"}',
    ]
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    report = import_file(project, store, path)
    stored = records_of(store, report.source_id)
    assert [str(r.raw).encode() for r in stored] == lines
    assert stored[1].fields == json.loads(lines[1])
    assert examples.get(store, 1).messages[0]["content"] == "half \ud800 \0"
    assert "more than once" in (stored[2].problem or "")


def test_a_file_that_is_written_while_it_is_read_is_told_of(project, store, tmp_path) -> None:
    path = written(tmp_path, "a.jsonl", MANY)
    with path.open("a") as file:
        report = import_file(
            project, store, path, on_progress=lambda _: print('{"prompt": "x"}', file=file, flush=True)
        )
    assert "was changed while it was read" in report.note
    assert "was changed" not in import_file(project, store, path).note


def test_rows_are_in_for_good_although_the_index_can_not_be_written(project, store, tmp_path) -> None:
    path = written(tmp_path, "a.jsonl", MANY)
    with closing(sqlite3.connect(project.folder / "search.db")) as other:
        other.executescript(
            "CREATE TRIGGER full BEFORE UPDATE ON progress BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    with pytest.raises(sqlite3.Error, match="disk is full"):
        import_file(project, store, path)
    assert [source.state for source in records.sources(store)] == ["complete"]


def test_a_prompt_that_comes_again_stays_in_its_split(project, store, tmp_path) -> None:
    rows = [{"prompt": f"Question {number}", "completion": "Answer"} for number in range(60)]
    import_file(project, store, written(tmp_path, "a.jsonl", rows))
    import_file(project, store, written(tmp_path, "b.jsonl", [{**row, "completion": "Other"} for row in rows]))
    found = [e.split for e in examples_of(store)]
    assert found[:60] == found[60:]
    assert set(found) == {"train", "validation", "test"}


def test_repeated_rows_are_counted_and_kept(project, store, tmp_path) -> None:
    report = import_file(project, store, written(tmp_path, "a.jsonl", [*PREFERENCES, PREFERENCES[0]]))
    assert (report.records, report.duplicates) == (3, 1)
    assert [r.duplicate_of for r in records_of(store, report.source_id)] == [None, None, 1]


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


def test_files_of_a_folder_are_called_with_their_folders(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        (folder / split / "data-00000-of-00001.jsonl").write_text(f'{{"text": "{split}"}}\n')
    assert [file.name for file in plan(folder)] == [
        f"saved/{split}/data-00000-of-00001.jsonl" for split in ("test", "train")
    ]
    assert [file.name for file in plan(folder / "test" / "data-00000-of-00001.jsonl")] == ["data-00000-of-00001.jsonl"]
