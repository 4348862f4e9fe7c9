"""Rendered text and tokens as they are painted: what is trained, what is special, and what is cut off."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from screens.widgets.text_view import Span
from studio.text import BEGIN, END

if TYPE_CHECKING:
    from studio.preview import Seen
    from studio.rendering import Rendering

RenderedView = Literal["text", "tokens"]

TEXT_LEGEND = f"{BEGIN}trained{END}, underlined; the prompt is faint, special tokens are reversed."
LEGEND = f"{BEGIN}trained{END}, bold and underlined; prompt faint, special tokens reversed; \N{MIDDLE DOT} is a space."

MOST_LOST = 2_000
"""Tokens that are shown of what is cut off."""

_SPACES = str.maketrans({" ": "\N{MIDDLE DOT}", "\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"})


@dataclass(frozen=True)
class Token:
    """One token to be painted."""

    id: int
    piece: str
    is_special: bool
    is_trained: bool
    is_lost: bool = False


def tokens_of(rendering: "Rendering", special: frozenset[int], kept: int | None = None) -> list[Token]:
    """Return the tokens of a rendering; those from `kept` on are lost, and only the first of them are returned."""
    marked = zip(rendering.ids, rendering.pieces, rendering.trained, strict=True)
    end = len(rendering.ids) if kept is None else kept
    shown = islice(marked, end + MOST_LOST)
    return [Token(i, piece, i in special, trained, at >= end) for at, (i, piece, trained) in enumerate(shown)]


def seen_spans(seen: "Seen", view: RenderedView, *, with_ids: bool = False) -> list[Span]:
    """Return a sequence as text or as tokens, under why training leaves it out where it does."""
    why = [Span(f"Training leaves this out: {seen.left_out}\n\n", "bold")] if seen.left_out else []
    tokens = tokens_of(seen.rendering, seen.special, seen.max_length)
    cut = cut_words(seen)
    legend = Span(f"{TEXT_LEGEND if view == 'text' else LEGEND}\n\n", "italic")
    return [
        *why,
        legend,
        *(text_spans(tokens, cut) if view == "text" else tokens_spans(tokens, cut, with_ids=with_ids)),
        *rest_spans(seen),
    ]


def text_spans(tokens: list[Token], cut: str = "") -> list[Span]:
    """Return the rendered text as it stands, what is trained between its marks."""
    spans = []
    for run in _runs(tokens):
        spans += run.closing
        spans += [Span(f"\n{cut}\n", "bold")] if run.begins_what_is_lost else []
        spans += run.opening
        spans += [
            Span("".join(token.piece for token in same), style)
            for style, same in groupby(run.tokens, key=lambda token: _style(token, "underline"))
        ]
    return spans


def tokens_spans(tokens: list[Token], cut: str = "", *, with_ids: bool = False) -> list[Span]:
    """Return the tokens between bars, every second one in another colour, on request each with its id."""
    spans = []
    number, ends_line = 0, False
    for run in _runs(tokens):
        spans += run.closing
        if run.begins_what_is_lost:
            spans.append(Span(f"\n{cut}\n", "bold"))
            ends_line = False
        if ends_line and run.tokens:
            spans.append(Span("\n"))
        spans += run.opening
        for place, token in enumerate(run.tokens):
            if ends_line and place:
                spans.append(Span("\n"))
            spans.append(Span(_visible(token.piece), _style(token, "bold underline" + (" cyan" if number % 2 else ""))))
            spans.append(Span(f"/{token.id}|" if with_ids else "|", "dim"))
            number += 1
            ends_line = token.piece.endswith("\n")
    return spans


def cut_words(seen: "Seen") -> str:
    """Return the line that stands where a sequence is cut; empty where it is not."""
    if not seen.lost:
        return ""
    trained = f"{seen.lost_trained:,} of them trained, " if seen.lost_trained else ""
    verb = "are" if seen.lost > 1 else "is"
    return f"--- cut here: {_tokens(seen.lost)}, {trained}{verb} lost at max_length {seen.max_length} ---"


def rest_spans(seen: "Seen") -> list[Span]:
    """Return how many of the lost tokens are not shown."""
    left = seen.lost - MOST_LOST
    return [Span(f"\n... and {_tokens(left)} more that would be lost", "italic")] if left > 0 else []


def counts_words(seen: "Seen") -> str:
    """Return how many tokens there are, and how many of them are cut off."""
    rendering = seen.rendering
    lost = f", {seen.lost:,} cut" if seen.lost else ""
    trained = sum(rendering.trained) - seen.lost_trained
    return f"{_tokens(len(rendering.ids))}: {rendering.prompt_length:,} prompt, {trained:,} trained{lost}"


def _tokens(number: int) -> str:
    return f"{number:,} token{'s' * (number != 1)}"


class _Run(NamedTuple):
    """Tokens of one kind, and the marks before them."""

    closing: list[Span]
    begins_what_is_lost: bool
    opening: list[Span]
    tokens: list[Token]


def _runs(tokens: list[Token]) -> Iterator[_Run]:
    """Yield the runs of tokens, and at the end one without any that closes the last."""
    was_trained = was_lost = False
    for (is_lost, is_trained), same in groupby(tokens, key=lambda token: (token.is_lost, _is_learnt(token))):
        closing = [Span(END, "bold")] if was_trained and not is_trained else []
        opening = [Span(BEGIN, "bold")] if is_trained and not was_trained else []
        yield _Run(closing, is_lost and not was_lost, opening, list(same))
        was_trained, was_lost = is_trained, is_lost
    if was_trained:
        yield _Run([Span(END, "bold")], False, [], [])


def _is_learnt(token: Token) -> bool:
    return token.is_trained and not token.is_lost


def _style(token: Token, trained_style: str) -> str:
    style = trained_style if _is_learnt(token) else "dim"
    return f"{style} reverse" if token.is_special else style


def _visible(piece: str) -> str:
    """Return a token's text with its spaces and line ends to be seen; one that goes on with a character is dots."""
    return piece.translate(_SPACES) if piece else ".."
