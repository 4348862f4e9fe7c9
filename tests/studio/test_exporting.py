"""Exporting: files that others read as they are, with a manifest, never over someone else's file."""

import csv
import hashlib
import json
import resource
import stat
from pathlib import Path

import pyarrow.parquet
import pytest

from store import examples, journal, pairs, snapshots
from store.database import Store
from studio import __version__, formats
from studio.errors import StudioError
from studio.exporting import export
from studio.formats import FORMATS
from studio.formats.row import PreferenceRow
from studio.importing import import_file
from studio.manifests import manifest_of
from studio.project import Project


@pytest.fixture
def filled(project: Project, store: Store, tmp_path: Path) -> Store:
    """Twenty judged pairs, twenty answered questions, one of them with a tool, and a text to learn."""
    preferences = [
        {"prompt": f"Q{n} \u00e4\U0001f600", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(20)
    ]
    chats = [
        {"messages": [{"role": "user", "content": f"Ask {n}"}, {"role": "assistant", "content": f"Answer {n}"}]}
        for n in range(20)
    ]
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": {"n": 1}}}
    chats[0]["messages"][1:1] = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "1"},
    ]
    texts = [{"text": "Parcels are light."}]
    for name, rows in (("preferences.jsonl", preferences), ("chats.jsonl", chats), ("texts.jsonl", texts)):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        import_file(project, store, path)
    return store


def rows_in(path: Path) -> list[dict]:
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("shape", [f for f in FORMATS if f.kind], ids=lambda f: f.name)
@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_every_written_row_reads_back_and_every_other_is_counted(project, filled, tmp_path, shape, suffix) -> None:
    report = export(project, filled, shape.name, tmp_path / f"out{suffix}")
    rows = rows_in(tmp_path / f"out{suffix}")
    assert len(rows) == report.rows == sum(report.splits.values())
    assert report.considered == report.used + sum(report.left_out.values())
    found = formats.detect(rows)
    assert found is not None
    assert all(found.read(row).messages for row in rows)
    assert all(f"{reason} {count}" in report.summary() for reason, count in report.left_out.items())


def test_what_a_shape_can_not_say_is_said_in_the_report(project, filled, tmp_path) -> None:
    report = export(project, filled, "alpaca", tmp_path / "out.json")
    assert report.left_out == {
        "without an answer": 20,
        "alpaca can't say tool_calls": 1,
        "alpaca needs turns of user and assistant by turns": 1,
    }


