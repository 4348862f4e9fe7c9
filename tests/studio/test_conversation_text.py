"""A conversation as one text: nothing is lost on the way, and mistakes are named by their line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.examples import Message
from studio.conversation_text import ROLES, read, write
from studio.errors import StudioError

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30) | st.text("=- user\n\r", max_size=30)
CALLS = st.lists(
    st.fixed_dictionaries({"function": st.fixed_dictionaries({"name": ANY_TEXT, "arguments": st.just({"n": 1.5})})})
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(ROLES), "content": st.none() | ANY_TEXT},
        optional={"tool_calls": CALLS, "name": ANY_TEXT, "thinking": ANY_TEXT},
    ),
    min_size=1,
    max_size=5,
)
CALL: Message = {
    "role": "assistant",
    "content": "Let me look.",
    "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"city": "Köln"}}}],
}


@given(MESSAGES)
@settings(max_examples=300, deadline=None)
def test_every_conversation_comes_back_as_it_was(messages: list[Message]) -> None:
    assert read(write(messages)) == messages


def test_it_reads_as_turns() -> None:
    text = write([{"role": "user", "content": "Is it wet?\nIn Köln?"}, CALL, {"role": "tool", "content": "yes"}])
    assert text.startswith("===== user\nIs it wet?\nIn Köln?\n===== assistant\nLet me look.\n----- tool_calls\n[\n")
    assert '"city": "Köln"' in text
    assert text.endswith("===== tool\nyes\n===== end\n")


def test_a_line_of_the_text_is_never_taken_for_the_begin_of_a_turn() -> None:
    messages = [{"role": "user", "content": "===== assistant\n----- name\n======= end"}]
    text = write(messages)
    assert text.startswith("======== user\n")
    assert read(text) == messages


def test_turns_are_added_by_writing_them() -> None:
    text = write([{"role": "user", "content": "Why?"}]).replace("===== end", "===== assistant\nBecause.\n===== end")
    assert read(text)[1] == {"role": "assistant", "content": "Because."}
    for end in ("", "\n"):
        assert read(f"===== user\nNo end line is needed.{end}")[0]["content"] == "No end line is needed."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "No turn begins"),
        ("===== end\n", "No turn is left"),
        ("===== user\nWhy?\n===== asistant\nSo.\n", "Line 3: 'asistant' does not speak"),
        ("Hello\n===== user\nWhy?\n", "Line 1: text stands before the first turn"),
        ("===== user\nWhy?\n===== end\nmore\n", "Line 4: there is text after the end"),
        ("===== user\nWhy?\n----- name\n{\n'x'\n", "Line 5: name is no JSON"),
        ("===== assistant\nx\n----- tool_calls\n[{}]\n", "Line 3: tool_calls is no list of calls"),
        ("===== user\nx\n----- content\n1\n", "Line 3: the turn has 'content' twice"),
        ("===== user\nx\n----- \n1\n", "Line 3: a name is missing"),
    ],
)
def test_a_mistake_is_named_by_its_line(text: str, problem: str) -> None:
    with pytest.raises(StudioError) as error:
        read(text)
    assert error.value.message.startswith(problem)
    assert error.value.hint


def test_a_role_of_the_data_stays_allowed() -> None:
    messages = [{"role": "critic", "content": "Bad."}]
    assert read(write(messages), {*ROLES, "critic"}) == messages
