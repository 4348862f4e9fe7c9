"""Which messages a file says are not to be learnt, and whose way of saying it that is."""

from typing import Any, Literal

from store.examples import Message
from studio.formats.row import Row
from studio.formats.shape import Fields
from studio.formats.turns import is_conversation, read_tools, read_turns

Dialect = Literal["trl", "openai", "axolotl", "llamafactory-v1"]

FLAGS = ("weight", "train", "loss_weight")
"""What OpenAI, Axolotl and LLaMA-Factory v1 call it; 0 or false is not to be learnt."""

DETAILS = ("train_detail", "training_detail")

_MARKED_PARTS = "it marks parts of a message to be learnt or not, which only the record keeps"


def dialect(sample: list[Fields]) -> Dialect:
    """Return whose conversations those under `messages` are; TRL's where nothing is said that only others say."""
    turns = [turn for fields in sample if is_conversation(fields.get("messages")) for turn in fields["messages"]]
    keys = {key for turn in turns for key in turn}
    if "loss_weight" in keys:
        return "llamafactory-v1"
    if {"train", *DETAILS} & keys or any(map(_has_marked_part, turns)):
        return "axolotl"
    has_openai_keys = "weight" in keys or any("parallel_tool_calls" in fields for fields in sample)
    return "openai" if has_openai_keys or any(map(_calls_with_text, turns)) else "trl"


def _has_marked_part(turn: Fields) -> bool:
    parts = turn.get("content")
    return isinstance(parts, list) and any(isinstance(part, dict) and "train" in part for part in parts)


def _calls_with_text(turn: Fields) -> bool:
    calls = turn.get("tool_calls")
    first = calls[0] if isinstance(calls, list) and calls else None
    function = first.get("function") if isinstance(first, dict) else None
    return isinstance(function, dict) and isinstance(function.get("arguments"), str)


def read(fields: Fields) -> Row:
    """Read `{"messages": [...], "tools"?: ...}`; an answer that is not to be learnt gets the weight 0."""
    messages = read_turns(fields.get("messages"), "messages")
    return weighed(messages, fields["messages"], read_tools(fields.get("tools")))


def weighed(messages: list[Message], turns: list[Any], tools: list[dict[str, Any]] | None) -> Row:
    """Return a conversation with the weights that its turns, as the file has them, say."""
    problems = [_weigh(message, turn) for message, turn in zip(messages, turns, strict=True) if len(turn) > 2]
    if any(map(_has_marked_part, turns)):
        problems.append(_MARKED_PARTS)
    if messages[-1].get("weight") == 0:
        problems.append("its last answer is marked as not to be learnt")
    return Row(messages, tools, problem=next(filter(None, problems), None))


def _weigh(message: Message, turn: Fields) -> str | None:
    """Give a message its weight; return what can't be said so."""
    said = [turn[flag] for flag in FLAGS if turn.get(flag) is not None]
    if any(turn.get(detail) for detail in DETAILS):
        return _MARKED_PARTS
    if any(flag not in (0, 1) for flag in said):
        return "it gives a message a weight other than 0 and 1, which only the record keeps"
    if message["role"] == "assistant" and 0 in said:
        message["weight"] = 0
    if message["role"] != "assistant" and 1 in said:
        return "it marks a turn to be learnt that is not the assistant's, which only the record keeps"
    return None
