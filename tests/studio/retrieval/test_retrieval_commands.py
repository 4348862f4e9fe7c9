"""The commands: documents and origins, as text and as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from store import examples
from store.database import Store
from studio.cli import cli
from studio.project import Project, open_project


@pytest.fixture
def documented(project: Project, store: Store) -> Project:
    (project.folder / "notes").mkdir()
    (project.folder / "notes" / "a.md").write_text("# Boats\n\nThe ferry leaves at six.\n")
    (project.folder / "notes" / "bad.txt").write_bytes(b"\xff\xfa")
    with (project.folder / "studio.toml").open("a") as settings:
        settings.write('\n[documents]\nfolders = ["notes"]\n')
    turns = [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "The ferry leaves at six."}]
    examples.add(store, record_id=None, messages=turns, split="train")
    return open_project(project.folder)


def run(project: Project, *arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.folder)], input=input, catch_exceptions=False)


def test_index_list_and_search(documented: Project) -> None:
    done = json.loads(run(documented, "documents", "index", "--json").stdout)
    assert done == {"documents": 2, "read": 2, "removed": 0, "embedded": 0, "problems": ["notes/bad.txt"]}
    listed = json.loads(run(documented, "documents", "list", "--json").stdout)
    assert [(row["file"], row["passages"], bool(row["problem"])) for row in listed] == [
        ("notes/a.md", 1, False),
        ("notes/bad.txt", 0, True),
    ]
    found = json.loads(run(documented, "documents", "search", "When does the ferry leave?", "--json").stdout)
    assert [(p["file"], p["lines"], p["heading"]) for p in found["passages"]] == [("notes/a.md", "3", "Boats")]
    assert (
        run(documented, "documents", "search", "ferry", "--text").stdout.rstrip("\n")
        == json.loads(run(documented, "documents", "search", "ferry", "--json").stdout)["text"]
    )


def test_list_says_what_is_not_indexed_yet(documented: Project) -> None:
    assert run(documented, "documents", "list").stdout.count("to be indexed") == 2


def test_origins_of_text_and_of_standard_input(documented: Project) -> None:
    [first] = json.loads(run(documented, "origins", "I think the ferry leaves at six, or not.", "--json").stdout)
    assert (first["example_id"], first["excerpt"], first["in_training"]) == (1, "The ferry leaves at six.", True)
    said = run(documented, "origins", "-", input="the ferry leaves at six, I think\n").stdout
    assert "example 1  written here  answer, train" in said


def test_an_example_without_passages_says_so(documented: Project, tmp_path: Path) -> None:
    assert "No passage was put into example 1" in run(documented, "documents", "used", "1").stderr
