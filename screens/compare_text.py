"""What the panes of Compare say: the prompt from its last question, replies with marks or rendered, whose they were."""

from collections.abc import Iterator
from io import StringIO

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

ONLY_HERE = "bold underline"


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


def marked_spans(left: Response, right: Response) -> tuple[list[Span], list[Span]]:
    """Return two replies, with «marks» around what the other one does not say at that place."""
    one, other = reply_text(left), reply_text(right)
    pieces = words_of_one(one[:MOST_COMPARED], other[:MOST_COMPARED])
    return (
        [*_marked(pieces[0]), Span(one[MOST_COMPARED:])],
        [*_marked(pieces[1]), Span(other[MOST_COMPARED:])],
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


def whose(response: Response) -> str:
    """Return where a reply is from: who wrote it, and how it was sampled."""
    words = response.author or {"human": "a person", "file": "the file"}.get(response.origin, response.origin)
    temperature = response.parameters.get("temperature")
    return words if temperature is None else f"{words} at {temperature:g}"


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


def _marked(pieces: list[Piece]) -> Iterator[Span]:
    for piece in pieces:
        text = piece.text.strip()
        if not piece.changed or not text:
            yield Span(piece.text)
            continue
        before, after = piece.text.split(text, 1)
        yield from (Span(before), Span(f"«{text}»", ONLY_HERE), Span(after))


def _rendered(text: str, width: int, *, dark: bool) -> Iterator[Pieces]:
    from markdown_it import MarkdownIt
    from rich.console import Console
    from rich.markdown import Markdown

    markdown = Markdown("", code_theme="ansi_dark" if dark else "ansi_light", hyperlinks=False)
    # Tags are shown as they were written: a reply with HTML in it must not lose words by being rendered.
    parser = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
    markdown.parsed = parser.parse(text)
    console = Console(width=width, file=StringIO(), color_system="standard", legacy_windows=False)
    for line in console.render_lines(markdown, pad=False):
        # Entities such as &#x202e; became characters only now.
        pieces = [(clean(text), style or Style()) for text, style, control in line if not control and text != "\n"]
        while pieces and not pieces[-1][0].strip():
            pieces.pop()
        yield pieces
