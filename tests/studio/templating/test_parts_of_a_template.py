"""System prompt, few-shot examples, tools and a schema: parts of every example that a template makes."""

import json

import pytest

from studio.errors import StudioError
from studio.formats.row import RowError
from studio.settings import (
    FewShot,
    FewShotTurn,
    ResponseTemplate,
    TemplateSettings,
    TurnTemplate,
    read_settings,
)
from studio.templates import apply

ASKED = (TurnTemplate("user", "{{ q }}"), TurnTemplate("assistant", "{{ a }}"))
SHOWN = FewShot((FewShotTurn("user", "1+1?"), FewShotTurn("assistant", "2 {{ as it is }}")), 7)
TOOL = {"name": "find", "parameters": {"type": "object", "properties": {"what": {"type": "string"}}}}
SCHEMA = json.dumps({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}})


def test_a_system_prompt_takes_the_place_of_the_records_own() -> None:
    template = TemplateSettings(turns=(TurnTemplate("messages", "m"),), system="Be {{ how }}.")
    record = {"m": [{"role": "system", "content": "old"}, {"role": "user", "content": "Hi"}], "how": "kind"}
    assert [m["content"] for m in apply(template, record).messages] == ["Be kind.", "Hi"]
    blank = TemplateSettings(turns=template.turns, system="{{ '' }}")
    assert apply(blank, record).messages[0]["content"] == "old"


def test_few_shot_examples_stand_before_the_prompt_as_they_are() -> None:
    template = TemplateSettings(turns=ASKED, system="S", few_shot=(SHOWN,))
    made = apply(template, {"q": "2+2?", "a": "4"}).messages
    assert [(m["role"], m["content"]) for m in made] == [
        ("system", "S"),
        ("user", "1+1?"),
        ("assistant", "2 {{ as it is }}"),
        ("user", "2+2?"),
        ("assistant", "4"),
    ]


def test_a_few_shot_example_is_not_shown_to_its_own_record() -> None:
    made = apply(TemplateSettings(turns=ASKED, few_shot=(SHOWN,)), {"q": "1+1?", "a": "2"}).messages
    assert [m["content"] for m in made] == ["1+1?", "2"]


def test_a_few_shot_example_needs_an_answer() -> None:
    template = TemplateSettings(turns=ASKED, few_shot=(FewShot((FewShotTurn("user", "?"),)),))
    with pytest.raises(StudioError, match="answer at its end"):
        apply(template, {"q": "x", "a": "y"})


@pytest.mark.parametrize("tools", [json.dumps([TOOL]), "{{ tools }}"])
def test_tools_are_said_for_all_or_by_the_record(tools) -> None:
    row = apply(TemplateSettings(turns=ASKED, tools=tools), {"q": "x", "a": "y", "tools": [TOOL]})
    assert row.tools == [{"type": "function", "function": TOOL}]


@pytest.mark.parametrize(
    ("tools", "says"),
    [
        ("[{]", "not valid JSON"),
        ("[{}]", "tool 1 has no name"),
        (json.dumps([TOOL, TOOL]), "two tools are called 'find'"),
        (json.dumps([{"name": "f", "parameters": []}]), "no JSON schema of an object"),
        (
            json.dumps([{"name": "f", "parameters": {"properties": {"x": {"type": "strng"}}}}]),
            "no JSON schema: 'strng'",
        ),
        (json.dumps([{"name": "f", "description": 3}]), "description of the tool 'f'"),
    ],
)
def test_tools_that_no_model_could_be_told_of_are_refused(tools, says) -> None:
    with pytest.raises(RowError, match=says):
        apply(TemplateSettings(turns=ASKED, tools=tools), {"q": "x", "a": "y"})


def test_an_answer_fits_the_schema_which_the_texts_can_name() -> None:
    template = TemplateSettings(turns=ASKED, system="Answer by {{ json_schema }}", schema=SCHEMA)
    made = apply(template, {"q": "x", "a": {"n": 3}}).messages
    assert made[0]["content"] == f"Answer by {SCHEMA}"
    assert json.loads(made[-1]["content"]) == {"n": 3}


@pytest.mark.parametrize(
    ("answer", "says"), [("three", "not valid JSON"), ({"n": "3"}, r"at \.n"), ({}, "'n' is a required property")]
)
def test_an_answer_that_does_not_fit_the_schema_is_refused(answer, says) -> None:
    with pytest.raises(RowError, match=says):
        apply(TemplateSettings(turns=ASKED, schema=SCHEMA), {"q": "x", "a": answer})


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ('{"type": }', "line 1, column 10"),
        ("[]", "is an object"),
        ('{"type": "objct"}', "no JSON schema"),
        ('{"$ref": "https://example.org/schema.json"}', "can't be used"),
    ],
)
def test_a_schema_that_is_none_is_told_and_nothing_is_fetched(schema, says) -> None:
    with pytest.raises(StudioError, match=says):
        apply(TemplateSettings(turns=ASKED, schema=schema), {"q": "x", "a": "{}"})


def test_a_label_is_said_by_the_record() -> None:
    template = TemplateSettings(
        turns=(TurnTemplate("prompt", "m"),),
        responses=(ResponseTemplate("{{ m[-1].content }}", label="{{ good | string | lower }}"),),
    )
    record = {"m": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}], "good": True}
    row = apply(template, record)
    assert row.messages == record["m"][:1]
    assert [(c.messages[0]["content"], c.label) for c in row.candidates] == [("Ho", True)]
    with pytest.raises(RowError, match="the label is 'maybe'"):
        apply(template, {**record, "good": "maybe"})


def test_settings_say_all_of_it_and_files_lie_beside_them(tmp_path) -> None:
    (tmp_path / "tools.json").write_text(json.dumps([TOOL]))
    file = tmp_path / "studio.toml"
    file.write_text(
        '[template]\nsystem = "S"\ntools_file = "tools.json"\nschema = "{}"\n'
        '[[template.turns]]\nrole = "user"\ncontent = "{{ q }}"\n'
        '[[template.few_shot]]\nexample = 7\nturns = [{role="user", content="1+1?"}, {role="assistant", content="2"}]\n'
    )
    template = read_settings(file).template
    assert template is not None
    assert (template.system, template.schema, template.tools_file) == ("S", "{}", "tools.json")
    assert template.tools == json.dumps([TOOL])
    assert template.few_shot == (FewShot((FewShotTurn("user", "1+1?"), FewShotTurn("assistant", "2")), 7),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('tools_file = "absent.json"', "names absent.json, which can't be read"),
        ('tools = "[]"\ntools_file = "x"', "has both tools and tools_file"),
        ("[[template.few_shot]]\nexample = 3", "has no turns"),
        ("few_shot = 3", "template.few_shot must be a list of tables"),
    ],
)
def test_a_mistake_in_the_settings_is_told(tmp_path, text, says) -> None:
    file = tmp_path / "studio.toml"
    file.write_text(f"[template]\n{text}\n")
    with pytest.raises(StudioError, match=says):
        read_settings(file)
