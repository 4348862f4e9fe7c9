"""A chat as one pane shows it: a block a turn, with which branch it is, how it was made and what was looked up."""

from collections.abc import Mapping, Set
from typing import Any

from screens.chat_pane import Block
from screens.widgets.conversation import message_text
from screens.widgets.text_view import Span
from studio.chatting import blind
from studio.chatting.answering import Coming
from studio.chatting.conversation import Answer, Conversation, Exchange, Question
from studio.chatting.stats_words import context_left, stats_words

HERE = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"
"""Stands before the question that keys such as e and r are about, where it is not the last."""


def side_of(chat: Conversation, question: Question, pane: int) -> int:
    """Return which side's answer to a question a pane shows."""
    return blind.order(chat, question)[pane]


def pane_of(chat: Conversation, question: Question, side: int) -> int:
    """Return which pane shows a side's answer to a question."""
    return blind.order(chat, question).index(side)


def name_of(chat: Conversation, question: Question, pane: int) -> str:
    """Return who answered a question in a pane, or only where, while that is not to be known."""
    if not blind.is_hidden(question):
        return chat.models[side_of(chat, question, pane)]
    if len(chat.models) == 2:
        return ("left", "right")[pane]
    return f"reply {pane + 1}"


def opening_blocks(chat: Conversation) -> list[Block]:
    """Return what stood there before the first question."""
    return [_turn(str(message["role"]), message_text(message)) for message in chat.opening]


def blocks(
    chat: Conversation, exchanges: list[Exchange], pane: int, marked: Question | None, *, coming: Set[int] = frozenset()
) -> list[Block]:
    """Return a branch as a pane shows it, without what stood in the place of the answers that are coming."""
    found = opening_blocks(chat)
    for place, exchange in enumerate(exchanges):
        asked = exchange.asked
        found.append(_question(chat, asked, place, is_marked=asked is marked))
        found += _looked_up(asked.notes)
        side = side_of(chat, asked, pane)
        answer = exchange.answers[side]
        if answer is not None and not (asked.id == chat.shown_id and side in coming):
            found += _answer(chat, asked, answer, pane)
    return found


def coming_blocks(chat: Conversation, question: Question, pane: int, coming: Coming) -> list[Block]:
    """Return an answer that is coming, so far; a block a line, so that only the last is laid out again."""
    # How long a model loads would betray it.
    so_far = "coming" if blind.is_hidden(question) else coming_words(coming)
    first, *rest = (coming.text or f"({so_far})").split("\n")
    return [_turn(name_of(chat, question, pane), first), *(Block((Span(line),)) for line in rest)]


def coming_words(coming: Coming) -> str:
    """Return how far an answer is."""
    match coming.stage:
        case "loading":
            return f"loading the model, {coming.done:.0%}" if coming.done else "loading the model"
        case "reading":
            return f"reading the prompt, {coming.done:.0%}" if coming.done else "reading the prompt"
        case _:
            return "writing"


def numbers(stats: dict[str, Any]) -> list[str]:
    """Return how fast an answer came and what room is left, for the line above it."""
    given, made = stats.get("prompt_tokens") or 0, stats.get("tokens") or 0
    words = []
    if stats.get("tokens_per_second"):
        words.append(f"{stats['tokens_per_second']:.1f} tokens/s")
    left = context_left(stats)
    if left is not None:
        words.append(f"{left:,} left")
    if given:
        words.append(f"{given:,}+{made:,} tokens")
    if stats.get("first_token_seconds"):
        words.append(f"first after {stats['first_token_seconds']:.1f} s")
    if stats.get("reused_tokens"):
        words.append(f"{stats['reused_tokens']:,} reused")
    return words


def _question(chat: Conversation, question: Question, place: int, *, is_marked: bool) -> Block:
    who = f"{HERE} you" if is_marked and question.id != chat.shown_id else "you"
    branch = chat.place_of_question(question)
    if branch.of > 1:
        who += f" (branch {branch.number} of {branch.of}, < >)"
    return Block((Span(f"{who}: ", "bold"), Span(question.text)), place)


def _answer(chat: Conversation, question: Question, answer: Answer, pane: int) -> list[Block]:
    who = name_of(chat, question, pane) if blind.is_hidden(question) else chat.author_of(answer)
    given = chat.place_of_answer(question, answer)
    if given.of > 1:
        who += f" (reply {given.number} of {given.of}, h l)"
    # How fast a model is would betray it.
    said = "" if blind.is_hidden(question) else f"[{stats_words(answer.stats)}]"
    note = said + _verdict(chat, question, answer.side)
    return [_turn(who, answer.text), *([Block((Span(note, "dim"),))] if note else [])]


def _verdict(chat: Conversation, question: Question, side: int) -> str:
    """Return what was judged, as it is said of one side."""
    verdict = question.notes.get("verdict")
    if isinstance(verdict, int):
        return " [better]" if verdict == side and len(chat.models) == 2 else " [best]" if verdict == side else ""
    return {"tie": " [tie]", "both_bad": " [bad]"}.get(str(verdict), "")


def _looked_up(notes: Mapping[str, Any]) -> list[Block]:
    """Return what was put before a question, a line each; the tokens sent show it whole."""
    lines = [f"passage {n}: {passage_words(each)}" for n, each in enumerate(notes.get("passages") or [], start=1)]
    lines += [f"example shown: {_start(each)}" for each in notes.get("near") or []]
    return [Block((Span("\n".join(lines), "italic"),))] if lines else []


def passage_words(passage: Mapping[str, Any]) -> str:
    """Return where a passage is from, and how it begins."""
    start = " ".join(str(passage.get("text", "")).split())
    short = f"{start[:60]}..." if len(start) > 63 else start
    first, last = passage.get("first"), passage.get("last")
    lines = f"line {first}" if first == last else f"lines {first}-{last}"
    return f"{passage.get('file', '?')}, {lines}: {short}"


def _start(example: Mapping[str, Any]) -> str:
    turns = example.get("turns") or [{}]
    words = " ".join(str(turns[0].get("content", "")).split())
    return f"{example.get('id', example.get('example_id', ''))} {words[:60]}".strip()


def _turn(who: str, text: str) -> Block:
    return Block((Span(f"{who}: ", "bold"), Span(text)))
