"""`studio template`: thin over the same functions as the editor."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.cli import main
from studio.importing import import_file
from studio.project import open_project

ROWS = [{"instruction": "Add", "input": f"{n} 1", "output": f"{n + 1}"} for n in range(4)]

Studio = Callable[..., tuple[int, str, str]]


@pytest.fixture
def studio(project, store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Studio:
    """The command line on a project with four rows."""
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)))
    import_file(project, store, file)

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["template", *arguments, "--project", str(project.folder)])
        printed = capfd.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def document(outcome: tuple[int, str, str]) -> Any:
    """The one JSON document that a command printed."""
    assert (outcome[0], outcome[2]) == (0, "")
    return json.loads(outcome[1])


def test_a_ready_made_one_is_saved_shown_and_listed(studio, project) -> None:
    status, _, said = studio("show")
    assert status == 1
    assert "The project has no template" in said
    best = document(studio("ready", "--json"))[0]
    assert (best["template"]["name"], best["same"], best["rows"]) == ("alpaca", 4, 4)
    assert studio("ready", "--save")[0] == 0
    assert document(studio("show", "--json"))["name"] == "alpaca"
    assert "[[template.turns]]" in studio("show")[1]
    [version] = document(studio("versions", "--json"))
    assert (version["name"], version["number"], version["examples"]) == ("alpaca", 1, 0)
    assert open_project(project.folder).settings.template is not None


def test_a_template_is_previewed_planned_applied_and_taken_back(studio, project) -> None:
    settings = project.folder / "studio.toml"
    settings.write_text(
        settings.read_text() + '\n[template]\nname = "t"\n[[template.turns]]\nrole = "user"\n'
        'content = "{{ instruction }}!"\n'
    )
    [shown] = document(studio("preview", "--limit", "1", "--json"))
    assert (shown["place"], shown["effect"]) == ("rows.jsonl:1", "changed")
    assert shown["messages"] == [{"role": "user", "content": "Add!"}]
    planned = document(studio("apply", "--plan", "--json"))
    assert (planned["plan"]["changed"], planned["applied"]) == (4, None)
    assert document(studio("versions", "--json")) == []
    status, out, _ = studio("apply")
    assert status == 0
    assert "Done: 4 examples changed" in out
    assert document(studio("versions", "--json"))[0]["examples"] == 4
    assert document(studio("back", "t:1", "--json")) == {"examples": 4}


def test_failing_records_are_shown_with_their_place(studio, project) -> None:
    settings = project.folder / "studio.toml"
    settings.write_text(
        settings.read_text() + '\n[template]\n[[template.turns]]\nrole = "user"\ncontent = "{{ instrution }}"\n'
    )
    status, out, _ = studio("preview", "--failing", "--limit", "1")
    assert status == 0
    assert "there is no field 'instrution'; did you mean 'instruction'? (turn 1, line 1, column 4)" in out


def test_two_versions_are_compared(studio, project) -> None:
    studio("ready", "--save")
    settings = project.folder / "studio.toml"
    settings.write_text(settings.read_text().replace('name = "alpaca"', 'name = "alpaca"\nsystem = "Be kind."'))
    studio("apply")
    assert '+system = "Be kind."' in studio("versions", "--diff", "alpaca:1", "alpaca:2")[1]
    status, _, said = studio("show", "--version", "alpaca:7")
    assert status == 1
    assert "alpaca:2" in said
