"""`studio columns`, and the rows that it and the app go through."""

import json
from pathlib import Path

import pytest

from store import records
from store.database import Store
from studio.cli import main
from studio.columns import look as column_look
from studio.columns.look import ColumnLook, looks
from studio.columns.statistics import Look
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project


@pytest.fixture
def shop(project: Project, store: Store, tmp_path: Path) -> Project:
    """Two files: 30 orders as JSON, one of them unreadable, and a table of 10."""
    lines = [json.dumps({"country": "de" if n % 3 else "fr", "weight": n}) for n in range(29)]
    (tmp_path / "orders.jsonl").write_text("\n".join([*lines, "{"]) + "\n")
    table = ["country,weight", *(f"at,{n}.5" for n in range(10))]
    (tmp_path / "old.csv").write_text("\n".join(table) + "\n")
    for name in ("orders.jsonl", "old.csv"):
        import_file(project, store, tmp_path / name)
    return project


def studio(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_columns_are_printed_and_given_as_json(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = studio(capsys, "columns", "--project", str(shop.folder))
    assert status == 0
    assert "2 columns; all 40 rows, 1 of them unreadable." in out
    status, out, _ = studio(capsys, "columns", "--project", str(shop.folder), "--json")
    document = json.loads(out)
    country = document["columns"][0]
    assert (document["rows"], document["unreadable"], country["name"], country["distinct"]) == (40, 1, "country", 3)
    assert [(top["value"], top["count"]) for top in country["top"]] == [("de", 19), ("at", 10), ("fr", 10)]
    assert document["columns"][1]["types"] == {"number": 29, "number as text": 10}


def test_a_query_narrows_the_rows(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = studio(capsys, "columns", "--project", str(shop.folder), "--query", "country:fr weight>20", "--json")
    weight = json.loads(out)["columns"][1]
    assert weight["present"] == 3
    assert weight["numbers"]["least"] == 21
    status, _, err = studio(capsys, "columns", "--project", str(shop.folder), "--query", "has:flog")
    assert status == 1
    assert "has is never 'flog'" in err


def test_of_many_rows_a_sample_comes_first_and_all_at_the_end(
    shop: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_look, "BLOCK", 5)
    monkeypatch.setattr(column_look, "FIRST_LOOK", 10)
    monkeypatch.setattr(column_look, "SECONDS_BETWEEN", 0.0)
    found = list(looks(store))
    assert [look.rows for look in found] == [10, 15, 20, 25, 30, 35, 40]
    assert [look.is_sample for look in found] == [True] * 6 + [False]
    assert found[-1].columns[0].top[0].count == 19


def test_a_process_gives_the_same_and_says_why_it_can_not(shop: Project, store: Store) -> None:
    found: list[Look] = []
    ColumnLook(store.path, "weight<5").follow(found.append)
    [expected] = looks(store, "weight<5")
    assert found == [expected]
    with pytest.raises(StudioError, match="has is never 'flog'"):
        ColumnLook(store.path, "has:flog").follow(found.append)


def test_a_process_that_is_stopped_says_nothing_more(shop: Project, store: Store) -> None:
    process = ColumnLook(store.path, "")
    process.stop()
    found: list[Look] = []
    process.follow(found.append)
    assert found == []
    assert len(records.span(store)) == 40
