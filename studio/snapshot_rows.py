"""The rows of snapshots: what training and exports take of an example or a pair, or why it is left out."""

import json
from collections.abc import Callable

import orjson

from store import material
from store.examples import Message, completion_of, prompt_group, prompt_of
from store.held_out import HeldOut
from store.material import Material
from store.snapshots import SnapshotKind
from studio.formats.row import LabelledRow, PreferenceRow, PromptRow, SftRow

SnapshotRow = SftRow | PreferenceRow | LabelledRow | PromptRow

_STATES = {
    "excluded": "excluded",
    "rejected": "rejected",
    "unreviewed": "synthetic and not approved yet",
    "unjudged": "not judged yet",
    "tie": "judged a tie",
    "both_bad": "judged both bad",
    "skip": "skipped",
    "mixed": "better in one pair and worse in another",
    "untaught": "without a whole answer of the teacher",
}


class LeftOut(Exception):
    """An example or a pair that does not get in; the text is the reason."""


def row_of(kind: SnapshotKind, found: Material, held_out: HeldOut | None) -> SnapshotRow:
    """Return the row that an example, an answer or a pair becomes.

    Raises:
        LeftOut: it does not get in; the text is the reason.
    """
    if found.state is not None:
        raise LeftOut(_STATES[found.state])
    row = _MAKE[kind](found)
    if held_out:
        _check_leak(found, row, held_out)
    return row


def _conversation(found: Material) -> SftRow:
    messages, tools, _, _, is_plain = material.texts(found)
    answer = completion_of(messages)
    if not answer:
        raise LeftOut("without an answer")
    if not _is_answer(answer):
        raise LeftOut("the answer is empty")
    row = SftRow(messages, tools)
    if not is_plain:
        _check_values(row)
    return row


def _answer(found: Material) -> PreferenceRow | LabelledRow:
    messages, tools, chosen, rejected, is_plain = material.texts(found)
    prompt = _prompt(messages)
    row: PreferenceRow | LabelledRow
    if found.chosen_id is None or found.rejected_id is None:
        row = LabelledRow(prompt, chosen or rejected, found.rejected_id is None, tools)
        is_empty = not _is_answer(row.completion)
    else:
        row = PreferenceRow(prompt, chosen, rejected, tools)
        is_empty = not _is_answer(chosen) or not _is_answer(rejected)
        if chosen == rejected:
            raise LeftOut("both answers are the same")
    if is_empty:
        raise LeftOut("an answer is empty")
    if not is_plain:
        _check_values(row)
    return row


def _learnt(found: Material) -> SftRow:
    """Make a row of an example's own answer, or of the response that it is to be learnt with; a run may have both."""
    return _conversation(found) if found.chosen_id is None else _taught(found)


def _taught(found: Material) -> SftRow:
    messages, tools, answer, _, is_plain = material.texts(found)
    prompt = _prompt(messages)
    if not _is_answer(answer):
        raise LeftOut("an answer is empty")
    row = SftRow(prompt + answer, tools)
    if not is_plain:
        _check_values(row)
    return row


def _asked(found: Material) -> PromptRow:
    messages, tools, _, _, _ = material.texts(found)
    prompt = _prompt(messages)
    fields = json.loads(found.record) if found.record else {}
    known = fields if isinstance(fields, dict) else {}
    answer = completion_of(messages)
    row = PromptRow(prompt, ({"answer": answer[-1]["content"]} if answer else {}) | known, tools)
    _check_values(row)
    return row


def _prompt(messages: list[Message]) -> list[Message]:
    """Return what is asked: all, where a person has the last word, or what comes before the last answer."""
    prompt = messages if messages and messages[-1]["role"] == "user" else prompt_of(messages)
    if not prompt:
        raise LeftOut("without a prompt")
    return prompt


_MAKE: dict[SnapshotKind, Callable[[Material], SnapshotRow]] = {
    "sft": _learnt,
    "preference": _answer,
    "unpaired": _answer,
    "prompts": _asked,
    "distillation": _learnt,
}


def _is_answer(messages: list[Message]) -> bool:
    """Tell whether messages say or call anything."""
    for message in messages:  # noqa: SIM110 (each answer of an export passes here, and a generator costs thrice)
        if message["content"].strip() or message.get("tool_calls"):
            return True
    return False


def _check_values(row: SnapshotRow) -> None:
    try:
        # Halves of characters and integers above 64 bits, which no tokenizer and no trainer's file can hold.
        orjson.dumps(tuple(row))
        # Infinity and the like, which orjson would turn into null.
        json.dumps(row, allow_nan=False)
    except (TypeError, ValueError):
        raise LeftOut("holds half a character or too large a number") from None


def _check_leak(found: Material, row: SnapshotRow, held_out: HeldOut) -> None:
    """Leave out a row whose prompt is, through an edit, one of another split now."""
    messages = row[0]
    # An example that was never edited has the prompt still that it was made with, but for odd ones.
    if found.revision > 1 or messages[-1]["role"] == "system":
        split = held_out.split_of(prompt_group(messages))
    else:
        split = held_out.shared.get(found.group)
    if split not in (None, found.split):
        raise LeftOut(f"its prompt is in the {split} split")
