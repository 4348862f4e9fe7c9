"""Messages that quote their record say what they said, whatever stands in either."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.quoting import SHORTEST, places, quote, unquote

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
LONG = ANY_TEXT.map(lambda text: text + "x" * SHORTEST)
KEYS = ANY_TEXT | st.sampled_from(["", ".", "a.b", "0", "1", "-1", "content", '["q"]'])
NUMBERS = st.integers() | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT | LONG,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
FIELDS = st.dictionaries(KEYS, VALUES, max_size=4)


@st.composite
def rows(draw: st.DrawFn) -> tuple[dict, list[dict]]:
    """A record's fields with messages, some of whose texts stand in them."""
    fields = draw(FIELDS)
    contents = st.none() | ANY_TEXT | LONG
    if known := list(places(fields)):
        contents |= st.sampled_from(known)
    arguments = VALUES | st.just(["q"])
    messages = st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant"]), "content": contents},
        optional={"tool_calls": st.lists(st.fixed_dictionaries({"function": arguments}), max_size=2), "name": ANY_TEXT},
    )
    return fields, draw(st.lists(messages, max_size=4))


def as_json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


@given(rows(), st.booleans())
@settings(max_examples=500, deadline=None)
def test_what_is_quoted_is_read_back(row, is_csv) -> None:
    fields, messages = row
    before = as_json(messages)
    stored = quote(messages, places(fields))
    assert as_json(messages) == before
    assert stored.isascii()
    raw, kept = ("no JSON", json.dumps(fields)) if is_csv else (json.dumps(fields), None)
    # JSON texts, because a number that is none is not equal to itself.
    assert as_json(unquote(stored, raw, kept)) == before


@given(FIELDS)
def test_each_place_holds_its_text(fields) -> None:
    for text, path in places(fields).items():
        value = fields
        for step in path:
            value = value[step]
        assert value == text
        assert len(text) >= SHORTEST


TEXT = "A text that is longer than thirty-two characters."


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"a.b": TEXT}, ["a.b"]),
        ({"a": {"b": TEXT}, "a.b": TEXT}, ["a", "b"]),
        ({"first": TEXT, "second": TEXT}, ["first"]),
        ({"turns": [{"value": "Hi"}, {"value": TEXT}]}, ["turns", 1, "value"]),
        ({"turns": {"1": TEXT}}, ["turns", "1"]),
        ({"half \ud800": TEXT}, ["half \ud800"]),
    ],
)
def test_a_long_text_is_stored_as_its_place(fields, path) -> None:
    messages = [{"role": "assistant", "content": TEXT}]
    stored = quote(messages, places(fields))
    assert json.loads(stored) == [{"role": "assistant", "content": path}]
    assert unquote(stored, json.dumps(fields), None) == messages


def test_what_stands_nowhere_is_stored_as_it_is() -> None:
    messages = [{"role": "user", "content": TEXT + "!"}, {"role": "user", "content": "short"}]
    for fields in ({}, {"q": TEXT, "a": "short"}):
        stored = quote(messages, places(fields))
        assert json.loads(stored) == messages
        assert unquote(stored, None, None) == messages


def test_numbers_that_no_float_holds_do_no_harm() -> None:
    raw = f'{{"n": 1e400, "m": 123456789012345678901234567890, "t": "{TEXT}", "t": "{TEXT}"}}'
    messages = [{"role": "user", "content": TEXT}]
    assert unquote(quote(messages, places(json.loads(raw))), raw, None) == messages
