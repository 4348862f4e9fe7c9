"""`studio import`: what it says of files, what it keeps, and how it is stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest

from store import records
from store.database import open_store
from tests.studio.commands.conftest import ROOT, assert_fails


def test_import_counts_and_names_what_is_wrong(studio, preferences) -> None:
    studio("new", ".")
    done = studio("import", preferences)
    assert done.status == 0
    assert done.out == (
        "rows.jsonl: 8 rows as trl-preference (jsonl), 6 examples, 12 responses, 6 pairs, 6 verdicts,"
        " 1 row kept that can't be read.\n"
    )
    assert [line.split(": ")[0] for line in done.err.splitlines()] == [f"  {preferences}:7", f"  {preferences}:8"]
    assert "imported already" in studio("import", preferences).out


def test_import_as_json_is_one_document(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "more.csv").write_text("ask,reply\nWhy?,Because.\n")
    reports = studio("import", preferences, "more.csv", "--json").document
    assert [(r["name"], r["records"], r["rejected"], r["made"]["pairs"]) for r in reports] == [
        ("rows.jsonl", 8, 1, 6),
        ("more.csv", 1, 0, 0),
    ]
    assert len(reports[0]["problems"]) == 2


def test_import_with_a_mapping(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "more.csv").write_text("ask,reply\nWhy?,Because.\n")
    done = studio("import", "more.csv", "--map", "prompt=ask", "--map", "completion=reply")
    assert (done.status, done.err) == (0, "")
    assert "1 example" in done.out


def test_a_mapping_is_kept_and_used_again(studio, tmp_path) -> None:
    studio("new", ".")
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(f"ask,a,b,won\nWhy {name}?,Because.,So.,2\nHow {name}?,Thus.,So.,1\n")
    columns = ("prompt=ask", "response_a=a", "response_b=b", "verdict=won")
    maps = [option for column in columns for option in ("--map", column)]
    untold = studio("import", "one.csv", *maps)
    assert "verdict codes 1, 2 mean different things" in untold.out
    assert "--verdict 1=left --verdict 2=right" in untold.out
    told = studio("import", "one.csv", *maps, "--verdict", "1=first", "--verdict", "2=second", "--save-map", "m.toml")
    assert "2 examples, 4 responses, 2 pairs, 2 verdicts" in told.out
    assert "2 verdicts" in studio("import", "two.csv", "--map", "m.toml").out


def test_what_is_wrong_with_a_mapping_is_said(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "a.csv").write_text("ask\nWhy?\n")
    assert_fails(studio("import", "a.csv", "--map", "promt=ask"), "no field 'promt'", "Did you mean 'prompt'?")
    assert_fails(studio("import", "a.csv", "--map", "absent.toml"), "absent.toml can't be read")
    assert_fails(studio("import", "a.csv", "--verdict", "1=good"), "can't mean 'good'")


def test_a_folder_is_imported_file_by_file(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "data").mkdir()
    for number in (1, 2, 10):
        (tmp_path / "data" / f"part-{number}.csv").write_text(f"instruction,output\nQ{number},A\n")
    done = studio("import", "data")
    assert (done.status, done.err) == (0, "")
    assert [line.split(":")[0] for line in done.out.splitlines()] == [f"data/part-{n}.csv" for n in (1, 2, 10)]


def test_a_saved_data_set_gives_its_splits(studio, tmp_path) -> None:
    datasets = pytest.importorskip("datasets")
    studio("new", ".")
    rows = {"instruction": ["Q1", "Q2"], "output": ["A", "B"]}
    parts = {name: datasets.Dataset.from_dict(rows | {"instruction": [name, name * 2]}) for name in ("train", "test")}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    done = studio("import", "saved")
    assert done.status == 0
    assert done.out.count("as its data set says") == 2
    with open_store(tmp_path / "studio.db") as store:
        assert store.connection.execute("SELECT split, COUNT(*) FROM example GROUP BY 1 ORDER BY 1").fetchall() == [
            ("test", 2),
            ("train", 2),
        ]
    studio("new", "other")
    assert "as its data set says" not in studio("import", "saved", "--split", "validation", "--project", "other").out
    with open_store(tmp_path / "other" / "studio.db") as store:
        assert store.connection.execute("SELECT DISTINCT split FROM example").fetchall() == [("validation",)]


def test_a_file_that_fails_keeps_no_other_out(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "more.csv").write_text("instruction,output\nQ,A\n")
    done = studio("import", "absent.jsonl", preferences, "empty.jsonl", "more.csv")
    assert done.status == 1
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["rows.jsonl", "more.csv"]
    failures = [line for line in done.err.splitlines() if line.startswith("studio: ")]
    assert [words in line for words, line in zip(("absent.jsonl", "empty.jsonl", "2 of 4"), failures, strict=True)] == [
        True,
        True,
        True,
    ]


def test_only_the_first_problems_are_named(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a", "completion": "b"}\n' * 100 + "{broken\n" * 30)
    done = studio("import", "bad.jsonl")
    assert len(done.err.splitlines()) == 21
    assert "10 more; `studio search has:problem` lists all of them" in done.err


def test_ctrl_c_stops_after_whole_batches_and_the_same_command_goes_on(studio, tmp_path) -> None:
    total = 60_000
    studio("new", ".")
    (tmp_path / "many.jsonl").write_text(
        "".join(f'{{"prompt": "Question {n}", "completion": "Answer"}}\n' for n in range(total))
    )
    command = [sys.executable, "-m", "studio", "import", "many.jsonl", "--project", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with open_store(tmp_path / "studio.db") as store:
        while child.poll() is None and not records.count(store):
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert child.returncode == 130
        assert "It was stopped: import the file again to go on from there." in out
        assert "ctrl-C again ends at once" in err
        assert 0 < records.count(store) < total
        assert "It went on after the" in studio("import", "many.jsonl").out
        assert records.count(store) == total


def test_a_file_that_can_not_be_read_imports_nothing(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    assert_fails(studio("import", "absent.jsonl"), "absent.jsonl")
    assert_fails(studio("import", "empty.jsonl"), "empty.jsonl")
    assert_fails(studio("import", "folder"), "folder")
    assert_fails(studio("import", "data.csv", "--format", "nonsense"), "nonsense")
    assert_fails(studio("import", "data.csv", "--map", "prompt=absent"), "no column 'absent'")
    with open_store(tmp_path / "studio.db") as store:
        assert store.connection.execute("SELECT COUNT(*) FROM source").fetchone()[0] == 0
