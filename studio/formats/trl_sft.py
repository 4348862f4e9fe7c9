"""TRL's shapes for supervised fine-tuning: messages, prompt with completion, plain text."""

import json
from typing import Any

from store.examples import Message
from studio.formats.row import Row, RowError, SftRow
from studio.formats.shape import Fields, Format, every_row
from studio.formats.turns import is_conversation, read_tools, read_turns, split_answer, text_of


def detect_messages(sample: list[Fields]) -> bool:
    """Rows with a conversation under `messages`, and neither a label nor another answer beside it."""
    beside = {"label", "chosen", "rejected", "rejected_response"}
    return every_row(sample, lambda f: is_conversation(f.get("messages")) and not beside & set(f))


def read_messages(fields: Fields) -> Row:
    """Read `{"messages": [...], "tools"?: [...]}`."""
    return Row(read_turns(fields.get("messages"), "messages"), read_tools(fields.get("tools")))


def write_messages(row: SftRow) -> Fields:
    """Write `{"messages": [...]}`, with the tools as JSON text where there are some."""
    return {"messages": row.messages, **tools_as_text(row.tools)}


def tools_as_text(tools: list[dict[str, Any]] | None) -> Fields:
    """Return the `tools` column as TRL reads it.

    As a list of objects, Arrow would give every tool the parameters of all the others, as nulls.
    """
    return {"tools": json.dumps(tools, ensure_ascii=False)} if tools else {}


def detect_completion(sample: list[Fields]) -> bool:
    """Rows with `prompt` and `completion`, both texts or both conversations, and no label."""
    return every_row(sample, lambda f: is_completion(f) and "label" not in f)


def is_completion(fields: Fields) -> bool:
    """Tell whether a row has a prompt and one completion of the same kind."""
    prompt, completion = fields.get("prompt"), fields.get("completion")
    both_texts = isinstance(prompt, str) and isinstance(completion, str)
    return both_texts or (is_conversation(prompt) and is_conversation(completion))


def read_completion(fields: Fields) -> Row:
    """Read `{"prompt": ..., "completion": ...}`."""
    messages = prompt_turns(fields) + answer_turns(fields, "completion")
    return Row(messages, read_tools(fields.get("tools")))


def write_completion(row: SftRow) -> Fields:
    """Write `{"prompt": [...], "completion": [...]}`."""
    prompt, completion = split_answer(row.messages, "the conversation")
    return {"prompt": prompt, "completion": completion, **tools_as_text(row.tools)}


def prompt_turns(fields: Fields) -> list[Message]:
    """Return a row's `prompt`, a text or a conversation, as messages."""
    prompt = fields.get("prompt")
    if isinstance(prompt, list):
        return read_turns(prompt, "prompt")
    return [{"role": "user", "content": text_of(fields, "prompt")}]


def answer_turns(fields: Fields, key: str) -> list[Message]:
    """Return a completion, a text or the assistant's messages, as messages."""
    if not isinstance(fields.get(key), list):
        return [{"role": "assistant", "content": text_of(fields, key)}]
    answer = read_turns(fields[key], key)
    if any(message["role"] not in ("assistant", "tool") for message in answer):
        raise RowError(f"{key} holds a turn that is not the assistant's")
    return answer


def detect_text(sample: list[Fields]) -> bool:
    """Rows with nothing but `text`: with other columns it may as well be something to classify."""
    return every_row(sample, lambda f: set(f) == {"text"} and isinstance(f["text"], str))


def read_text(fields: Fields) -> Row:
    """Read `{"text": ...}`, a text to learn without a prompt."""
    return Row([{"role": "assistant", "content": text_of(fields, "text")}])


MESSAGES = Format(
    "trl-sft", "TRL conversations: messages, tools", detect_messages, read_messages, write_sft=write_messages
)
COMPLETION = Format(
    "trl-prompt-completion",
    "TRL prompt and completion, as texts or messages",
    detect_completion,
    read_completion,
    write_sft=write_completion,
)
TEXT = Format("trl-text", "TRL plain text to learn: text", detect_text, read_text)
