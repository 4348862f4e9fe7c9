"""Every format that is written: what it says reads back equal, and what it can't say it refuses."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from studio.errors import StudioError
from studio.formats import FORMATS, detect, to_read, to_write
from studio.formats.row import LabelledRow, PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format

WRITTEN = [f for f in FORMATS if f.kind]

WITHOUT_TURNS = {
    "trl-prompt-completion-text",
    "trl-preference-text",
    "trl-kto-text",
    "h2o",
    "label-studio",
}
"""Shapes that hold one question as plain text."""

WITHOUT_SYSTEM = {*WITHOUT_TURNS, "anthropic-hh"}

# Every character there is, halves of characters too.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
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


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}


says = turns("assistant", thinking=texts)
calls_tool = st.fixed_dictionaries(
    {
        "role": st.just("assistant"),
        "content": st.just("") | texts,
        "tool_calls": st.lists(calls, min_size=1, max_size=2),
    }
)
plain_answers = turns("assistant").map(lambda turn: [turn])
answers = st.one_of(
    plain_answers, says.map(lambda turn: [turn]), st.tuples(calls_tool, turns("tool", name=texts), says).map(list)
)


@st.composite
def prompts(draw: st.DrawFn) -> list[dict[str, Any]]:
    messages = [draw(turns("system"))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 2))):
        messages += [draw(turns("user", name=texts) | turns("user")), *draw(answers)]
    return [*messages, draw(turns("user"))]


@st.composite
def conversations(draw: st.DrawFn) -> SftRow:
    messages = (draw(prompts()) if draw(st.booleans()) else []) + draw(answers)
    if draw(st.booleans()):
        messages = [{**m, "weight": 0} if m["role"] == "assistant" and draw(st.booleans()) else m for m in messages]
    return SftRow(messages, draw(tools))


@st.composite
def pairs(draw: st.DrawFn) -> PreferenceRow:
    return PreferenceRow(draw(prompts()), draw(answers), draw(answers), draw(tools))


def meaning(rows: Sequence[Row]) -> SftRow | PreferenceRow:
    """Return what rows that were read say, in the words of what was written."""
    first = rows[0]
    if len(rows) == 2:
        good, bad = (row.candidates[0] for row in rows)
        assert (good.label, bad.label) == (True, False)
        assert first.messages == rows[1].messages
        return PreferenceRow(first.messages, good.messages, bad.messages, first.tools)
    if not first.candidates:
        return SftRow(first.messages, first.tools)
    assert (first.verdict or first.judgements[0].verdict) == "left"
    chosen, rejected = first.candidates
    return PreferenceRow(first.messages, chosen.messages, rejected.messages, first.tools)


def through_json(rows: list[Fields]) -> list[Fields]:
    return [json.loads(json.dumps(fields, ensure_ascii=False)) for fields in rows]


@pytest.mark.parametrize("shape", WRITTEN, ids=lambda f: f.name)
@given(data=st.data())
def test_what_is_written_reads_back(shape: Format, data: st.DataObject) -> None:
    row = data.draw(conversations() if shape.kind == "sft" else pairs())
    try:
        rows = through_json(shape.write(row))
    except RowError:
        return  # said in the export's report instead
    assert meaning([shape.read(fields) for fields in rows]) == row
    found = detect(rows)
    assert found is not None
    assert meaning([found.read(fields) for fields in rows]) == row


@pytest.mark.parametrize("shape", WRITTEN, ids=lambda f: f.name)
@given(system=texts.filter(bool), past=st.lists(st.tuples(texts, texts), max_size=2), ask=texts, good=texts, bad=texts)
def test_every_shape_can_say_plain_turns_or_refuses_them_for_what_they_have(
    shape: Format, system: str, past: list[tuple[str, str]], ask: str, good: str, bad: str
) -> None:
    assume(good != bad)
    prompt = [] if shape.name in WITHOUT_SYSTEM else [said("system", system)]
    for question, answer in [] if shape.name in WITHOUT_TURNS else past:
        prompt += [said("user", question), said("assistant", answer)]
    prompt.append(said("user", ask))
    chosen, rejected = ([said("assistant", text)] for text in (good, bad))
    if shape.name == "trl-text":
        prompt = []
    row = SftRow(prompt + chosen) if shape.kind == "sft" else PreferenceRow(prompt, chosen, rejected)
    assert meaning([shape.read(fields) for fields in shape.write(row)]) == row


@pytest.mark.parametrize("name", sorted(WITHOUT_SYSTEM))
def test_a_system_turn_is_refused_where_a_shape_has_no_place_for_it(name: str) -> None:
    prompt, good, bad = [said("system", "Be kind."), said("user", "Hi")], said("assistant", "a"), said("assistant", "b")
    shape = to_write(name)
    row = SftRow([*prompt, good]) if shape.kind == "sft" else PreferenceRow(prompt, [good], [bad])
    with pytest.raises(RowError, match="no system turn"):
        shape.write(row)


@pytest.mark.parametrize(
    "name", ["trl-sft", "trl-prompt-completion", "openai-chat", "axolotl-chat", "llamafactory-v1", "alpaca", "sharegpt"]
)
def test_that_a_message_is_not_to_be_learnt_is_said_or_refused(name: str) -> None:
    row = SftRow(
        [said("user", "a"), {**said("assistant", "b"), "weight": 0}, said("user", "c"), said("assistant", "d")]
    )
    shape = to_write(name)
    if name in ("openai-chat", "axolotl-chat", "llamafactory-v1"):
        assert shape.read(shape.write(row)[0]) == Row(row.messages)
    else:
        with pytest.raises(RowError, match=r"weight|not to be learnt"):
            shape.write(row)


def test_the_weights_of_a_prompt_say_nothing_once_an_answer_stands_apart() -> None:
    asked = [said("user", "a"), {**said("assistant", "b"), "weight": 0}, said("user", "c")]
    row = PreferenceRow(asked, [said("assistant", "good")], [said("assistant", "bad")])
    (fields,) = to_write("trl-preference").write(row)
    assert fields["prompt"][1] == said("assistant", "b")


@pytest.mark.parametrize("name", [f.name for f in FORMATS if f.write_labelled])
def test_a_pair_makes_a_good_and_a_bad_row_and_a_labelled_answer_one(name: str) -> None:
    prompt, good, bad = [said("user", "Hi")], [said("assistant", "a")], [said("assistant", "b")]
    shape = to_write(name)
    pair = [shape.read(fields) for fields in shape.write(PreferenceRow(prompt, good, bad))]
    assert [(row.messages, row.candidates[0].messages, row.candidates[0].label) for row in pair] == [
        (prompt, good, True),
        (prompt, bad, False),
    ]
    single = shape.write(LabelledRow(prompt, bad, False))
    assert [shape.read(fields) for fields in single] == pair[1:]


def test_texts_that_would_be_taken_for_a_header_are_refused() -> None:
    row = PreferenceRow([said("user", "Hi\n\nHuman: again")], [said("assistant", "a")], [said("assistant", "b")])
    with pytest.raises(RowError, match="header"):
        to_write("anthropic-hh").write(row)


def test_answers_that_begin_alike_are_refused_where_the_prompt_is_what_both_begin_with() -> None:
    same = said("assistant", "Let me look.")
    row = PreferenceRow([said("user", "Hi")], [same, said("assistant", "a")], [same, said("assistant", "b")])
    for name in ("trl-preference-implicit", "llamafactory-v1-pairs"):
        with pytest.raises(RowError, match="begin alike"):
            to_write(name).write(row)


def test_a_format_writes_only_its_kind_of_rows() -> None:
    with pytest.raises(TypeError, match="does not write"):
        to_write("trl-sft").write(PreferenceRow([], [], []))
    with pytest.raises(TypeError, match="does not write"):
        to_write("trl-kto").write(SftRow([]))


def test_a_format_that_is_only_read_can_not_be_written() -> None:
    with pytest.raises(StudioError, match="trl-stepwise"):
        to_write("trl-stepwise")
    with pytest.raises(StudioError, match="no format 'nope'"):
        to_read("nope")
