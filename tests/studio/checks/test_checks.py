"""Checks of an answer: what they say of it, and what settings may say of them."""

import json
from pathlib import Path

import pytest

from studio.checks.run import score
from studio.checks.settings import Check, chosen, read, read_checks, write_checks
from studio.errors import StudioError
from studio.project import create_project, open_project

SCHEMA = json.dumps({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}})


@pytest.mark.parametrize(
    ("check", "reply", "expected"),
    [
        (Check("c", "contains", "Monday"), "on monday", 1),
        (Check("c", "contains", "Monday"), "on Friday", 0),
        (Check("c", "lacks", "sorry"), "SORRY", 0),
        (Check("c", "lacks", "sorry"), "fine", 1),
        (Check("c", "matches", r"^\d+$"), "12", 1),
        (Check("c", "matches", r"^\d+$"), "12 a", 0),
        (Check("c", "json"), '{"a": 1}', 1),
        (Check("c", "json"), 'Here: {"a": 1}', 0),
        (Check("c", "json"), "[" * 5000, 0),
        (Check("c", "json"), '{"a": NaN}', 0),
        (Check("c", "matches", "(a|a)*b"), "a" * 60, 0),
        (Check("c", "number_equals_field", field="sum"), "from 1-1234", 1),
        (Check("c", "number_equals_field", field="sum"), "x = -1234", 0),
        (Check("c", "json_schema", SCHEMA), '{"city": "Bonn"}', 1),
        (Check("c", "json_schema", SCHEMA), '{"city": 1}', 0),
        (Check("c", "json_schema", SCHEMA), "Bonn", 0),
        (Check("c", "json_schema", '{"$ref": "https://example.org/other"}'), "1", 0),
        (Check("c", "max_words", "4"), "a b c d", 1),
        (Check("c", "max_words", "4"), "a b c d e f g h", 0.5),
        (Check("c", "min_words", "4"), "a b", 0.5),
        (Check("c", "min_words", "4"), "a b c d e", 1),
        (Check("c", "equals_field", field="city"), " Bonn\n", 1),
        (Check("c", "equals_field", field="city"), "In Bonn", 0),
        (Check("c", "equals_field", field="absent"), "", 0),
        (Check("c", "contains_field", field="city"), "in BONN.", 1),
        (Check("c", "contains_field", field="absent"), "in Bonn", 0),
        (Check("c", "number_equals_field", field="sum"), "3 and 4 make 1,234.0", 1),
        (Check("c", "number_equals_field", field="sum"), "1234 of 5", 0),
        (Check("c", "number_equals_field", field="city"), "none", 0),
    ],
)
def test_a_check_scores_an_answer(check: Check, reply: str, expected: float) -> None:
    assert score(check, reply, {"city": "Bonn", "sum": "so #### 1234"}) == expected


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "json"}, "check 1 has no name"),
        ({"name": "a b", "kind": "json"}, "check 1 has no name"),
        ({"name": "a", "kind": "jsonn"}, "kind 'jsonn'"),
        ({"name": "a", "kind": "json", "weihgt": 1}, "no setting 'weihgt'"),
        ({"name": "a", "kind": "json", "weight": 0}, "weight must be a number that is not 0"),
        ({"name": "a", "kind": "json", "weight": float("nan")}, "weight must be a number that is not 0"),
        ({"name": "a", "kind": "json", "value": "x"}, "no use for a value"),
        ({"name": "a", "kind": "contains"}, "needs a value"),
        ({"name": "a", "kind": "max_words", "value": "few"}, "whole number"),
        ({"name": "a", "kind": "matches", "value": "("}, "no regular expression"),
        ({"name": "a", "kind": "json_schema", "value": "{"}, "can't be used"),
        ({"name": "a", "kind": "equals_field"}, "needs a field"),
        ({"name": "a", "kind": "json", "field": "b"}, "no use for a field"),
    ],
)
def test_a_check_that_can_not_be_is_refused_by_name(table: dict[str, object], said: str) -> None:
    with pytest.raises(StudioError, match=said):
        read([table], "studio.toml")


def test_a_project_names_its_checks_and_a_run_keeps_them(tmp_path: Path) -> None:
    create_project(tmp_path / "p")
    with (tmp_path / "p" / "studio.toml").open("a") as file:
        file.write('[[checks]]\nname = "short"\nkind = "max_words"\nvalue = 50\n')
        file.write('[[checks]]\nname = "rude"\nkind = "contains"\nvalue = "fool"\nweight = -2\n')
    checks = open_project(tmp_path / "p").settings.checks
    assert checks == (Check("short", "max_words", "50"), Check("rude", "contains", "fool", weight=-2.0))
    write_checks(tmp_path / "checks.json", chosen(checks, " rude "))
    assert read_checks(tmp_path / "checks.json") == checks[1:]
    assert chosen(checks, "") == checks
    with pytest.raises(StudioError, match="has no check 'kind'"):
        chosen(checks, "kind")
    with pytest.raises(StudioError, match="two checks are named 'short'"):
        read([{"name": "short", "kind": "json"}] * 2, "studio.toml")
    with pytest.raises(StudioError, match="holds no checks"):
        read_checks(tmp_path / "none.json")
