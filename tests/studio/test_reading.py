"""How a file's rows are to be read: as told, by the project's template, by their shape, and never by a guess."""

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.mapping import Mapping
from studio.project import create_project
from studio.reading import choose

PATH = Path("rows.jsonl")
JUDGED = [{"prompt": f"Q{n}", "response 1": "A", "response 2": "B", "label": n % 3} for n in range(6)]
COMPARED = [{"q": f"Q{n}", "x": "A", "y": "B", "won": n % 2} for n in range(6)]
COLUMNS = {"prompt": "q", "response_a": "x", "response_b": "y", "verdict": "won"}


def test_codes_of_a_known_shape_are_asked_for(project) -> None:
    untold = choose(project, PATH, JUDGED, None, None)
    assert (untold.name, untold.read) == ("plain", None)
    assert "It is auto-j, but its verdict codes 0, 1, 2 mean different things" in untold.note
    assert "--verdict 1=left --verdict 2=right --verdict 0=tie" in untold.note
    told = choose(project, PATH, JUDGED, None, Mapping(verdicts={"0": "left", "1": "right", "2": "tie"}))
    assert told.name == "auto-j"
    assert told.mapping == '{"columns": {}, "verdicts": {"0": "left", "1": "right", "2": "tie"}}'
    assert told.read is not None
    assert [told.read(fields).judgements[0].verdict for fields in JUDGED[:3]] == ["left", "right", "tie"]


def test_a_code_that_comes_later_is_the_problem_of_its_row(project) -> None:
    reading = choose(project, PATH, JUDGED[:2], "auto-j", Mapping(verdicts={"0": "left", "1": "right"}))
    assert reading.read is not None
    row = reading.read(JUDGED[2])
    assert row.judgements == ()
    assert "verdict code 2" in (row.problem or "")


def test_codes_of_a_mapped_column_are_asked_for(project) -> None:
    untold = choose(project, PATH, COMPARED, None, Mapping(COLUMNS, {"1": "left"}))
    assert untold.read is None
    assert untold.note.startswith("Its verdict code 0 means different things")
    told = choose(project, PATH, COMPARED, None, Mapping(COLUMNS, {"1": "left", "0": "right"}))
    assert told.name == "mapping"
    words = [{**row, "won": "left"} for row in COMPARED]
    assert choose(project, PATH, words, None, Mapping(COLUMNS)).name == "mapping"


def test_codes_that_no_file_has_are_said_to_be_needless(project) -> None:
    sample = [{"prompt": "Q", "chosen": "A", "rejected": "B"}]
    reading = choose(project, PATH, sample, None, Mapping(verdicts={"1": "left"}))
    assert (reading.name, reading.mapping) == ("trl-preference", None)
    assert "not needed" in reading.note


def test_format_and_columns_exclude_each_other(project) -> None:
    with pytest.raises(StudioError, match="can't be used together"):
        choose(project, PATH, COMPARED, "alpaca", Mapping(COLUMNS))


def test_the_projects_template_comes_before_the_shape(tmp_path) -> None:
    text = '[template]\n[[template.turns]]\nrole = "user"\ncontent = "{{ prompt }}"\n'
    project = create_project(tmp_path / "p", text)
    assert choose(project, PATH, JUDGED, None).name == "template"
    assert choose(project, PATH, JUDGED, "plain").name == "plain"
    assert choose(project, PATH, COMPARED, None).name == "plain"


def test_of_very_many_columns_a_few_are_named(project) -> None:
    reading = choose(project, PATH, [{f"c{number}": 1 for number in range(5_000)}], None, None)
    assert "(columns: c0, c1, " in reading.note
    assert "c11 and 4,988 more)" in reading.note
