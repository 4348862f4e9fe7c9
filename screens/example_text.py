"""What an example looks like in words: its line in a list, its state and its messages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from screens.finding_text import finding_lines
from screens.widgets.conversation import message_text, speaker
from screens.widgets.table import Row
from screens.widgets.text_view import Span
from store.examples import Example, Message, completion_of, prompt_of
from store.journal import Entry
from store.records import Record
from store.responses import Response
from store.synthetic import Origin

ExampleView = Literal["messages", "text", "tokens"]
VIEWS: tuple[ExampleView, ...] = ("messages", "text", "tokens")

PREVIEW_LENGTH = 400


@dataclass(frozen=True)
class Completion:
    """One way in which an example's prompt is answered."""

    label: str
    messages: list[Message]
    response: Response | None = None
    """The one that it is; None for the example's own answer."""


def example_row(example: Example, responses: int, tagged: bool = False) -> Row:
    """Return an example's line for a list."""
    marks = f"{'a' if example.status == 'approved' else 'r' if example.status == 'rejected' else ' '}"
    marks += f"{'f' if example.flagged else ' '}{'x' if example.excluded else ' '}{'#' if tagged else ' '}"
    marks += "n" if example.note else " "
    answers = str(responses) if responses else "-"
    return Row((marks, str(example.id), example.split, answers, first_words(example)), dim=example.excluded)


def long_row(example: Example, length: int, responses: int, tagged: bool = False) -> Row:
    """Return the line of an example whose record is too long to be read for a list."""
    row = example_row(example, responses, tagged)
    return replace(row, cells=(*row.cells[:-1], f"({length:,} characters)"))


def first_words(example: Example) -> str:
    """Return the beginning of what the user asks first."""
    asked = next((m for m in example.messages if m.get("role") == "user"), None)
    first = asked or (example.messages[0] if example.messages else {})
    return message_text(first)[:PREVIEW_LENGTH]


def state_words(example: Example, record: Record | None, tags: Sequence[str] = ()) -> str:
    """Return an example's state and origin in words, what matters most first."""
    words = [f"example {example.id}", example.split, example.status]
    words += ["flagged"] if example.flagged else []
    words += ["excluded"] if example.excluded else []
    words += ["record excluded"] if record and record.excluded else []
    words += [f"#{tag}" for tag in tags]
    origin = [f"{record.source}:{record.line}"] if record else []
    return "  |  ".join([", ".join(words), f"revision {example.revision}", *origin])


def completions_of(example: Example, responses: list[Response], verdicts: list[Entry]) -> list[Completion]:
    """Return the example's own answer, if it has one, and the responses with what was thought of them."""
    own = completion_of(example.messages)
    found = [Completion("the example's own answer", own)] if own else []
    for number, response in enumerate(responses, start=1):
        words = [f"response {number} of {len(responses)}", response.author or response.origin]
        words += _judged(response, verdicts)
        found.append(Completion(", ".join(words), response.messages, response))
    return found


def conversation_of(example: Example, completion: Completion | None) -> list[Message]:
    """Return the prompt with one of its answers."""
    if completion is None:
        return example.messages
    return [*prompt_of(example.messages), *completion.messages]


def characters_of(example: Example, completion: Completion | None) -> int:
    """Return how long the prompt and one of its answers are."""
    return sum(len(message["content"] or "") for message in conversation_of(example, completion))


def messages_spans(
    example: Example,
    completion: Completion | None,
    remarks: list[tuple[str, str]],
    found: Sequence[tuple[str, str]] = (),
    origin: Origin | None = None,
) -> list[Span]:
    """Return its origin, what checks found, the turns, each under who speaks, and what was remarked on the replies."""
    spans = [Span(f"{origin_words(example, origin)}\n\n", "italic")] if origin else []
    spans += [*finding_lines(found), Span("\n")] if found else []
    spans += [Span(f"n {example.note}\n\n", "italic")] if example.note else []
    spans += [Span(f"may call: {', '.join(map(_tool_name, example.tools))}\n\n", "italic")] if example.tools else []
    prompt = prompt_of(example.messages)
    for message in prompt:
        spans += _turn(speaker(message), message)
    if completion is not None:
        for message in completion.messages:
            spans += _turn(f"{speaker(message)} ({completion.label})", message)
    elif len(prompt) == len(example.messages):
        spans.append(Span("no answer yet\n", "italic"))
    return spans + [Span(f"{rater} remarked: {note}\n", "italic") for rater, note in remarks]


def origin_words(example: Example, origin: Origin) -> str:
    """Say what a synthetic example was made from, by whom, and whether it may be used."""
    by = f" by {origin.model}" if origin.model else " by a rule"
    source = f"example {origin.source_id}" if origin.source_id else "an example"
    use = "" if example.status == "approved" else "; used for nothing until it is approved"
    return f"synthetic: {origin.method} of {source}{by}{use}. r compares it with its source."


def _judged(response: Response, verdicts: list[Entry]) -> list[str]:
    words = [{True: "labelled good", False: "labelled bad"}[response.label]] if response.label is not None else []
    for entry in verdicts:
        if response.id not in (entry.left_id, entry.right_id):
            continue
        chosen = entry.chosen_and_rejected
        if chosen:
            words.append("chosen" if chosen[0] == response.id else "rejected")
        else:
            words.append({"tie": "tie", "both_bad": "both bad"}.get(entry.verdict or "", "skipped"))
    return list(dict.fromkeys(words))


def _tool_name(tool: dict[str, Any]) -> str:
    function = tool.get("function", tool)
    return str(function.get("name", "?")) if isinstance(function, dict) else "?"


def _turn(title: str, message: Message) -> list[Span]:
    return [Span(f"{title}\n", "bold underline"), Span(f"{message_text(message)}\n\n")]
