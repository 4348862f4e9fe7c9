"""TRL's shapes for preferences: with the prompt on its own, or as the beginning of both answers."""

from store.examples import Message
from studio.formats.pairing import chosen_over_rejected
from studio.formats.plain_text import only_texts
from studio.formats.row import Candidate, PreferenceRow, Row, RowError
from studio.formats.shape import Fields, Format, are_texts, every_row, has_any, never
from studio.formats.trl_sft import answer_turns, prompt_turns, tools_as_text
from studio.formats.turns import is_conversation, read_tools, read_turns, system_turn


def detect(sample: list[Fields]) -> bool:
    """Rows with prompt, chosen and rejected, all texts or all conversations."""
    return every_row(sample, lambda f: has_three_texts(f) or _has_three_conversations(f)) and not has_system(sample)


def has_three_texts(fields: Fields) -> bool:
    """Tell whether prompt, chosen and rejected are texts."""
    return are_texts(fields, "prompt", "chosen", "rejected")


def has_system(sample: list[Fields]) -> bool:
    """Tell whether texts have a system text beside them, which TRL does not read; such rows are Axolotl's."""
    return any(has_any(fields, "system") for fields in sample if has_three_texts(fields))


def _has_three_conversations(fields: Fields) -> bool:
    are_turns = all(is_conversation(fields.get(key)) for key in ("prompt", "chosen", "rejected"))
    return are_turns and "chosen_model" not in fields


def read(fields: Fields) -> Row:
    """Read `{"prompt": ..., "chosen": ..., "rejected": ...}`."""
    prompt, chosen, rejected = fields.get("prompt"), fields.get("chosen"), fields.get("rejected")
    tools = read_tools(fields["tools"]) if "tools" in fields else None
    # Plain texts are what files of a million rows hold: no calls on their way.
    if isinstance(prompt, str) and isinstance(chosen, str) and isinstance(rejected, str):
        better = Candidate([{"role": "assistant", "content": chosen}])
        worse = Candidate([{"role": "assistant", "content": rejected}])
        return Row([{"role": "user", "content": prompt}], tools, (better, worse), "left")
    return chosen_over_rejected(
        prompt_turns(fields), answer_turns(fields, "chosen"), answer_turns(fields, "rejected"), tools
    )


def write(row: PreferenceRow) -> Fields:
    """Write prompt, chosen and rejected as messages: the explicit form, which nothing needs to guess at."""
    return {"prompt": row.prompt, "chosen": row.chosen, "rejected": row.rejected, **tools_as_text(row.tools)}


def write_text(row: PreferenceRow) -> Fields:
    """Write prompt, chosen and rejected as plain texts, which have no roles."""
    return dict(zip(("prompt", "chosen", "rejected"), only_texts(row, "trl-preference-text"), strict=True))


def detect_implicit(sample: list[Fields]) -> bool:
    """Rows whose chosen and rejected are whole conversations, or texts without a prompt beside them."""
    return every_row(sample, lambda f: "chosen_model" not in f and (has_whole_answers(f) or _has_bare_texts(f)))


def has_whole_answers(fields: Fields) -> bool:
    """Tell whether chosen and rejected are conversations that say the prompt too; a `prompt` text only repeats it."""
    return all(is_conversation(fields.get(k)) for k in ("chosen", "rejected")) and not is_conversation(
        fields.get("prompt")
    )


def _has_bare_texts(fields: Fields) -> bool:
    is_transcript = str(fields.get("chosen")).startswith("\n\nHuman:")
    prompts = ("prompt", "instruction", "question", "input", "conversations", "messages")
    return are_texts(fields, "chosen", "rejected") and not is_transcript and not has_any(fields, *prompts)


def read_implicit(fields: Fields) -> Row:
    """Read `{"chosen": [...], "rejected": [...]}`; the prompt is what both begin with."""
    if are_texts(fields, "chosen", "rejected"):
        raise RowError("chosen and rejected are texts without a prompt: nobody can tell where their prompt ends")
    chosen, rejected = read_turns(fields.get("chosen"), "chosen"), read_turns(fields.get("rejected"), "rejected")
    prompt, better, worse = prompt_and_answers(chosen, rejected)
    system = [] if chosen[0]["role"] == "system" else system_turn(fields)
    tools = read_tools(fields.get("tools"))
    return chosen_over_rejected(system + prompt, better, worse, tools)


def prompt_and_answers(
    chosen: list[Message], rejected: list[Message]
) -> tuple[list[Message], list[Message], list[Message]]:
    """Return what two conversations begin with, up to a turn that is not the assistant's, and how each goes on.

    Raises:
        RowError: they go on with more than answers.
    """
    shared = 0
    # Equal conversations must still leave an answer, so the last turn is never part of the prompt.
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    while shared and chosen[shared - 1]["role"] == "assistant":
        shared -= 1
    better, worse = chosen[shared:], rejected[shared:]
    if any(turn["role"] in ("user", "system") for turn in (*better, *worse)):
        raise RowError("chosen and rejected do not share their prompt")
    return chosen[:shared], better, worse


def write_implicit(row: PreferenceRow) -> Fields:
    """Write whole conversations under chosen and rejected; as plain texts TRL would compare them letter by letter."""
    chosen, rejected = row.prompt + row.chosen, row.prompt + row.rejected
    if row.chosen[0] == row.rejected[0]:
        raise RowError("both answers begin alike, which trl-preference-implicit would count as the prompt")
    return {"chosen": chosen, "rejected": rejected, **tools_as_text(row.tools)}


EXPLICIT = Format(
    "trl-preference",
    "TRL preferences: prompt, chosen, rejected; written as messages",
    detect,
    read,
    write_preference=write,
    holds_messages=True,
)
EXPLICIT_TEXT = Format(
    "trl-preference-text",
    "TRL preferences: prompt, chosen, rejected, written as plain texts",
    never,
    read,
    write_preference=write_text,
)
IMPLICIT = Format(
    "trl-preference-implicit",
    "TRL preferences whose prompt is the shared beginning of chosen and rejected",
    detect_implicit,
    read_implicit,
    write_preference=write_implicit,
)

FORMATS = (EXPLICIT, EXPLICIT_TEXT, IMPLICIT)
