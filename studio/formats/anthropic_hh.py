"""Anthropic's hh transcripts: whole dialogues as one text each, a chosen and a rejected one."""

import re
from itertools import pairwise

from store.examples import Message
from studio.formats.pairing import chosen_over_rejected
from studio.formats.plain_text import answers, asks
from studio.formats.row import PreferenceRow, Row, RowError
from studio.formats.shape import Fields, Format, are_texts, every_row
from studio.formats.turns import only_text, text_of

HEADERS = {"user": "\n\nHuman:", "assistant": "\n\nAssistant:"}
_HEADER = re.compile("\n\n(Human|Assistant):")


def detect(sample: list[Fields]) -> bool:
    """Rows whose chosen and rejected are texts that begin with the human's turn."""
    return every_row(
        sample,
        lambda f: are_texts(f, "chosen", "rejected") and all(_is_transcript(f[key]) for key in ("chosen", "rejected")),
    )


def _is_transcript(text: str) -> bool:
    return text.startswith(HEADERS["user"])


def read(fields: Fields) -> Row:
    """Read two transcripts; their prompt ends at the last turn of the assistant, if both agree up to there."""
    (asked, chosen), (also_asked, rejected) = (_parts(fields, key) for key in ("chosen", "rejected"))
    if asked != also_asked:
        raise RowError("chosen and rejected do not share their prompt")
    turns = _turns(asked)
    # An answer that the assistant gave in several turns: the pair is about all of them.
    asks_at = next((n for n in range(len(turns), 0, -1) if turns[n - 1]["role"] == "user"), 0)
    prompt, begun = turns[:asks_at], turns[asks_at:]
    row = chosen_over_rejected(prompt, [*begun, answers(chosen)], [*begun, answers(rejected)])
    return row._replace(problem=_problem([*turns, answers(chosen)], (chosen, rejected)))


def _parts(fields: Fields, key: str) -> tuple[str, str]:
    """Return a transcript up to its last answer, and that answer."""
    text = text_of(fields, key)
    if not _is_transcript(text):
        raise RowError(f"{key} does not begin with a turn of the human")
    prompt, header, answer = text.rpartition(HEADERS["assistant"])
    if not header or HEADERS["user"] in answer:
        raise RowError(f"{key} does not end with an answer of the assistant")
    return prompt, answer.removeprefix(" ")


def _turns(text: str) -> list[Message]:
    pieces = _HEADER.split(text)[1:]
    said = zip(pieces[::2], pieces[1::2], strict=True)
    return [(asks if who == "Human" else answers)(what.removeprefix(" ")) for who, what in said]


def _problem(turns: list[Message], final: tuple[str, str]) -> str | None:
    empty = [key for key, text in zip(("chosen", "rejected"), final, strict=True) if not text.strip()]
    if empty:
        return f"the answer under {' and '.join(empty)} is empty"
    if any(before["role"] == after["role"] for before, after in pairwise(turns)):
        return "two turns of the same side follow each other"
    return None


def write(row: PreferenceRow) -> Fields:
    """Write a pair as two transcripts that are alike up to their last answers."""
    if row.tools:
        raise RowError("anthropic-hh can't say tools")
    roles = [turn["role"] for turn in row.prompt]
    if roles != ["user", "assistant"] * (len(roles) // 2) + ["user"] or len(row.chosen) != 1 or len(row.rejected) != 1:
        raise RowError("anthropic-hh needs turns of user and assistant by turns, and no system turn")
    return {"chosen": _transcript(row.prompt + row.chosen), "rejected": _transcript(row.prompt + row.rejected)}


def _transcript(messages: list[Message]) -> str:
    only_text(messages, "anthropic-hh")
    if any(_HEADER.search(turn["content"]) for turn in messages):
        raise RowError("a text holds a header such as Human: or Assistant:, at which anthropic-hh would part it")
    return "".join(f"{HEADERS[turn['role']]} {turn['content']}" for turn in messages)


TRANSCRIPTS = Format(
    "anthropic-hh",
    "Anthropic's hh transcripts: chosen and rejected as dialogues of Human: and Assistant:",
    detect,
    read,
    write_preference=write,
)

FORMATS = (TRANSCRIPTS,)
