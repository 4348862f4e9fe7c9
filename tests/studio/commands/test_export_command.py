"""`studio export` and `studio formats`: what they write, and what they say."""

import json
from pathlib import Path

from tests.studio.commands.conftest import assert_fails


def test_export_writes_rows_and_a_manifest(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    studio("import", preferences)
    done = studio("export", "trl-preference", "out.jsonl")
    assert (done.status, done.err) == (0, "")
    assert "out.jsonl: 6 of 6 rows as trl-preference" in done.out
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 6
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "good 0"}]
    report = studio("export", "trl-preference", "out.jsonl", "--json").document
    assert (report["rows"], report["replaced"]) == (6, True)


def test_a_dry_run_shows_the_first_row_and_a_snapshot_can_be_had_again(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    studio("import", preferences)
    tried = studio("export", "trl-preference", "out.jsonl", "--dry-run", "--query", "id:1")
    assert (tried.status, tried.err) == (0, "")
    first, _, _ = tried.out.partition("\n}\n")
    assert set(json.loads(first + "}")) == {"prompt", "chosen", "rejected"}
    assert "nothing was written" in tried.out
    assert not (tmp_path / "out.jsonl").exists()
    done = studio("export", "trl-preference", "out.jsonl", "--query", "id:1", "--json").document
    assert done["rows"] == 1
    again = studio("export", "trl-preference", "again.jsonl", "--snapshot", done["snapshot"])
    assert again.status == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()
    wrong = studio("export", "trl-preference", "x.jsonl", "--snapshot", done["snapshot"], "--query", "id:1")
    assert (wrong.status, "--snapshot is exported whole" in wrong.err) == (2, True)


def test_an_export_that_can_not_be_is_explained(studio, preferences) -> None:
    studio("new", ".")
    assert_fails(studio("export", "trl-preference", "out.jsonl"), "no pairs with a better side")
    studio("import", preferences)
    assert_fails(studio("export", "nonsense", "out.jsonl"), "nonsense")
    assert_fails(studio("export", "trl-preference", "out.txt"), "out.txt")
    assert_fails(studio("export", "trl-preference", preferences), "rows.jsonl is there already")
    assert_fails(studio("export", "trl-preference", "absent/out.jsonl"), "absent")
    assert not Path("out.jsonl").exists()


def test_formats_are_listed_with_what_can_be_done(studio) -> None:
    listed = studio("formats")
    assert (listed.status, listed.err) == (0, "")
    known = studio("formats", "--json").document
    assert [line.split()[0] for line in listed.out.splitlines()] == [info["name"] for info in known]
    assert {"trl-preference", "trl-sft"} <= {info["name"] for info in known if info["reads"] and info["writes"]}
