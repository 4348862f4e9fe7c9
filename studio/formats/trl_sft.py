"""TRL's shapes for supervised fine-tuning: messages, prompt with completion, plain text."""

import json
from typing import Any

from store.examples import Message
from studio.formats.dialects import dialect
from studio.formats.dialects import read as read_messages
from studio.formats.plain_text import answer_of, asks, only_answer, only_question
from studio.formats.row import Row, RowError, SftRow
from studio.formats.shape import Fields, Format, are_texts, every_row, has_any, never
from studio.formats.turns import is_conversation, read_tools, read_turns, split_answer, text_of


def is_chat(sample: list[Fields]) -> bool:
    """Tell whether rows have a conversation under `messages`, and neither a label nor another answer beside it."""
    beside = ("label", "kto_tag", "chosen", "rejected", "rejected_response")
    return every_row(sample, lambda f: is_conversation(f.get("messages")) and not has_any(f, *beside))


def detect_messages(sample: list[Fields]) -> bool:
    """Conversations under `messages` that say nothing which only other tools read."""
    return is_chat(sample) and dialect(sample) == "trl"


def write_messages(row: SftRow) -> Fields:
    """Write `{"messages": [...]}`, with the tools as JSON text where there are some."""
    all_learnt(row.messages, "trl-sft")
    return {"messages": row.messages, **tools_as_text(row.tools)}


def all_learnt(messages: list[Message], shape: str) -> None:
    """Make sure that no message is marked as not to be learnt.

    Raises:
        RowError: one is, and the shape has no word for it.
    """
    if any("weight" in message for message in messages):
        raise RowError(f"{shape} can't say that a message is not to be learnt")


def tools_as_text(tools: list[dict[str, Any]] | None) -> Fields:
    """Return the `tools` column as TRL reads it.

    As a list of objects, Arrow would give every tool the parameters of all the others, as nulls.
    """
    return {"tools": json.dumps(tools, ensure_ascii=False)} if tools else {}


def detect_completion(sample: list[Fields]) -> bool:
    """Rows with `prompt` and `completion`, both texts or both conversations, and no label."""
    return every_row(sample, lambda f: is_completion(f) and not has_any(f, "label"))


def is_completion(fields: Fields) -> bool:
    """Tell whether a row has a prompt and one completion of the same kind."""
    both_are_turns = is_conversation(fields.get("prompt")) and is_conversation(fields.get("completion"))
    return both_are_turns or are_texts(fields, "prompt", "completion")


def read_completion(fields: Fields) -> Row:
    """Read `{"prompt": ..., "completion": ...}`."""
    messages = prompt_turns(fields) + answer_turns(fields, "completion")
    return Row(messages, read_tools(fields.get("tools")))


def write_completion(row: SftRow) -> Fields:
    """Write `{"prompt": [...], "completion": [...]}`."""
    all_learnt(row.messages, "trl-prompt-completion")
    prompt, completion = split_answer(row.messages, "the conversation")
    return {"prompt": prompt, "completion": completion, **tools_as_text(row.tools)}


def write_completion_text(row: SftRow) -> Fields:
    """Write `{"prompt": "...", "completion": "..."}`: a question and its answer as plain texts."""
    prompt, completion = split_answer(row.messages, "the conversation")
    shape = "trl-prompt-completion-text"
    return {"prompt": only_question(prompt, row.tools, shape), "completion": only_answer(completion, shape)}


def prompt_turns(fields: Fields) -> list[Message]:
    """Return a row's `prompt`, a text or a conversation, as messages."""
    prompt = fields.get("prompt")
    return read_turns(prompt, "prompt") if isinstance(prompt, list) else [asks(text_of(fields, "prompt"))]


def answer_turns(fields: Fields, key: str) -> list[Message]:
    """Return a completion, a text or the assistant's messages, as messages."""
    if not isinstance(fields.get(key), list):
        return answer_of(fields, key)
    answer = read_turns(fields[key], key)
    if any(message["role"] not in ("assistant", "tool") for message in answer):
        raise RowError(f"{key} holds a turn that is not the assistant's")
    return answer


def detect_text(sample: list[Fields]) -> bool:
    """Rows with nothing but `text`: with other columns it may as well be something to classify."""
    return every_row(sample, lambda f: set(f) == {"text"} and isinstance(f["text"], str))


def read_text(fields: Fields) -> Row:
    """Read `{"text": ...}`, a text to learn without a prompt."""
    return Row(answer_of(fields, "text"))


def write_text(row: SftRow) -> Fields:
    """Write `{"text": ...}`; turns would need a chat template, which belongs to a model and not to a data set."""
    if len(row.messages) != 1 or row.tools:
        raise RowError("trl-text holds a text without a prompt: it can't say turns or tools")
    return {"text": only_answer(row.messages, "trl-text")}


MESSAGES = Format(
    "trl-sft", "TRL conversations: messages, tools", detect_messages, read_messages, write_sft=write_messages
)
COMPLETION = Format(
    "trl-prompt-completion",
    "TRL prompt and completion, as texts or messages; written as messages",
    detect_completion,
    read_completion,
    write_sft=write_completion,
)
COMPLETION_TEXT = Format(
    "trl-prompt-completion-text",
    "TRL prompt and completion, written as plain texts",
    never,
    read_completion,
    write_sft=write_completion_text,
)
TEXT = Format("trl-text", "TRL plain text to learn: text", detect_text, read_text, write_sft=write_text)

FORMATS = (MESSAGES, COMPLETION, COMPLETION_TEXT, TEXT)
