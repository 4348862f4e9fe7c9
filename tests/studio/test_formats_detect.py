"""Each format is known by its rows, and by no other's."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.formats import FORMATS, describe, detect, to_read
from studio.formats.row import RowError
from studio.formats.shape import Fields, Format, never

QUESTION = {"role": "user", "content": "Where is my order?"}
ANSWER = {"role": "assistant", "content": "On its way."}
OTHER = {"role": "assistant", "content": "Dunno."}
HUMAN, GPT = {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"id": 7}'}}
PART = {"type": "text", "value": "Hello"}

TASK = {"prompt": "Hi", "answer1": "Hello", "answer2": "What?"}
RATED = {"model": "m", "response": "Hello", "annotations": {"helpfulness": {"Rating": "4", "Rationale": "fine"}}}
ASKED = {"prompt": "Hi", "response1": "Hello", "response2": "What?"}

SAMPLES: list[tuple[str, Fields]] = [
    ("trl-sft", {"messages": [QUESTION, ANSWER]}),
    ("trl-sft", {"messages": [QUESTION, ANSWER], "tools": "[]", "source": "web"}),
    ("trl-prompt-completion", {"prompt": "The sky is", "completion": " blue."}),
    ("trl-prompt-completion", {"prompt": [QUESTION], "completion": [ANSWER]}),
    ("trl-prompt-completion", {"prompt": "The sky is", "completion": " blue.", "label": None, "tools": None}),
    ("trl-text", {"text": "Once upon a time"}),
    ("trl-preference", {"prompt": "Hi", "chosen": "Hello", "rejected": "What?"}),
    ("trl-preference", {"prompt": "Hi", "chosen": "Hello", "rejected": "What?", "system": None}),
    ("trl-preference", {"prompt": [QUESTION], "chosen": [ANSWER], "rejected": [OTHER], "score_chosen": 4.5}),
    ("trl-preference-implicit", {"chosen": [QUESTION, ANSWER], "rejected": [QUESTION, OTHER]}),
    (
        "trl-preference-implicit",
        {
            "prompt": "Where?",
            "prompt_id": "f00",
            "messages": [QUESTION, ANSWER],
            "chosen": [QUESTION, ANSWER],
            "rejected": [QUESTION, OTHER],
            "score_chosen": 8.0,
        },
    ),
    ("trl-preference-implicit", {"chosen": "Hi. Hello.", "rejected": "Hi. What?"}),
    ("trl-kto", {"prompt": "Where?", "completion": "Here.", "label": True}),
    ("trl-kto", {"prompt": "Where?", "completion": "Here.", "label": "False"}),
    ("trl-stepwise", {"prompt": "2+2?", "completions": ["2+2", "=4"], "labels": [True, True]}),
    ("openai-chat", {"messages": [QUESTION, {**ANSWER, "weight": 1}]}),
    ("openai-chat", {"messages": [QUESTION, {"role": "assistant", "content": None, "tool_calls": [CALL]}]}),
    ("openai-chat", {"messages": [QUESTION, ANSWER], "parallel_tool_calls": False}),
    (
        "openai-preference",
        {"input": {"messages": [QUESTION]}, "preferred_output": [ANSWER], "non_preferred_output": [OTHER]},
    ),
    ("alpaca", {"instruction": "Translate", "input": "chat", "output": "cat"}),
    ("alpaca", {"instruction": "Hi", "response": "Hello"}),
    ("alpaca", {"instruction": "Hi", "input": "", "output": "Hello", "system": "", "history": []}),
    ("llamafactory-ranking-alpaca", {"instruction": "Hi", "input": "", "chosen": "Hello", "rejected": "What?"}),
    ("llamafactory-kto-alpaca", {"instruction": "Hi", "input": "", "output": "Hello", "kto_tag": True}),
    ("sharegpt", {"conversations": [HUMAN, GPT]}),
    ("sharegpt", {"id": "1", "conversations": [HUMAN, {**GPT, "train": False}], "system": "Be kind.", "tools": "[]"}),
    ("llamafactory-ranking", {"conversations": [HUMAN], "chosen": GPT, "rejected": GPT}),
    ("llamafactory-kto", {"messages": [QUESTION, ANSWER], "label": False}),
    ("llamafactory-kto", {"conversations": [HUMAN, GPT], "kto_tag": True}),
    (
        "llamafactory-v1",
        {"messages": [{"role": "user", "content": [PART], "loss_weight": 0.0}, {**ANSWER, "loss_weight": 1.0}]},
    ),
    ("llamafactory-v1-pairs", {"chosen_messages": [QUESTION, ANSWER], "rejected_messages": [QUESTION, OTHER]}),
    ("axolotl-chat", {"messages": [QUESTION, {**ANSWER, "train": False}]}),
    ("axolotl-chat", {"messages": [QUESTION, {"role": "assistant", "content": [{**PART, "train": True}]}]}),
    ("axolotl-dpo", {"messages": [QUESTION], "chosen": ANSWER, "rejected": OTHER}),
    ("axolotl-argilla", {"system": "", "instruction": "Hi", "chosen_response": "Hello", "rejected_response": "What?"}),
    ("axolotl-icr", {"system": "Be kind.", "input": "Hi", "chosen": "Hello", "rejected": "What?"}),
    ("axolotl-intel", {"system": "Be kind.", "question": "Hi", "chosen": "Hello", "rejected": "What?"}),
    ("axolotl-prompt-pairs", {"system": "Be kind.", "prompt": "Hi", "chosen": "Hello", "rejected": "What?"}),
    (
        "anthropic-hh",
        {"chosen": "\n\nHuman: Hi\n\nAssistant: Hello", "rejected": "\n\nHuman: Hi\n\nAssistant: What?"},
    ),
    ("h2o", {"prompt": "Hi", "answer": "Hello", "rejected answer": "What?", "id": "1", "parent_id": None}),
    ("swift", {"messages": [QUESTION, ANSWER], "rejected_response": "Dunno."}),
    ("label-studio", {"id": 1, "data": TASK, "annotations": [], "drafts": [], "predictions": []}),
    ("label-studio", TASK),
    ("argilla", {"fields": ASKED, "suggestions": {}, "responses": {}, "metadata": {}, "id": "1"}),
    ("argilla", {**ASKED, "better.responses": ["response1"], "better.responses.status": ["submitted"]}),
    ("ultrafeedback", {"source": "web", "instruction": "Hi", "models": ["m"], "completions": [RATED] * 4}),
    (
        "distilabel",
        {
            "prompt": "Hi",
            "prompt_id": "f00",
            "chosen": [QUESTION, ANSWER],
            "chosen_model": "m",
            "chosen_rating": 5.0,
            "rejected": [QUESTION, OTHER],
            "rejected_model": "n",
            "rejected_rating": 2.0,
        },
    ),
    (
        "distilabel",
        {"prompt": [QUESTION], "chosen": [ANSWER], "chosen_model": "m", "rejected": [OTHER], "rejected_model": "n"},
    ),
    ("pandalm", {"idx": 0, "instruction": "Hi", "input": "", "response1": "a", "response2": "b", "annotator1": 2}),
    ("auto-j", {"scenario": "chat", "label": 0, "prompt": "Hi", "response 1": "a", "response 2": "b"}),
    ("llmbar", {"input": "Hi", "output_1": "a", "output_2": "b", "label": 1}),
    (
        "alpaca-eval",
        {"instruction": "Hi", "output_1": "a", "generator_1": "m", "output_2": "b", "preference": 2.0},
    ),
    (
        "arena",
        {
            "model_a": "m",
            "model_b": "n",
            "winner": "model_a",
            "conversation_a": [QUESTION, ANSWER],
            "conversation_b": [QUESTION, OTHER],
        },
    ),
]


@pytest.mark.parametrize(("name", "fields"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_exactly_one_format_knows_its_rows(name: str, fields: Fields) -> None:
    assert [shape.name for shape in FORMATS if shape.detect([fields] * 5)] == [name]
    found = detect([fields] * 5)
    assert found is not None
    assert found.name == name


def test_every_format_has_a_row_to_be_known_by_unless_another_reads_what_it_writes() -> None:
    assert {name for name, _ in SAMPLES} == {shape.name for shape in FORMATS if shape.detect is not never}
    names = [info.name for info in describe() if info.reads or info.writes]
    assert len(set(names)) == len(names) == len(FORMATS)


def test_every_known_row_means_something() -> None:
    refused = {"trl-preference-implicit"}  # texts that share their prompt have no known end of it
    for name, fields in SAMPLES:
        try:
            assert to_read(name).read(fields).messages, name
        except RowError:
            assert name in refused
            assert isinstance(fields["chosen"], str)


def test_the_manual_lists_every_format_with_what_it_does() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "data-formats.md").read_text(encoding="utf-8").splitlines()
    cells = [line.split("|") for line in lines if line.startswith("| `")]
    done = {name.strip(" `"): does.strip() for _, name, does, *_ in cells}
    beside = {name.strip(" `") for _, name, *_, file, _ in cells if file.strip()}
    assert done == {f.name: ("" if f.detect is never else "R") + ("W" if f.kind else "") for f in FORMATS}
    assert beside == {f.name for f in FORMATS if f.companion}


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Where is my card?", "category": "card_arrival"},
        {"question": "2+2?", "ground_truth": "4"},
        {"messages": "not a list"},
        {"prompt": "Hi", "response_a": "a", "response_b": "b", "winner": "a"},
        {"instruction": "Rewrite", "input": "this", "response1": "a", "response2": "b"},
        {},
    ],
)
def test_unknown_shapes_are_not_guessed_at(fields: Fields) -> None:
    assert detect([fields]) is None


def test_a_system_text_in_some_rows_is_enough() -> None:
    row = {"prompt": "Hi", "chosen": "Hello", "rejected": "What?"}
    found = detect([row, row, {**row, "system": "Be kind."}])
    assert found is not None
    assert [turn["role"] for turn in found.read({**row, "system": "Be kind."}).messages] == ["system", "user"]
    assert [turn["role"] for turn in found.read(row).messages] == ["user"]


def test_a_few_spoilt_rows_do_not_hide_the_format() -> None:
    found = detect([{"messages": [QUESTION, ANSWER]}] * 9 + [{"oops": 1}])
    assert found is not None
    assert found.name == "trl-sft"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("llamafactory_alpaca_en_demo.json", "alpaca"),
        ("llamafactory_identity.json", "alpaca"),
        ("llamafactory_dpo_en_demo.json", "llamafactory-ranking"),
        ("llamafactory_dpo_zh_demo.json", "llamafactory-ranking"),
        ("llamafactory_glaive_toolcall_en_demo.json", "sharegpt"),
        ("llamafactory_kto_en_demo.json", "llamafactory-kto"),
        ("pandalm_testset_v1.json", "pandalm"),
        ("gsm8k_example_model_solutions.jsonl", None),
    ],
)
def test_real_files_are_known_for_what_they_are(shared_data: Path, file: str, name: str | None) -> None:
    data = (shared_data / file).read_bytes()
    rows = list(map(orjson.loads, data.splitlines())) if file.endswith("l") else orjson.loads(data)
    for sample in (rows[:200], rows[-200:]):
        found = [shape.name for shape in FORMATS if shape.detect(sample)]
        assert found == ([name] if name else [])
    if name in ("alpaca", "llamafactory-ranking", "sharegpt", "llamafactory-kto"):
        shape = to_read(name)
        assert all(shape.read(fields).messages for fields in rows)


KEYS = sorted({key for _, row in SAMPLES for key in row} | {"history", "fields", "responses", "data"})
jsons: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TURN_KEYS = ["role", "content", "from", "value", "tool_calls", "weight", "train", "loss_weight", "response", "result"]
messy_turns = st.lists(st.dictionaries(st.sampled_from(TURN_KEYS), jsons, max_size=4), max_size=3)
messy = jsons | messy_turns | st.dictionaries(st.sampled_from(KEYS), jsons, max_size=3)


@pytest.mark.parametrize("shape", FORMATS, ids=lambda f: f.name)
@given(data=st.data())
def test_a_spoilt_row_is_refused_with_a_reason(shape: Format, data: st.DataObject) -> None:
    typical = next((row for name, row in SAMPLES if name == shape.name), {})
    fields = {**typical, **data.draw(st.dictionaries(st.sampled_from(sorted(typical) or KEYS), messy, max_size=4))}
    fields.update(data.draw(st.dictionaries(st.sampled_from(KEYS), messy, max_size=3)))
    shape.detect([fields])
    with suppress(RowError):
        assert shape.read(fields).messages
