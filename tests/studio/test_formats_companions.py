"""What other tools need beside an exported file."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from studio.formats import FORMATS, to_write
from studio.formats.row import PreferenceRow, SftRow
from studio.formats.shape import Format

QUESTION, ANSWER = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
OTHER = {"role": "assistant", "content": "What?"}


def written(shape: Format) -> list[dict[str, Any]]:
    pair = PreferenceRow([QUESTION], [ANSWER], [OTHER])
    return shape.write(SftRow([QUESTION, ANSWER]) if shape.kind == "sft" else pair)


LLAMAFACTORY = {
    "alpaca": {"columns": {"prompt": "instruction", "query": "input", "response": "output"}},
    "llamafactory-ranking-alpaca": {
        "ranking": True,
        "columns": {"prompt": "instruction", "query": "input", "chosen": "chosen", "rejected": "rejected"},
    },
    "llamafactory-kto-alpaca": {
        "columns": {"prompt": "instruction", "query": "input", "response": "output", "kto_tag": "kto_tag"}
    },
    "sharegpt": {"formatting": "sharegpt", "columns": {"messages": "conversations"}},
    "llamafactory-ranking": {
        "formatting": "sharegpt",
        "ranking": True,
        "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
    },
    "llamafactory-kto": {"formatting": "sharegpt", "columns": {"messages": "messages", "kto_tag": "label"}},
    "llamafactory-messages": {"formatting": "sharegpt", "columns": {"messages": "messages"}},
}


@pytest.mark.parametrize("name", LLAMAFACTORY)
def test_llamafactory_is_told_where_everything_is(name: str) -> None:
    shape = to_write(name)
    assert shape.companion is not None
    rows = written(shape)
    companion = shape.companion("my pairs.jsonl", set(rows[0]))
    assert companion.name == "dataset_info.json"
    entries = json.loads(companion.text)
    tags = entries["my pairs"].pop("tags", None)
    assert entries == {"my pairs": {"file_name": "my pairs.jsonl", **LLAMAFACTORY[name]}}
    assert (tags is not None) == ("messages" in rows[0])


def test_columns_that_only_some_files_have_are_named_only_there() -> None:
    shape = to_write("sharegpt")
    assert shape.companion is not None
    with_tools = json.loads(shape.companion("a.jsonl", {"conversations", "tools"}).text)
    assert with_tools["a"]["columns"] == {"messages": "conversations", "tools": "tools"}
    assert json.loads(shape.companion("a.jsonl").text) == with_tools


@pytest.mark.parametrize(
    ("name", "type"), [("axolotl-chat", "chat_template"), ("axolotl-dpo", "chat_template.default")]
)
def test_axolotl_gets_the_settings_that_describe_the_file(name: str, type: str) -> None:
    shape = to_write(name)
    assert shape.companion is not None
    companion = shape.companion('an "odd" näme.jsonl')
    assert companion.name == 'an "odd" näme.jsonl.axolotl.yaml'
    settings = yaml.safe_load(companion.text)
    (data_set,) = settings["datasets"]
    assert (data_set["path"], data_set["ds_type"], data_set["type"]) == ('an "odd" näme.jsonl', "json", type)
    assert data_set["field_messages"] in written(shape)[0]
    assert settings.get("rl") == ("dpo" if name == "axolotl-dpo" else None)


TEXTS = {
    "axolotl-argilla": "chatml.argilla",
    "axolotl-icr": "chatml.icr",
    "axolotl-intel": "chatml.intel",
    "axolotl-prompt-pairs": "chatml.prompt_pairs",
}


@pytest.mark.parametrize("name", TEXTS)
def test_axolotl_is_told_which_columns_hold_the_texts(name: str) -> None:
    shape = to_write(name)
    assert shape.companion is not None
    settings = yaml.safe_load(shape.companion("pairs.jsonl").text)
    (data_set,) = settings["datasets"]
    assert settings["rl"] == "dpo"
    assert data_set == {"path": "pairs.jsonl", "ds_type": "json", "split": "train", "type": TEXTS[name]}


def test_label_studio_gets_an_interface_for_the_tasks() -> None:
    shape = to_write("label-studio")
    assert shape.companion is not None
    view = ElementTree.fromstring(shape.companion("tasks.json").text)
    shown = {element.get("value") for element in view.iter("Text")}
    assert shown == {f"${column}" for column in written(shape)[0]["data"]}


def test_no_other_format_brings_a_file() -> None:
    with_companion = {shape.name for shape in FORMATS if shape.companion}
    assert with_companion == {*LLAMAFACTORY, *TEXTS, "axolotl-chat", "axolotl-dpo", "label-studio"}
