"""Rows with problems: listed with their place, and written out with their own text."""

import json

import pytest

from studio.cli import main
from studio.errors import StudioError
from studio.importing import import_file
from studio.problems import problems, write_problems


@pytest.fixture
def spoilt(project, tmp_path):
    path = tmp_path / "rows.jsonl"
    good = '{"prompt": "é", "completion": "b"}\n'.encode() * 9
    path.write_bytes((good + b'{broken\n\xff\xfe\n{"prompt": 1, "completion": "b"}\n') * 4)
    with project.open_store() as store:
        import_file(project, store, path)
    return project


def test_each_is_listed_with_file_line_and_reason(spoilt) -> None:
    with spoilt.open_store() as store:
        found = list(problems(store))
    assert [(p.file, p.line) for p in found[:3]] == [("rows.jsonl", 10), ("rows.jsonl", 11), ("rows.jsonl", 12)]
    assert [p.unreadable for p in found[:3]] == [True, True, False]
    assert "is not valid JSON" in str(found[0])
    assert len(found) == 12


def test_they_are_written_with_their_own_text(spoilt, tmp_path) -> None:
    out = tmp_path / "bad.jsonl"
    with spoilt.open_store() as store:
        assert write_problems(store, out) == 12
        with pytest.raises(StudioError, match="is there already"):
            write_problems(store, out)
    rows = [json.loads(line) for line in out.read_bytes().splitlines()]
    assert rows[0]["raw"] == "{broken"
    assert rows[1]["raw_base64"] == "//4="
    assert out.stat().st_mode & 0o777 == 0o600


def test_the_command_lists_and_writes_them(spoilt, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["problems", "--project", str(spoilt.folder), "--json"])
    assert ended.value.code == 0
    assert len(json.loads(capsys.readouterr().out)) == 12


def test_without_any_nothing_is_written(project, tmp_path) -> None:
    with project.open_store() as store, pytest.raises(StudioError, match="No row has a problem"):
        write_problems(store, tmp_path / "bad.jsonl")
    assert not (tmp_path / "bad.jsonl").exists()
