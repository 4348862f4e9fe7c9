"""Every format: what it writes it reads back, and it is known again by its look."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import StudioError
from studio.formats import FORMATS, describe, detect, to_read, to_write
from studio.formats.row import PreferenceRow, Row, RowError, SftRow

QUESTION = {"role": "user", "content": "Where is my order?"}
ANSWER = {"role": "assistant", "content": "On its way."}
OTHER = {"role": "assistant", "content": "Dunno."}
WRITTEN = [f for f in FORMATS if f.kind]

texts = st.text(max_size=20)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, jsons, max_size=3)
calls = st.fixed_dictionaries(
    {
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": texts, "arguments": objects}),
    },
    optional={"id": texts},
)
tools = st.none() | st.lists(
    st.fixed_dictionaries(
        {"type": st.just("function"), "function": st.fixed_dictionaries({"name": texts, "parameters": objects})}
    ),
    min_size=1,
    max_size=2,
)


def turns(role: str, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"role": st.just(role), "content": texts}, optional=optional)


says = turns("assistant", thinking=texts)
calls_tool = st.fixed_dictionaries(
    {
        "role": st.just("assistant"),
        "content": st.just("") | texts,
        "tool_calls": st.lists(calls, min_size=1, max_size=2),
    }
)
plain_answers = turns("assistant").map(lambda turn: [turn])
answers = st.one_of(plain_answers, says.map(lambda turn: [turn]), st.tuples(calls_tool, turns("tool"), says).map(list))


@st.composite
def prompts(draw: st.DrawFn) -> list[dict[str, Any]]:
    messages = [draw(turns("system"))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 2))):
        messages += [draw(turns("user", name=texts) | turns("user")), *draw(answers)]
    return [*messages, draw(turns("user"))]


@st.composite
def sft_rows(draw: st.DrawFn) -> SftRow:
    return SftRow(draw(prompts()) + draw(answers), draw(tools))


@st.composite
def preference_rows(draw: st.DrawFn) -> PreferenceRow:
    return PreferenceRow(draw(prompts()), draw(answers), draw(answers), draw(tools))


def meaning(row: Row) -> SftRow | PreferenceRow:
    if not row.candidates:
        return SftRow(row.messages, row.tools)
    assert row.verdict == "left"
    chosen, rejected = row.candidates
    return PreferenceRow(row.messages, chosen.messages, rejected.messages, row.tools)


@pytest.mark.parametrize("shape", WRITTEN, ids=lambda f: f.name)
@given(data=st.data())
def test_what_is_written_reads_back(shape, data) -> None:
    row = data.draw(sft_rows() if shape.kind == "sft" else preference_rows())
    try:
        fields = json.loads(json.dumps(shape.write(row)))
    except RowError:
        return  # said in the export's report instead
    assert meaning(shape.read(fields)) == row
    found = detect([fields])
    assert found is not None
    assert meaning(found.read(fields)) == row


@pytest.mark.parametrize("shape", WRITTEN, ids=lambda f: f.name)
@given(system=texts.filter(bool), past=st.lists(st.tuples(texts, texts), max_size=2), ask=texts, good=texts, bad=texts)
def test_plain_conversations_can_be_said_in_every_shape(shape, system, past, ask, good, bad) -> None:
    prompt = [{"role": "system", "content": system}]
    for question, answer in past:
        prompt += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    prompt.append({"role": "user", "content": ask})
    chosen, rejected = ([{"role": "assistant", "content": text}] for text in (good, bad))
    row = SftRow(prompt + chosen) if shape.kind == "sft" else PreferenceRow(prompt, chosen, rejected)
    assert meaning(shape.read(shape.write(row))) == row


DETECTED = {
    "trl-sft": {"messages": [QUESTION, ANSWER]},
    "trl-prompt-completion": {"prompt": "The sky is", "completion": " blue."},
    "trl-text": {"text": "Once upon a time"},
    "trl-preference": {"prompt": [QUESTION], "chosen": [ANSWER], "rejected": [OTHER]},
    "trl-preference-implicit": {"prompt": "Where?", "chosen": [QUESTION, ANSWER], "rejected": [QUESTION, OTHER]},
    "trl-kto": {"prompt": "Where?", "completion": "Here.", "label": True},
    "openai-chat": {"messages": [QUESTION, {**ANSWER, "weight": 1}]},
    "openai-preference": {
        "input": {"messages": [QUESTION]},
        "preferred_output": [ANSWER],
        "non_preferred_output": [OTHER],
    },
    "alpaca": {"instruction": "Translate", "input": "chat", "output": "cat"},
    "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
    "llamafactory-ranking": {
        "conversations": [{"from": "human", "value": "Hi"}],
        "chosen": {"from": "gpt", "value": "Hello"},
        "rejected": {"from": "gpt", "value": "What?"},
    },
    "llamafactory-ranking-alpaca": {"instruction": "Hi", "input": "", "chosen": "Hello", "rejected": "What?"},
    "llamafactory-kto": {"messages": [QUESTION, ANSWER], "label": False},
}


KEYS = sorted({key for row in DETECTED.values() for key in row} | {"tools", "system", "history"})
messy_turns = st.lists(
    st.dictionaries(st.sampled_from(["role", "content", "from", "value", "tool_calls"]), jsons, max_size=4), max_size=3
)


@pytest.mark.parametrize("shape", FORMATS, ids=lambda f: f.name)
@given(fields=st.dictionaries(st.sampled_from(KEYS), jsons | messy_turns, max_size=6))
def test_a_spoilt_row_is_refused_with_a_reason(shape, fields) -> None:
    shape.detect([fields])
    with suppress(RowError):
        assert shape.read(fields).messages


def test_every_format_has_a_row_to_be_known_by() -> None:
    assert set(DETECTED) == {f.name for f in FORMATS} == {info.name for info in describe()}


@pytest.mark.parametrize("name", DETECTED)
def test_a_format_is_known_by_its_rows(name) -> None:
    found = detect([DETECTED[name]] * 5)
    assert found is not None
    assert found.name == name
    assert found.read(DETECTED[name]).messages


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Where is my card?", "category": "card_arrival"},
        {"instruction": "Rewrite", "input": "this", "response1": "a", "response2": "b", "annotator1": 2},
        {"question": "2+2?", "ground_truth": "4"},
        {"messages": "not a list"},
    ],
)
def test_unknown_shapes_are_not_guessed_at(fields) -> None:
    assert detect([fields]) is None


def test_a_few_spoilt_rows_do_not_hide_the_format() -> None:
    found = detect([{"messages": [QUESTION, ANSWER]}] * 9 + [{"oops": 1}])
    assert found is not None
    assert found.name == "trl-sft"


def test_labels_of_single_answers_go_to_the_candidate() -> None:
    row = to_read("llamafactory-kto").read({"messages": [QUESTION, ANSWER], "label": False})
    assert row.messages == [QUESTION]
    assert [(c.messages, c.label) for c in row.candidates] == [([ANSWER], False)]
    assert row.verdict is None


def test_the_shared_beginning_is_the_implicit_prompt_even_where_both_answers_are_equal() -> None:
    same = {"chosen": [QUESTION, ANSWER], "rejected": [QUESTION, ANSWER]}
    row = to_read("trl-preference-implicit").read(same)
    assert row.messages == [QUESTION]
    assert [c.messages for c in row.candidates] == [[ANSWER], [ANSWER]]


def test_preferences_that_share_no_prompt_are_refused() -> None:
    spoilt = {"chosen": [QUESTION, ANSWER], "rejected": [{"role": "user", "content": "Another"}, OTHER]}
    with pytest.raises(RowError, match="do not share"):
        to_read("trl-preference-implicit").read(spoilt)


def test_openai_arguments_become_objects_and_content_parts_one_text() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"id": 7}'}}
    row = to_read("openai-chat").read(
        {
            "messages": [
                {"role": "developer", "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "kind."}]},
                QUESTION,
                {"role": "assistant", "content": None, "tool_calls": [call]},
            ]
        }
    )
    assert row.messages[0] == {"role": "system", "content": "Be kind."}
    assert row.messages[2]["tool_calls"][0]["function"]["arguments"] == {"id": 7}


def test_pictures_are_refused_and_not_dropped() -> None:
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}
    with pytest.raises(RowError, match="besides text"):
        to_read("trl-sft").read({"messages": [picture, ANSWER]})


def test_a_format_that_is_only_read_can_not_be_written() -> None:
    with pytest.raises(StudioError, match="trl-kto"):
        to_write("trl-kto")
    with pytest.raises(StudioError, match="no format 'nope'"):
        to_read("nope")
