"""Ready-made templates: they say what the import made of the same rows."""

import json
from typing import Any

import pytest

from store import examples
from studio import containers, formats
from studio.errors import StudioError
from studio.importing import import_file
from studio.mapping import Mapping
from studio.reading import first_rows
from studio.settings import TemplateSettings, TurnTemplate
from studio.templates import apply
from studio.templating.few_shot import few_shot_of
from studio.templating.ready import ready_made
from studio.templating.sources import insertable, ready_for

ASKS = {"role": "user", "content": "Why?"}
ANSWERS = {"role": "assistant", "content": "Because."}
WORSE = {"role": "assistant", "content": "No."}

SHAPES: dict[str, dict[str, Any]] = {
    "alpaca": {"instruction": "Add", "input": "1 1", "output": "2"},
    "alpaca without input": {"instruction": "Add", "input": "", "output": "2"},
    "prompt-completion": {"prompt": "Why?", "completion": "Because."},
    "prompt-completion as turns": {"prompt": [ASKS], "completion": [ANSWERS]},
    "messages": {"messages": [ASKS, ANSWERS]},
    "sharegpt": {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]},
    "preference": {"prompt": "Why?", "chosen": "Because.", "rejected": "No."},
    "preference as turns": {"prompt": [ASKS], "chosen": [ANSWERS], "rejected": [WORSE]},
    "preference without a prompt": {"chosen": [ASKS, ANSWERS], "rejected": [ASKS, WORSE]},
    "labelled": {"prompt": "Why?", "completion": "Because.", "label": True},
    "text": {"text": "Once upon a time."},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_has_one_that_makes_what_its_import_makes(shape) -> None:
    sample = [SHAPES[shape]] * 3
    known = formats.detect(sample)
    assert known is not None
    best = ready_made(sample, known.read)[0]
    assert (best.same, best.rows) == (3, 3)


def test_columns_of_no_known_shape_are_guessed() -> None:
    [ready] = ready_made([{"Frage": "Warum?", "antwort": "Darum.", "n": 3}] * 3)
    row = apply(ready.template, {"Frage": "Warum?", "antwort": "Darum.", "n": 3})
    assert [m["content"] for m in row.messages] == ["Warum?", "Darum."]


def test_a_mapping_is_said_as_a_template_however_the_columns_are_called() -> None:
    mapping = Mapping(
        {"prompt": "the question", "response_a": "items", "response_b": "b.text", "verdict": "v"}, {"1": "left"}
    )
    fields = {"the question": "Why?", "items": "A", "b": {"text": "B"}, "v": 1}
    ready = ready_made([fields], mapping=mapping)[0]
    row = apply(ready.template, fields)
    assert row.messages[0]["content"] == "Why?"
    assert [c.messages[0]["content"] for c in row.candidates] == ["A", "B"]
    assert row.verdict == "left"


@pytest.mark.parametrize("name", ["items", "a b", "if", "2nd", "from", "é"])
def test_every_name_of_a_field_can_be_said(name) -> None:
    [(expression, sample)] = insertable({name: "text"})
    made = apply(TemplateSettings(turns=(TurnTemplate("user", expression),)), {name: "text"})
    assert made.messages[0]["content"] == sample == "text"


def test_a_source_of_the_project_has_them(project, store, tmp_path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({**SHAPES["alpaca"], "output": str(n)}) for n in range(5)))
    import_file(project, store, file)
    best = ready_for(store, 1)[0]
    assert best.title.startswith("alpaca")
    assert (best.same, best.rows) == (5, 5)


def test_an_example_is_shown_by_value(store) -> None:
    turns = [{"role": "system", "content": "S"}, ASKS, ANSWERS]
    shown = few_shot_of(store, examples.add(store, record_id=None, messages=turns, split="train"))
    assert [(t.role, t.content) for t in shown.turns] == [("user", "Why?"), ("assistant", "Because.")]
    asked = examples.add(store, record_id=None, messages=[ASKS], split="train")
    with pytest.raises(StudioError, match="not a question with an answer"):
        few_shot_of(store, asked)
    with pytest.raises(StudioError, match="no example 99"):
        few_shot_of(store, 99)


@pytest.mark.parametrize(
    "name",
    [
        "llamafactory_alpaca_en_demo.json",
        "llamafactory_dpo_en_demo.json",
        "llamafactory_kto_en_demo.json",
        "llamafactory_glaive_toolcall_en_demo.json",
    ],
)
def test_real_files_have_one_that_agrees_on_every_row(shared_data, name) -> None:
    path = next(shared_data.rglob(name))
    sample = [row.fields for row in first_rows(containers.read(path, containers.sniff(path))) if row.fields is not None]
    known = formats.detect(sample)
    assert known is not None
    best = ready_made(sample, known.read)[0]
    assert best.same == best.rows == len(sample)
