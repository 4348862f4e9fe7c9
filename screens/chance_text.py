"""Tokens with how likely each was: percent, bars and marks that need no colour."""

from math import exp
from typing import TYPE_CHECKING

from screens.widgets.text_view import Span

if TYPE_CHECKING:
    from studio.chatting.traces import Received

BAR = 10
"""Cells of the bar of a certain token."""

UNSURE = 0.5
"""Below this chance a token is gone to by a key."""

MARKS = ((0.9, ""), (UNSURE, "'"), (0.1, "?"), (0.0, "!"))
"""From which chance on a token has which mark after it."""

LEGEND = "No mark: 90 % or more. ' 50 % or more. ? 10 % or more. ! less. \N{MIDDLE DOT} is a space; bars part tokens."

_SPACES = str.maketrans(
    {
        " ": "\N{MIDDLE DOT}",
        "\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}",
        "\t": "\N{RIGHTWARDS ARROW TO BAR}",
    }
)


def chance(logprob: float) -> float:
    """Return the probability that its logarithm stands for."""
    return min(exp(logprob), 1.0)


def percent(logprob: float | None) -> str:
    """Return a chance in words: small ones are not rounded to none."""
    if logprob is None:
        return "-"
    value = chance(logprob) * 100
    return f"{value:.1f} %" if value >= 0.1 else f"{value:.1g} %"


def bar(logprob: float | None) -> str:
    """Return a chance as a bar."""
    return "" if logprob is None else "#" * round(chance(logprob) * BAR)


def mark(logprob: float | None) -> str:
    """Return the sign of a chance."""
    if logprob is None:
        return ""
    return next(sign for least, sign in MARKS if chance(logprob) >= least)


def is_unsure(token: "Received") -> bool:
    """Tell whether a token had less than half of the chances."""
    return token.logprob is not None and chance(token.logprob) < UNSURE


def rank(token: "Received") -> int | None:
    """Return which of the likeliest a token was, from 1; None where it was none of them."""
    return next((place for place, each in enumerate(token.alternatives, start=1) if each.id == token.id), None)


def visible(text: str) -> str:
    """Return a token's text with its spaces and line ends to be seen; one that goes on with a character is dots."""
    return text.translate(_SPACES) if text else ".."


def flow(tokens: list["Received"]) -> list[Span]:
    """Return tokens as they follow each other, each with its mark."""
    spans = [Span(f"{LEGEND}\n\n", "italic")]
    for token in tokens:
        spans.append(Span(visible(token.text), "bold" if is_unsure(token) else ""))
        spans.append(Span(f"{mark(token.logprob)}|" + ("\n" if token.text.endswith("\n") else ""), "dim"))
    return spans


def alternatives(token: "Received") -> list[Span]:
    """Return what else might have stood in a token's place, a line each; what was taken is marked."""
    if not token.alternatives:
        return [Span("Nothing is known of what else might have stood here.")]
    spans = []
    among = False
    for each in token.alternatives:
        taken = each.id == token.id
        among = among or taken
        spans.append(Span(_line(">" if taken else " ", each.id, each.text, each.logprob), "bold" if taken else ""))
    if not among:
        spans.append(Span(_line(">", token.id, token.text, token.logprob), "bold"))
    return spans


def _line(sign: str, number: int, text: str, logprob: float | None) -> str:
    return f"{sign} {percent(logprob):>8}  {bar(logprob):<{BAR}}  {visible(text)}  /{number}\n"
