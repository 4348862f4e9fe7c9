"""TRL's shapes for preferences: explicit and implicit prompt, and single labelled answers (KTO)."""

from typing import Any

from store.examples import Message
from studio.formats.row import Candidate, PreferenceRow, Row, RowError
from studio.formats.shape import Fields, Format, every_row
from studio.formats.trl_sft import answer_turns, is_completion, prompt_turns, tools_as_text
from studio.formats.turns import is_conversation, read_tools, read_turns


def chosen_over_rejected(
    prompt: list[Message],
    chosen: list[Message],
    rejected: list[Message],
    tools: list[dict[str, Any]] | None = None,
) -> Row:
    """Return a row whose first candidate was called better than its second.

    Raises:
        RowError: there is nothing that the two answer.
    """
    check_prompt(prompt)
    return Row(prompt, tools, (Candidate(chosen), Candidate(rejected)), verdict="left")


def check_prompt(prompt: list[Message]) -> None:
    """Make sure that a prompt asks for an answer.

    Raises:
        RowError: it is empty, or the assistant has spoken last.
    """
    if not prompt:
        raise RowError("the row has no prompt")
    if prompt[-1]["role"] == "assistant":
        raise RowError("the prompt ends with the assistant's own turn")


def detect(sample: list[Fields]) -> bool:
    """Rows with prompt, chosen and rejected, all texts or all conversations."""
    return every_row(sample, _is_explicit)


def _is_explicit(fields: Fields) -> bool:
    values = [fields.get(key) for key in ("prompt", "chosen", "rejected")]
    return all(isinstance(v, str) for v in values) or all(map(is_conversation, values))


def read(fields: Fields) -> Row:
    """Read `{"prompt": ..., "chosen": ..., "rejected": ...}`."""
    return chosen_over_rejected(
        prompt_turns(fields),
        answer_turns(fields, "chosen"),
        answer_turns(fields, "rejected"),
        read_tools(fields.get("tools")),
    )


def write(row: PreferenceRow) -> Fields:
    """Write prompt, chosen and rejected as messages: the explicit form, which nothing needs to guess at."""
    return {"prompt": row.prompt, "chosen": row.chosen, "rejected": row.rejected, **tools_as_text(row.tools)}


def detect_implicit(sample: list[Fields]) -> bool:
    """Rows whose chosen and rejected are whole conversations; a `prompt` that is a text only repeats their start."""
    return every_row(sample, lambda f: all(is_conversation(f.get(k)) for k in ("chosen", "rejected")))


def read_implicit(fields: Fields) -> Row:
    """Read `{"chosen": [...], "rejected": [...]}`; the prompt is what both begin with."""
    chosen, rejected = read_turns(fields.get("chosen"), "chosen"), read_turns(fields.get("rejected"), "rejected")
    shared = 0
    # Equal conversations must still leave an answer, so the last turn is never part of the prompt.
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    while shared and chosen[shared - 1]["role"] == "assistant":
        shared -= 1
    for answer in (chosen[shared:], rejected[shared:]):
        if any(turn["role"] in ("user", "system") for turn in answer):
            raise RowError("chosen and rejected do not share their prompt")
    return chosen_over_rejected(chosen[:shared], chosen[shared:], rejected[shared:], read_tools(fields.get("tools")))


def detect_unpaired(sample: list[Fields]) -> bool:
    """Rows with one completion and a label of true or false."""
    return every_row(sample, lambda f: is_completion(f) and is_label(f.get("label")))


def read_unpaired(fields: Fields) -> Row:
    """Read `{"prompt": ..., "completion": ..., "label": true}`."""
    answer = Candidate(answer_turns(fields, "completion"), label=read_label(fields))
    prompt = prompt_turns(fields)
    check_prompt(prompt)
    return Row(prompt, read_tools(fields.get("tools")), (answer,))


def is_label(value: Any) -> bool:
    """Tell whether a value can be a label: true, false, or the same as a text of a CSV file."""
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("true", "false"))


def read_label(fields: Fields) -> bool:
    """Return whether a row's answer was called good.

    Raises:
        RowError: the label is neither true nor false.
    """
    label = fields.get("label")
    if not is_label(label):
        raise RowError("label is neither true nor false")
    return str(label).lower() == "true"


EXPLICIT = Format("trl-preference", "TRL preferences: prompt, chosen, rejected", detect, read, write_preference=write)
IMPLICIT = Format(
    "trl-preference-implicit",
    "TRL preferences whose prompt is the shared beginning of chosen and rejected",
    detect_implicit,
    read_implicit,
)
UNPAIRED = Format("trl-kto", "TRL single answers with a label, for KTO", detect_unpaired, read_unpaired)
