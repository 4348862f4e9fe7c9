"""What the panes of Compare say: the prompt from its last question, replies with marks or rendered."""

from collections.abc import Iterator
from io import StringIO
from typing import Literal, NamedTuple

from rich.style import Style

from screens.widgets.conversation import conversation
from screens.widgets.text_view import Pieces, Span, wrap
from store.examples import Message
from store.responses import Response
from studio.text import clean
from studio.text_differences import Piece, words_of_one

MOST_BEFORE = 20_000
"""Characters that are shown of the turns before the last question, from their end."""

MOST_COMPARED = 50_000
"""Characters of a reply that are compared with the other."""

MOST_RENDERED = 20_000
"""Characters of a reply that are rendered."""

NEARLY_ALL = 0.9
"""From this share of what is marked on the marks say nothing about where the replies differ."""

ONLY_HERE = "bold underline"

Marks = Literal["", "same", "spaces", "all"]


def prompt_spans(prompt: list[Message]) -> tuple[list[Span], int]:
    """Return a prompt's turns, system turns last as they repeat from pair to pair, and which span to begin at.

    That is the last question, for that is what the replies answer; what was said before stands above it.
    """
    system = [message for message in prompt if message.get("role") == "system"]
    turns = [message for message in prompt if message.get("role") != "system"]
    last = conversation([*turns[-1:], *system])
    if len(turns) < 2:
        return last, 0
    before = [*_ending(conversation(turns[:-1])), Span("\n")]
    return before + last, len(before)


def turns_before(prompt: list[Message]) -> int:
    """Return how many turns stand above the last question."""
    return max(len([message for message in prompt if message.get("role") != "system"]) - 1, 0)


def reply_text(reply: Response) -> str:
    """Return all that a reply says, as one text."""
    return "".join(span.text for span in conversation(reply.messages))


class MarkedReplies(NamedTuple):
    """Two replies, with «marks» around what the other one does not say at that place."""

    left: list[Span]
    right: list[Span]
    marks: Marks
    """Empty where they speak for themselves."""


def marked_spans(left: Response, right: Response) -> MarkedReplies:
    """Return two replies with marks, and what the marks can't tell by themselves."""
    one, other = reply_text(left), reply_text(right)
    pieces = words_of_one(one[:MOST_COMPARED], other[:MOST_COMPARED])
    return MarkedReplies(
        [*_marked(pieces[0]), Span(one[MOST_COMPARED:])],
        [*_marked(pieces[1]), Span(other[MOST_COMPARED:])],
        _marks(one, other, [*pieces[0], *pieces[1]]),
    )


def rendered_lines(spans: list[Span], width: int, *, dark: bool) -> Iterator[Pieces]:
    """Yield a reply's Markdown and code as they are meant to look; of a huge one its beginning."""
    room = MOST_RENDERED
    for span in spans:
        if span.style:
            yield from wrap([span], width)
        elif room > 0:
            yield from _rendered(clean(span.text[:room].lstrip("\n")), width, dark=dark)
            room -= len(span.text)
    if room < 0:
        yield from wrap(
            [Span(f"... {-room:,} more characters are not rendered; v shows the raw text", "italic")], width
        )


def _ending(spans: list[Span]) -> list[Span]:
    """Return the end of a text that is too long, and how much stands before it."""
    left_out = sum(len(span.text) for span in spans) - MOST_BEFORE
    if left_out <= 0:
        return spans
    found: list[Span] = []
    room = MOST_BEFORE
    for span in reversed(spans):
        if room <= 0:
            break
        found.insert(0, Span(span.text[-room:], span.style))
        room -= len(span.text)
    return [Span(f"... {left_out:,} characters before this\n", "italic"), *found]


def _marks(one: str, other: str, pieces: list[Piece]) -> Marks:
    if one == other:
        return "same"
    changed = sum(len(piece.text) for piece in pieces if piece.changed and piece.text.strip())
    if not changed:
        return "spaces" if one.split() == other.split() else ""
    return "all" if changed > NEARLY_ALL * sum(len(piece.text) for piece in pieces) else ""


def _marked(pieces: list[Piece]) -> Iterator[Span]:
    for piece in pieces:
        text = piece.text.strip()
        if not piece.changed or not text:
            yield Span(piece.text)
            continue
        before, after = piece.text.split(text, 1)
        yield from (Span(before), Span(f"«{text}»", ONLY_HERE), Span(after))


def _rendered(text: str, width: int, *, dark: bool) -> Iterator[Pieces]:
    from rich.console import Console

    from screens.widgets.markdown import markdown_of

    markdown = markdown_of(text, width, dark=dark)
    if markdown is None:
        yield from wrap([Span("Nested too deep to be rendered; this is the raw text.\n", "italic"), Span(text)], width)
        return
    console = Console(width=width, file=StringIO(), color_system="standard", legacy_windows=False)
    for line in console.render_lines(markdown, pad=False):
        # Entities such as &#x202e; became characters only now.
        pieces = [(clean(text), style or Style()) for text, style, control in line if not control and text != "\n"]
        while pieces and not pieces[-1][0].strip():
            pieces.pop()
        yield pieces
