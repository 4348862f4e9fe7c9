"""Every format that is written: what it says reads back equal, and what it can't say it refuses."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from store.pairs import Verdict
from studio.errors import StudioError
from studio.formats import FORMATS, detect, to_read, to_write
from studio.formats.row import LabelledRow, PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format
from studio.mapped_rows import with_meanings
from studio.mapping import read_options

WRITTEN = [f for f in FORMATS if f.kind]

JUDGED = {"pandalm", "auto-j", "llmbar", "alpaca-eval"}
"""Shapes of two answers in an order that says nothing, and which of them is better."""

ONE_QUESTION = {
    *JUDGED,
    "trl-prompt-completion-text",
    "trl-preference-text",
    "trl-kto-text",
    "h2o",
    "label-studio",
}
"""Shapes that hold one question as plain text."""

SYSTEM_AND_QUESTION = {"axolotl-argilla", "axolotl-icr", "axolotl-intel", "axolotl-prompt-pairs"}

WITHOUT_TURNS = ONE_QUESTION | SYSTEM_AND_QUESTION

WITHOUT_SYSTEM = {*ONE_QUESTION, "anthropic-hh"}

CODES: dict[str, dict[str, Verdict]] = {
    "pandalm": {"1": "left", "2": "right", "0": "tie"},
    "auto-j": {"0": "left", "1": "right", "2": "tie"},
    "llmbar": {"1": "left", "2": "right"},
}
"""What the codes mean in the files that these tools publish."""

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
    verdict = first.verdict or first.judgements[0].verdict
    assert verdict in ("left", "right")
    chosen, rejected = first.candidates if verdict == "left" else reversed(first.candidates)
    return PreferenceRow(first.messages, chosen.messages, rejected.messages, first.tools)


def reader(shape: Format) -> Callable[[Fields], Row]:
    """Return how a file of this shape is read once its codes were explained."""
    return with_meanings(shape.read, CODES[shape.name]) if shape.coded else shape.read


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
    assert meaning(list(map(reader(shape), rows))) == row
    found = detect(rows)
    assert found is not None
    assert meaning(list(map(reader(found), rows))) == row


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
    assert meaning(list(map(reader(shape), shape.write(row)))) == row


@pytest.mark.parametrize("name", sorted(WITHOUT_SYSTEM))
def test_a_system_turn_is_refused_where_a_shape_has_no_place_for_it(name: str) -> None:
    prompt, good, bad = [said("system", "Be kind."), said("user", "Hi")], said("assistant", "a"), said("assistant", "b")
    shape = to_write(name)
    row = SftRow([*prompt, good]) if shape.kind == "sft" else PreferenceRow(prompt, [good], [bad])
    with pytest.raises(RowError, match="no system turn"):
        shape.write(row)


def pair(question: str, good: str, bad: str) -> PreferenceRow:
    return PreferenceRow([said("user", question)], [said("assistant", good)], [said("assistant", bad)])


@pytest.mark.parametrize("name", sorted(WITHOUT_TURNS))
def test_earlier_turns_are_refused_where_a_shape_has_no_place_for_them(name: str) -> None:
    prompt = [said("user", "Hi"), said("assistant", "Hello"), said("user", "How are you?")]
    good, bad = said("assistant", "a"), said("assistant", "b")
    shape = to_write(name)
    row = SftRow([*prompt, good]) if shape.kind == "sft" else PreferenceRow(prompt, [good], [bad])
    with pytest.raises(RowError, match=f"{name} holds one question as plain text"):
        shape.write(row)


@pytest.mark.parametrize("name", sorted(JUDGED | SYSTEM_AND_QUESTION | {"argilla", "distilabel"}))
def test_tools_calls_and_answers_of_several_messages_are_refused(name: str) -> None:
    row, write = pair("Hi", "a", "b"), to_write(name).write
    function = {"name": "find", "arguments": {}}
    calls = {**said("assistant", ""), "tool_calls": [{"type": "function", "function": function}]}
    with pytest.raises(RowError, match=f"{name} can't say tools"):
        write(row._replace(tools=[{"type": "function", "function": {"name": "find"}}]))
    with pytest.raises(RowError, match=f"{name} can't say tool_calls"):
        write(row._replace(chosen=[calls]))
    with pytest.raises(RowError, match=f"{name} holds answers of one message only"):
        write(row._replace(rejected=[*row.rejected, *row.chosen]))


@pytest.mark.parametrize("name", sorted(SYSTEM_AND_QUESTION))
def test_an_empty_system_turn_is_refused_where_an_empty_text_is_none(name: str) -> None:
    row = pair("Hi", "a", "b")
    assert to_write(name).write(row)[0]["system"] == ""
    with pytest.raises(RowError, match="empty system turn"):
        to_write(name).write(row._replace(prompt=[said("system", ""), *row.prompt]))


@pytest.mark.parametrize("name", sorted(JUDGED | {"argilla"}))
def test_where_an_answer_stands_says_nothing_of_the_verdict(name: str) -> None:
    shape = to_write(name)
    firsts = []
    for number in range(200):
        row = pair(f"Q{number}", "good", "bad")
        turned = row._replace(chosen=row.rejected, rejected=row.chosen)
        one, other = (reader(shape)(*shape.write(each)) for each in (row, turned))
        assert one.candidates == other.candidates
        assert (meaning([one]), meaning([other])) == (row, turned)
        firsts.append(one.candidates[0].messages[0]["content"])
    assert 70 < firsts.count("good") < 130


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("pandalm", {"annotator1": 1}, {"annotator1": 2}),
        ("auto-j", {"label": 0}, {"label": 1}),
        ("llmbar", {"label": 1}, {"label": 2}),
        ("alpaca-eval", {"preference": 1.0}, {"preference": 2.0}),
    ],
)
def test_verdicts_are_written_in_the_codes_of_the_tool(name: str, first: Fields, second: Fields) -> None:
    shape = to_write(name)
    (one,), (other,) = shape.write(pair("Hi", "a", "b")), shape.write(pair("Hi", "b", "a"))
    if "a" not in [one[key] for key in ("response1", "response 1", "output_1") if key in one]:
        one, other = other, one
    assert {key: one[key] for key in first} == first
    assert {key: other[key] for key in second} == second
    assert {key: one[key] for key in one if key not in first} == {key: other[key] for key in other if key not in second}


@pytest.mark.parametrize("name", sorted(CODES))
def test_who_gets_codes_is_told_how_to_read_them_again(name: str) -> None:
    told = read_options([], re.findall(r"--verdict (\S+=[a-z]+)", to_write(name).note))
    assert told is not None
    assert told.verdicts == {code: means for code, means in CODES[name].items() if means != "tie"}


def test_argillas_answer_is_nobodys_until_a_user_is_put_in() -> None:
    shape = to_write("argilla")
    (fields,) = shape.write(pair("Hi", "a", "b"))
    (answer,) = fields["responses"]["preference"]
    assert fields["fields"][answer["value"]] == "a"
    assert answer["user_id"] in shape.note
    assert shape.read(fields).judgements[0].rater == "Argilla"


def test_distilabels_rows_are_named_by_their_first_question() -> None:
    row = pair("And now?", "a", "b")
    asked = [said("system", "Be kind."), said("user", "Hi \u00e4"), said("assistant", "Hello"), *row.prompt]
    (fields,) = to_write("distilabel").write(row._replace(prompt=asked))
    assert fields["prompt"] == "Hi \u00e4"
    assert fields["prompt_id"] == "c079b489ab7d17e832a9f11ede59a5325a5682610520aa798cef0210ec73786a"
    assert fields["chosen"] == [*asked, said("assistant", "a")]
    with pytest.raises(RowError, match="first question"):
        to_write("distilabel").write(row._replace(prompt=[said("system", "Begin.")]))


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
