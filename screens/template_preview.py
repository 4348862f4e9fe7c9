"""What a template makes of a record, as spans of text; and two states of an example beside each other."""

import json

from screens.widgets.conversation import conversation, message_text
from screens.widgets.difference import difference_spans
from screens.widgets.text_view import Span
from store.examples import Message
from studio.templating.effects import WORDS
from studio.templating.previewing import Preview


def preview_spans(shown: Preview) -> list[Span]:
    """Return what comes of a record: whether it differs from its example, then the conversation and the rest."""
    made = shown.effect
    if made.row is None:
        record = shown.record.fields if shown.record.fields is not None else shown.record.error
        return [
            Span(f"{WORDS[made.kind].capitalize()}.\n", "bold"),
            Span(f"{_where(shown)}{made.reason}\n\n" if made.reason else ""),
            Span("The record:\n", "bold"),
            Span(record if isinstance(record, str) else json.dumps(record, ensure_ascii=False, indent=2)),
        ]
    row = made.row
    spans = [Span(f"{WORDS[made.kind].capitalize()}.\n\n", "italic"), *_named(row.messages)]
    for number, candidate in enumerate(row.candidates, start=1):
        label = "" if candidate.label is None else f" ({'good' if candidate.label else 'bad'})"
        author = f" by {candidate.author}" if candidate.author else ""
        text = "\n".join(map(message_text, candidate.messages))
        spans += [Span(f"\nresponse {number}{author}{label}:", "bold"), Span(f" {text}")]
    if row.verdict:
        spans.append(Span(f"\nverdict: {row.verdict}", "bold"))
    if row.problem:
        spans.append(Span(f"\n{row.problem}", "italic"))
    if row.tools:
        spans += [Span("\ntools:\n", "bold"), Span(json.dumps(row.tools, ensure_ascii=False, indent=2))]
    return spans


def both_sides(edited: list[Message], made: list[Message], reason: str = "") -> list[Span]:
    """Return what a person made of an example and what a template would, what differs marked - and +."""
    if reason:
        return [Span("The template fails on it now: ", "bold"), Span(reason)]
    before, after = ("\n".join(f"{m['role']}: {message_text(m)}" for m in messages) for messages in (edited, made))
    return [Span("- the edit    + the template\n\n", "bold"), *difference_spans(before, after)]


def _named(messages: list[Message]) -> list[Span]:
    # A lone answer is shown elsewhere without a name; here who speaks is what the template decides.
    if len(messages) == 1:
        return [Span(f"{messages[0]['role']}:", "bold"), Span(f" {message_text(messages[0])}")]
    return conversation(messages)


def _where(shown: Preview) -> str:
    parts = (shown.effect.part, str(shown.effect.place))
    where = ", ".join(part for part in parts if part)
    return f"{where}: " if where else ""
