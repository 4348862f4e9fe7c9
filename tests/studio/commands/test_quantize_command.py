"""`studio quantize` without a model: what it lists, shows and refuses."""

import json

import pytest
from click.testing import CliRunner
from quantised import BROKEN, leave, of_type

from studio.cli import cli
from studio.errors import StudioError
from studio.inference.quantising.launch import copy_to
from studio.inference.quantising.places import place_of


def run(*arguments: str) -> str:
    """Return what a command prints."""
    done = CliRunner().invoke(cli, ["quantize", *arguments], catch_exceptions=False)
    return done.output


def test_types_are_listed_without_a_project() -> None:
    assert "Q4_K_M     4.8 bits a weight" in run("--types")
    assert "Q8_0" in json.loads(run("--types", "--json"))


def test_what_is_known_is_shown_as_a_table_and_as_json(project, store) -> None:
    here = ["--project", str(project.folder)]
    assert "Nothing was quantised yet" in run("smollm2", *here)
    leave(place_of(project, store, "smollm2"), of_type("Q8_0", 145), BROKEN)
    text = run("smollm2", *here)
    assert "Q2_K breaks this model" in text
    assert "Recommended: Q8_0" in text
    assert text.splitlines()[1].startswith("F16   270.0 MB")
    found = json.loads(run("smollm2", *here, "--json"))
    assert found["recommendation"]["type"] == "Q8_0"
    assert [(each["report"]["type"], each["verdict"]["level"]) for each in found["types"]] == [
        ("Q8_0", "good"),
        ("Q2_K", "broken"),
    ]


def test_copies_need_something_to_be_made(project) -> None:
    assert "--out copies what --type makes" in run("smollm2", "--out", "x", "--project", str(project.folder))


def test_a_folder_for_copies_that_cannot_be_made_is_said(project, store, tmp_path) -> None:
    place = place_of(project, store, "smollm2")
    leave(place, of_type("Q8_0", 145))
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="can't be written: Not a directory"):
        copy_to(place, ["Q8_0"], tmp_path / "file" / "inner")


def test_copies_are_named_by_model_and_type(project, store, tmp_path) -> None:
    place = place_of(project, store, "smollm2")
    leave(place, of_type("Q8_0", 145))
    [copy] = copy_to(place, ["Q8_0"], tmp_path / "new" / "folder")
    assert copy == tmp_path / "new" / "folder" / "smollm2-Q8_0.gguf"
    assert copy.read_bytes() == place.gguf("Q8_0").read_bytes()
