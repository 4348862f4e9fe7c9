"""SWIFT's preferences: messages that end with the better answer, and the worse one as a text."""

from studio.formats.pairing import chosen_over_rejected, single_answers
from studio.formats.plain_text import answer_of
from studio.formats.row import PreferenceRow, Row, RowError
from studio.formats.shape import Fields, Format, every_row
from studio.formats.turns import is_conversation, only_text, read_tools, read_turns, split_answer


def detect(sample: list[Fields]) -> bool:
    """Rows with messages and a text under `rejected_response`."""
    return every_row(
        sample, lambda f: is_conversation(f.get("messages")) and isinstance(f.get("rejected_response"), str)
    )


def read(fields: Fields) -> Row:
    """Read a conversation whose last answer is better than `rejected_response`."""
    prompt, chosen = split_answer(read_turns(fields.get("messages"), "messages"), "the conversation")
    rejected = answer_of(fields, "rejected_response")
    return chosen_over_rejected(prompt, chosen, rejected, read_tools(fields.get("tools")))


def write(row: PreferenceRow) -> Fields:
    """Write a pair whose answers are one text each."""
    chosen, rejected = single_answers(row, "swift")
    if row.tools:
        raise RowError("swift can't say tools")
    only_text([*row.prompt, chosen, rejected], "swift")
    return {"messages": [*row.prompt, chosen], "rejected_response": rejected["content"]}


SWIFT = Format("swift", "SWIFT preferences: messages, rejected_response", detect, read, write_preference=write)

FORMATS = (SWIFT,)
