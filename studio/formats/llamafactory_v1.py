"""LLaMA-Factory v1: messages whose content is a list of parts, with a loss weight on each."""

from store.examples import Message
from studio.formats.dialects import dialect
from studio.formats.dialects import read as read_chat
from studio.formats.pairing import chosen_over_rejected
from studio.formats.row import PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format, every_row
from studio.formats.trl_preference import prompt_and_answers
from studio.formats.trl_sft import is_chat
from studio.formats.turns import is_conversation, read_turns


def detect_chat(sample: list[Fields]) -> bool:
    """Conversations under `messages` with a loss weight."""
    return is_chat(sample) and dialect(sample) == "llamafactory-v1"


def write_chat(row: SftRow) -> Fields:
    """Write `{"messages": [...]}`; the assistant's turns are to be learnt unless they have the weight 0."""
    _check_tools(row.tools)
    return {"messages": [_turn(m, m["role"] == "assistant" and m.get("weight") != 0) for m in row.messages]}


def detect_pairs(sample: list[Fields]) -> bool:
    """Rows with `chosen_messages` and `rejected_messages`."""
    return every_row(
        sample, lambda f: is_conversation(f.get("chosen_messages")) and is_conversation(f.get("rejected_messages"))
    )


def read_pairs(fields: Fields) -> Row:
    """Read two conversations; the prompt is what both begin with."""
    chosen, rejected = (read_turns(fields.get(key), key) for key in ("chosen_messages", "rejected_messages"))
    return chosen_over_rejected(*prompt_and_answers(chosen, rejected))


def write_pairs(row: PreferenceRow) -> Fields:
    """Write both conversations whole; only the answers have a loss."""
    _check_tools(row.tools)
    if row.chosen[0] == row.rejected[0]:
        raise RowError("both answers begin alike, which llamafactory-v1-pairs would count as the prompt")
    asked = [_turn(message, False) for message in row.prompt]
    chosen, rejected = ([_turn(message, True) for message in answer] for answer in (row.chosen, row.rejected))
    return {"chosen_messages": asked + chosen, "rejected_messages": asked + rejected}


def _check_tools(tools: object) -> None:
    if tools:
        raise RowError("LLaMA-Factory v1's shapes can't say tools")


def _turn(message: Message, is_learnt: bool) -> Fields:
    extra = sorted(set(message) - {"role", "content", "weight"})
    if message["role"] == "tool" or extra:
        raise RowError(f"LLaMA-Factory v1's shapes can't say {extra[0] if extra else 'a tool result'}")
    content = [{"type": "text", "value": message["content"]}]
    return {"role": message["role"], "content": content, "loss_weight": float(is_learnt)}


CHAT = Format(
    "llamafactory-v1",
    "LLaMA-Factory v1 conversations: messages of parts with loss_weight",
    detect_chat,
    read_chat,
    write_sft=write_chat,
)
PAIRS = Format(
    "llamafactory-v1-pairs",
    "LLaMA-Factory v1 preferences: chosen_messages, rejected_messages",
    detect_pairs,
    read_pairs,
    write_preference=write_pairs,
)

FORMATS = (CHAT, PAIRS)
