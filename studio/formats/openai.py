"""OpenAI's fine-tuning files: chats, and pairs of a preferred and a non-preferred answer."""

import json
from typing import Any

from store.examples import Message
from studio.formats.dialects import dialect
from studio.formats.dialects import read as read_chat
from studio.formats.pairing import chosen_over_rejected, single_answers
from studio.formats.row import PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format, every_row
from studio.formats.trl_sft import answer_turns, is_chat
from studio.formats.turns import read_tools, read_turns

NOTE = (
    "OpenAI takes no new fine-tuning jobs after 2027-01-06 (its deprecations page); "
    "Together, Fireworks and Azure read this shape."
)


def detect_chat(sample: list[Fields]) -> bool:
    """Conversations with a sign of OpenAI's own: else TRL's shape, which reads the same, has the name."""
    return is_chat(sample) and dialect(sample) == "openai"


def write_chat(row: SftRow) -> Fields:
    """Write `{"messages": [...], "tools"?: [...]}`."""
    if row.messages[-1]["role"] != "assistant":
        raise RowError("the conversation does not end with an answer of the assistant")
    return {"messages": [_write_turn(turn) for turn in row.messages], **({"tools": row.tools} if row.tools else {})}


def detect_preference(sample: list[Fields]) -> bool:
    """Rows with input, preferred_output and non_preferred_output."""
    return every_row(
        sample, lambda f: isinstance(f.get("input"), dict) and {"preferred_output", "non_preferred_output"} <= set(f)
    )


def read_preference(fields: Fields) -> Row:
    """Read a prompt under `input.messages` with its two outputs."""
    given = fields.get("input")
    if not isinstance(given, dict):
        raise RowError("input is no object with messages")
    return chosen_over_rejected(
        read_turns(given.get("messages"), "input.messages"),
        answer_turns(fields, "preferred_output"),
        answer_turns(fields, "non_preferred_output"),
        read_tools(given.get("tools")),
    )


def write_preference(row: PreferenceRow) -> Fields:
    """Write a pair; this shape holds exactly one message of the assistant on each side."""
    chosen, rejected = single_answers(row, "openai-preference")
    given: Fields = {"messages": [_write_turn(turn) for turn in row.prompt]}
    return {
        "input": {**given, "tools": row.tools} if row.tools else given,
        "preferred_output": [_write_turn(chosen)],
        "non_preferred_output": [_write_turn(rejected)],
    }


def _write_turn(turn: Message) -> Message:
    unsaid = {"thinking", "reasoning_content"} & set(turn)
    if unsaid:
        raise RowError(f"OpenAI's shapes can't say {unsaid.pop()}")
    if "tool_calls" not in turn:
        return turn
    return {**turn, "tool_calls": [_write_call(call) for call in turn["tool_calls"]]}


def _write_call(call: dict[str, Any]) -> dict[str, Any]:
    if "id" not in call:
        raise RowError("OpenAI's shapes need an id for each tool call")
    function = call["function"]
    arguments = json.dumps(function["arguments"], ensure_ascii=False)
    return {**call, "function": {**function, "arguments": arguments}}


CHAT = Format(
    "openai-chat",
    "OpenAI chats: messages, tools, with arguments as text",
    detect_chat,
    read_chat,
    write_sft=write_chat,
    note=NOTE,
)
PREFERENCE = Format(
    "openai-preference",
    "OpenAI preferences: input, preferred_output, non_preferred_output",
    detect_preference,
    read_preference,
    write_preference=write_preference,
    note=NOTE,
)

FORMATS = (CHAT, PREFERENCE)
