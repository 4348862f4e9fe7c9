"""LLaMA-Factory's own shapes: preferences over ShareGPT turns, labelled answers (KTO), and messages."""

from studio.formats.companions import MESSAGE_TAGS, dataset_info
from studio.formats.dialects import read as read_chat
from studio.formats.pairing import chosen_over_rejected, is_label, labelled, single_answer, single_answers
from studio.formats.row import LabelledRow, PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format, every_row, never
from studio.formats.sharegpt import (
    check_by_turns,
    conversation,
    has_conversation,
    read_turn,
    write_tools,
    write_turn,
    write_turns,
)
from studio.formats.turns import is_conversation, only_text, read_tools, read_turns, split_answer


def detect_ranking(sample: list[Fields]) -> bool:
    """Rows with conversations and one turn each under chosen and rejected."""
    return every_row(
        sample, lambda f: has_conversation(f) and all(isinstance(f.get(k), dict) for k in ("chosen", "rejected"))
    )


def read_ranking(fields: Fields) -> Row:
    """Read a conversation with its better and its worse next turn."""
    chosen, rejected = ([read_turn(fields.get(key), key)] for key in ("chosen", "rejected"))
    if chosen[0]["role"] != "assistant" or rejected[0]["role"] != "assistant":
        raise RowError("chosen or rejected is not a turn of the assistant")
    return chosen_over_rejected(conversation(fields), chosen, rejected, read_tools(fields.get("tools")))


def write_ranking(row: PreferenceRow) -> Fields:
    """Write a pair whose answers are one turn each."""
    chosen, rejected = single_answers(row, "llamafactory-ranking")
    # Together with its answer the prompt must take turns, as LLaMA-Factory checks.
    turns = write_turns([*row.prompt, chosen])
    return {
        "conversations": turns[:-1],
        "chosen": turns[-1],
        "rejected": write_turn(rejected),
        **write_tools(row.tools),
    }


def detect_kto(sample: list[Fields]) -> bool:
    """Rows with a conversation and a label of true or false."""
    return every_row(
        sample, lambda f: (is_conversation(f.get("messages")) or has_conversation(f)) and is_label(_label(f))
    )


def _label(fields: Fields) -> object:
    return fields.get("label", fields.get("kto_tag"))


def read_kto(fields: Fields) -> Row:
    """Read a conversation whose last answer was called good or bad."""
    turns = conversation(fields) if "conversations" in fields else read_turns(fields.get("messages"), "messages")
    prompt, answer = split_answer(turns, "the conversation")
    return labelled(prompt, answer, _label(fields), read_tools(fields.get("tools")))


def write_kto(row: LabelledRow) -> Fields:
    """Write `{"messages": [...], "label": true}`."""
    answer = single_answer(row.completion, "llamafactory-kto")
    return {**_write_messages([*row.prompt, answer], row.tools, "llamafactory-kto"), "label": row.label}


def write_messages(row: SftRow) -> Fields:
    """Write `{"messages": [...]}`."""
    return _write_messages(row.messages, row.tools, "llamafactory-messages")


def _write_messages(messages: list[Fields], tools: object, shape: str) -> Fields:
    if tools:
        raise RowError(f"{shape} can't say tools; sharegpt can")
    only_text(messages, shape)
    check_by_turns(messages)
    return {"messages": messages}


RANKING = Format(
    "llamafactory-ranking",
    "LLaMA-Factory preferences in ShareGPT's shape: conversations, chosen, rejected",
    detect_ranking,
    read_ranking,
    write_preference=write_ranking,
    companion=dataset_info(
        {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "tools": "tools"},
        formatting="sharegpt",
        ranking=True,
    ),
)
KTO = Format(
    "llamafactory-kto",
    "LLaMA-Factory single answers with a label, for KTO: messages, label",
    detect_kto,
    read_kto,
    write_labelled=write_kto,
    companion=dataset_info({"messages": "messages", "kto_tag": "label"}, formatting="sharegpt", tags=MESSAGE_TAGS),
)
MESSAGES = Format(
    "llamafactory-messages",
    "LLaMA-Factory conversations of messages with role and content",
    never,
    read_chat,
    write_sft=write_messages,
    companion=dataset_info({"messages": "messages"}, formatting="sharegpt", tags=MESSAGE_TAGS),
)

FORMATS = (RANKING, KTO, MESSAGES)