def test_the_manifest_says_where_the_file_is_from(project, filled, tmp_path) -> None:
    out = tmp_path / "out.jsonl"
    report = export(project, filled, "trl-preference", out, split="train")
    manifest = json.loads(manifest_of(out).read_text())
    assert manifest["snapshot"] == report.snapshot == snapshots.get(filled, report.snapshot).id
    assert manifest["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (manifest["rows_in"], manifest["rows_out"], manifest["split"]) == (20, report.rows, "train")
    assert manifest["left_out"] == report.left_out == {"not in the train split": 20 - report.rows}
    assert manifest["split_settings"]["seed"] == 1
    assert manifest["studio_version"] == __version__


def test_files_are_private_and_no_other_is_left(project, filled, tmp_path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    export(project, filled, "trl-sft", folder / "out.jsonl")
    assert sorted(path.name for path in folder.iterdir()) == ["out.jsonl", "out.jsonl.manifest.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_only_an_unchanged_export_gives_way(project, filled, tmp_path) -> None:
    out = tmp_path / "out.jsonl"
    export(project, filled, "trl-preference", out)
    assert "replaces" in export(project, filled, "trl-sft", out).summary()
    out.write_text("mine")
    with pytest.raises(StudioError, match="is there already"):
        export(project, filled, "trl-sft", out)
    assert out.read_text() == "mine"


def test_tables_are_written_where_the_shape_is_flat(project, store, tmp_path) -> None:
    source = tmp_path / "rows.jsonl"
    row = {"instruction": 'Say, "hi"', "input": "", "output": "hi\nthere"}
    source.write_text(json.dumps(row))
    import_file(project, store, source)
    export(project, store, "alpaca", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [row]
    export(project, store, "trl-sft", tmp_path / "out.parquet")
    (read,) = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [turn["content"] for turn in read["messages"]] == ['Say, "hi"', "hi\nthere"]


@pytest.mark.parametrize(
    ("format", "name", "message"),
    [
        ("trl-sft", "out.csv", "CSV can't hold"),
        ("trl-sft", "out.parquet", "Parquet can't hold"),
        ("trl-sft", "out.txt", "End its name in"),
        ("trl-sft", "absent/out.jsonl", "can't be written"),
        ("ultrafeedback", "out.jsonl", "no format 'ultrafeedback'"),
    ],
)
def test_what_can_not_be_written_is_refused(project, filled, tmp_path, format, name, message) -> None:
    with pytest.raises(StudioError, match=message):
        export(project, filled, format, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_an_empty_project_has_nothing_to_export(project, store, tmp_path) -> None:
    with pytest.raises(StudioError, match="no pairs with a better side"):
        export(project, store, "trl-preference", tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_a_pair_makes_two_rows_where_each_holds_one_labelled_answer(project, filled, tmp_path) -> None:
    kto = tmp_path / "kto.jsonl"
    kto.write_text(json.dumps({"prompt": "Q", "completion": "A", "label": False}))
    import_file(project, filled, kto)
    report = export(project, filled, "trl-kto", tmp_path / "out.jsonl")
    assert (report.considered, report.used, report.rows) == (21, 21, 41)
    assert "41 rows from 21 of 21 pairs and answers" in report.summary()
    rows = rows_in(tmp_path / "out.jsonl")
    assert [row["label"] for row in rows] == [True, False] * 20 + [False]
    assert rows[-1]["completion"] == [{"role": "assistant", "content": "A"}]


def test_the_manifest_names_the_sources_and_their_rows(project, filled, tmp_path) -> None:
    example = examples.add(
        filled, record_id=None, messages=[{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}],
        split="train",
    )  # fmt: skip
    export(project, filled, "alpaca", tmp_path / "out.json")
    manifest = json.loads(manifest_of(tmp_path / "out.json").read_text())
    assert example
    assert manifest["rows_of_no_source"] == 1
    assert manifest["sources"] == [
        {
            "name": "chats.jsonl",
            "path": str(tmp_path / "chats.jsonl"),
            "sha256": hashlib.sha256((tmp_path / "chats.jsonl").read_bytes()).hexdigest(),
            "format": "trl-sft",
            "rows_used": 19,
        }
    ]


def test_a_dry_run_writes_nothing_and_shows_the_first_row(project, filled, tmp_path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    out = folder / "out.jsonl"
    tried = export(project, filled, "llamafactory-ranking", out, dry_run=True)
    assert not list(folder.iterdir())
    assert not filled.connection.execute("SELECT COUNT(*) FROM snapshot").fetchone()[0]
    assert "nothing was written" in tried.summary()
    done = export(project, filled, "llamafactory-ranking", out)
    assert tried.first == done.first == rows_in(out)[0]
    same = ("considered", "used", "rows", "splits", "left_out", "snapshot")
    assert [getattr(tried, name) for name in same] == [getattr(done, name) for name in same]


def test_the_same_snapshot_gives_the_same_bytes_whatever_came_later(project, filled, tmp_path) -> None:
    first = export(project, filled, "trl-preference", tmp_path / "first.jsonl")
    again = export(project, filled, "trl-preference", tmp_path / "again.jsonl")
    written = (tmp_path / "first.jsonl").read_bytes()
    assert again.snapshot == first.snapshot
    assert (tmp_path / "again.jsonl").read_bytes() == written
    later = tmp_path / "later.jsonl"
    later.write_text(json.dumps({"prompt": "Later", "chosen": "yes", "rejected": "no"}))
    import_file(project, filled, later)
    journal.judge(filled, pairs.get(filled, 1), "tie", rater="me")
    examples.revise(filled, 2, [{"role": "user", "content": "Edited"}])
    now = export(project, filled, "trl-preference", tmp_path / "now.jsonl")
    assert now.snapshot != first.snapshot
    recalled = export(project, filled, "trl-preference", tmp_path / "recalled.jsonl", snapshot=first.snapshot)
    assert (recalled.snapshot, recalled.considered, recalled.rows) == (first.snapshot, 20, 20)
    assert (tmp_path / "recalled.jsonl").read_bytes() == written


def test_a_snapshot_goes_whole_and_into_its_own_kind(project, filled, tmp_path) -> None:
    snapshot = export(project, filled, "trl-preference", tmp_path / "out.jsonl", split="train").snapshot
    with pytest.raises(StudioError, match="holds preferences"):
        export(project, filled, "trl-sft", tmp_path / "sft.jsonl", snapshot=snapshot)
    with pytest.raises(StudioError, match="exported whole"):
        export(project, filled, "trl-preference", tmp_path / "part.jsonl", snapshot=snapshot, split="train")
    with pytest.raises(StudioError, match="no snapshot none"):
        export(project, filled, "trl-preference", tmp_path / "none.jsonl", snapshot="none")
    assert not (tmp_path / "sft.jsonl").exists()


def test_the_query_chooses_and_the_rest_is_counted(project, filled, tmp_path) -> None:
    report = export(project, filled, "trl-preference", tmp_path / "out.jsonl", query="id:3 OR id:5")
    assert (report.rows, report.left_out) == (2, {"not in the query": 18})
    assert [row["chosen"][0]["content"] for row in rows_in(tmp_path / "out.jsonl")] == ["good 2", "good 4"]
    manifest = json.loads(manifest_of(tmp_path / "out.jsonl").read_text())
    assert manifest["query"] == snapshots.get(filled, report.snapshot).query == "id:3 OR id:5"
    by_split = {
        split: export(project, filled, "trl-preference", tmp_path / f"{split}.jsonl", split=split, query="id<9").rows
        for split in report.splits
    }
    assert all(by_split.values())
    with pytest.raises(StudioError):
        export(project, filled, "trl-preference", tmp_path / "odd.jsonl", query="id:x")
    unfiltered = export(project, filled, "trl-preference", tmp_path / "all.jsonl")
    assert unfiltered.rows == 20


def test_a_full_disk_leaves_nothing_half_written(project, filled, tmp_path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    export(project, filled, "trl-preference", folder / "out.jsonl", split="train")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StudioError, match=r"out\.jsonl can't be written: File too large"):
            export(project, filled, "trl-preference", folder / "out.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("shape", [f for f in FORMATS if f.holds_messages], ids=lambda f: f.name)
def test_a_row_that_holds_messages_says_whatever_they_say(shape) -> None:
    messages = [{"role": role, "content": role} for role in ("user", "assistant", "assistant")]
    row = PreferenceRow(*([message] for message in messages))
    line = shape.write_preference(row)
    for number, message in enumerate(messages):
        message["content"] = f"text {number}"
    assert line == shape.write_preference(row)
    assert all(f'"text {number}"' in json.dumps(line) for number in range(3))


def test_many_rows_lie_in_each_kind_of_file_alike(project, store, tmp_path) -> None:
    """More rows than are written together, with a column that only some have."""
    source = tmp_path / "rows.jsonl"
    rows = [
        {
            "instruction": f"Q{n} " + "words " * 20,
            "input": "",
            "output": f"A{n}",
            **({"system": "S"} if n > 900 else {}),
        }
        for n in range(1000)
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, source)
    for suffix in (".jsonl", ".json", ".csv", ".parquet"):
        export(project, store, "alpaca", tmp_path / f"as{suffix}{suffix}")
    assert rows_in(tmp_path / "as.jsonl.jsonl") == rows_in(tmp_path / "as.json.json") == rows
    with (tmp_path / "as.csv.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"system": "", **row} for row in rows]
    assert pyarrow.parquet.read_table(tmp_path / "as.parquet.parquet").to_pylist() == [
        {"system": None, **row} for row in rows
    ]


def test_labels_lie_in_tables_too(project, filled, tmp_path) -> None:
    export(project, filled, "trl-kto-text", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["true", "false"] * 20
    export(project, filled, "trl-kto-text", tmp_path / "out.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet")["label"].to_pylist() == [True, False] * 20


def test_a_query_finds_what_was_edited_a_moment_ago(project: Project, store: Store, tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "On the quay."}]
    examples.add(store, record_id=None, messages=messages, split="train")
    report = export(project, store, "trl-sft", tmp_path / "out.jsonl", query="quay")
    assert report.rows == 1
