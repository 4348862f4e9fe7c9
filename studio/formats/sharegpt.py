"""ShareGPT: conversations of turns with `from` and `value`, tool calls as turns of their own."""

import json
from typing import Any

from store.examples import Message
from studio.formats.companions import dataset_info
from studio.formats.dialects import weighed
from studio.formats.row import Row, RowError, SftRow
from studio.formats.shape import Fields, Format, every_row, has_any
from studio.formats.turns import parsed, read_call, read_tools, system_turn

SPEAKERS = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "observation": "tool",
    "tool": "tool",
}
WRITTEN = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def detect(sample: list[Fields]) -> bool:
    """Rows with a list of turns under `conversations`, and no second answer beside it."""
    return every_row(sample, lambda f: has_conversation(f) and not has_any(f, "chosen", "rejected", "label", "kto_tag"))


def has_conversation(fields: Fields) -> bool:
    """Tell whether a row has turns with `from` and `value` under `conversations`."""
    turns = fields.get("conversations")
    return isinstance(turns, list) and bool(turns) and all(map(_is_turn, turns))


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and {"from", "value"} <= set(turn)


def read(fields: Fields) -> Row:
    """Read a conversation with its `system` text and its `tools`."""
    messages = conversation(fields)
    turns = fields["conversations"]
    given = len(messages) - len(turns)
    row = weighed(messages[given:], turns, read_tools(fields.get("tools")))
    return row._replace(messages=messages) if given else row


def conversation(fields: Fields) -> list[Message]:
    """Return the turns under `conversations`, after the row's `system` text.

    Raises:
        RowError: a turn is not as this shape has it.
    """
    turns = fields.get("conversations")
    if not isinstance(turns, list) or not turns:
        raise RowError("conversations is no list of turns")
    return system_turn(fields) + [read_turn(turn, f"conversations[{number}]") for number, turn in enumerate(turns)]


def read_turn(turn: Any, where: str) -> Message:
    """Return one turn as a message."""
    speaker = turn.get("from") if isinstance(turn, dict) else None
    value = turn.get("value") if isinstance(turn, dict) else None
    if not isinstance(value, str):
        raise RowError(f"{where} has no text as its value")
    if speaker == "function_call":
        calls = parsed(value, where)
        listed = calls if isinstance(calls, list) else [calls]
        return {"role": "assistant", "content": "", "tool_calls": [read_call(call, where) for call in listed]}
    if not isinstance(speaker, str) or speaker not in SPEAKERS:
        raise RowError(f"{where} is from {str(speaker)[:40]!r}; known are function_call, {', '.join(sorted(SPEAKERS))}")
    return {"role": SPEAKERS[speaker], "content": value}


def write(row: SftRow) -> Fields:
    """Write a conversation that ends with an answer."""
    if row.messages[-1]["role"] != "assistant":
        raise RowError("the conversation does not end with an answer of the assistant")
    return {"conversations": write_turns(row.messages), **write_tools(row.tools)}


def write_turns(messages: list[Message]) -> list[dict[str, str]]:
    """Return messages as turns.

    Raises:
        RowError: two turns of one side follow each other, or a message holds what a turn can't.
    """
    check_by_turns(messages)
    return [write_turn(message) for message in messages]


def check_by_turns(messages: list[Message]) -> None:
    """Make sure that people and tools take turns with the assistant, as LLaMA-Factory checks too.

    Raises:
        RowError: they do not, or a system turn stands further down.
    """
    sides = [m["role"] == "assistant" for m in messages if m["role"] != "system"]
    if sides != [bool(number % 2) for number in range(len(sides))]:
        raise RowError("sharegpt needs the assistant's turns and the others by turns, the other first")
    if any(m["role"] == "system" for m in messages[1:]):
        raise RowError("sharegpt can't say a system turn after the first turn")


def write_turn(message: Message) -> dict[str, str]:
    """Return one message as a turn."""
    extra = sorted(set(message) - {"role", "content", "tool_calls"})
    if extra:
        raise RowError(f"sharegpt can't say {extra[0]}")
    calls = message.get("tool_calls")
    if not calls:
        return {"from": WRITTEN[message["role"]], "value": message["content"]}
    if message["content"]:
        raise RowError("sharegpt can't say a text and a tool call in one turn")
    if any("id" in call for call in calls):
        raise RowError("sharegpt can't say the ids of tool calls")
    said = [call["function"] for call in calls]
    return {"from": "function_call", "value": json.dumps(said[0] if len(said) == 1 else said, ensure_ascii=False)}


def write_tools(tools: list[dict[str, Any]] | None) -> Fields:
    """Return the `tools` column: the functions' descriptions as JSON text."""
    if not tools:
        return {}
    if any(set(tool) != {"type", "function"} or tool["type"] != "function" for tool in tools):
        raise RowError("sharegpt can't say tools that are no functions")
    return {"tools": json.dumps([tool["function"] for tool in tools], ensure_ascii=False)}


SHAREGPT = Format(
    "sharegpt",
    "ShareGPT: conversations of turns with from and value",
    detect,
    read,
    write_sft=write,
    companion=dataset_info({"messages": "conversations", "tools": "tools"}, formatting="sharegpt"),
)

FORMATS = (SHAREGPT,)
