"""LLaMA-Factory's own shapes: preferences over ShareGPT turns, and single labelled answers (KTO)."""

from studio.formats.row import Candidate, PreferenceRow, Row, RowError
from studio.formats.shape import Fields, Format, every_row
from studio.formats.sharegpt import (
    conversation,
    has_conversation,
    read_turn,
    write_tools,
    write_turn,
    write_turns,
)
from studio.formats.trl_preference import chosen_over_rejected, is_label, read_label
from studio.formats.turns import is_conversation, read_tools, read_turns, split_answer


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
    if len(row.chosen) != 1 or len(row.rejected) != 1:
        raise RowError("llamafactory-ranking holds answers of one turn only")
    # Together with its answer the prompt must take turns, as LLaMA-Factory checks.
    turns = write_turns([*row.prompt, row.chosen[0]])
    answers = {"chosen": turns[-1], "rejected": write_turn(row.rejected[0])}
    return {"conversations": turns[:-1], **answers, **write_tools(row.tools)}


def detect_kto(sample: list[Fields]) -> bool:
    """Rows with a conversation and a label of true or false."""
    return every_row(
        sample, lambda f: (is_conversation(f.get("messages")) or has_conversation(f)) and is_label(f.get("label"))
    )


def read_kto(fields: Fields) -> Row:
    """Read a conversation whose last answer was called good or bad."""
    turns = conversation(fields) if "conversations" in fields else read_turns(fields.get("messages"), "messages")
    prompt, answer = split_answer(turns, "the conversation")
    return Row(prompt, read_tools(fields.get("tools")), (Candidate(answer, label=read_label(fields)),))


RANKING = Format(
    "llamafactory-ranking",
    "LLaMA-Factory preferences in ShareGPT's shape: conversations, chosen, rejected",
    detect_ranking,
    read_ranking,
    write_preference=write_ranking,
    note='In dataset_info.json: {"file_name": "FILE", "ranking": true, "formatting": "sharegpt", "columns": '
    '{"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "tools": "tools"}}.',
)
KTO = Format("llamafactory-kto", "LLaMA-Factory single answers with a label, for KTO", detect_kto, read_kto)
