"""Finding what was said in any chat, and showing it where it was said."""

import re
from typing import NamedTuple

from store import chats
from store.chats import Hit
from store.database import Store
from studio.chatting.conversation import Conversation
from studio.chatting.keeping import go_to, show_branch
from studio.text import clean_line

BEFORE, LONGEST = 40, 160
"""Characters of an excerpt: before the first word that was found, and in all."""


class Found(NamedTuple):
    """A turn that has the words, or with no turn a chat whose title has them."""

    chat_id: int
    title: str
    turn_id: int | None
    who: str
    """A model, `you`, `system`, or `title`."""
    excerpt: str


def search(store: Store, text: str, *, limit: int = 200) -> list[Found]:
    """Return the turns and titles that have all the words of a text, in any order; the newest chats first."""
    words = text.split()
    hits = chats.search(store, words, limit=limit)
    titles = {number: chats.get(store, number).title for number in {hit.chat_id for hit in hits}}
    return [Found(hit.chat_id, titles[hit.chat_id], hit.turn_id, _who(hit), excerpt(hit.text, words)) for hit in hits]


def go_to_turn(store: Store, chat: Conversation, turn_id: int) -> None:
    """Show the branch in which a turn was said, a question or an answer; the opening is in all of them."""
    if turn_id in chat.questions:
        show_branch(store, chat, chat.questions[turn_id])
        return
    for question in chat.questions.values():
        for answer in question.answers:
            if answer.id == turn_id:
                after = [q for q in chat.questions.values() if turn_id in q.follows]
                if after:
                    show_branch(store, chat, max(after, key=lambda q: q.id))
                else:
                    go_to(store, chat, question, {answer.side: answer.id})


def excerpt(text: str, words: list[str]) -> str:
    """Return a line of a text from shortly before the first of some words that stands in it."""
    line = clean_line(text)
    places = [found.start() for word in words if (found := re.search(re.escape(word), line, re.IGNORECASE))]
    start = max(0, min(places, default=0) - BEFORE)
    end = start + LONGEST
    return f"{'... ' if start else ''}{line[start:end].strip()}{' ...' if end < len(line) else ''}"


def _who(hit: Hit) -> str:
    if hit.turn_id is None:
        return "title"
    return "you" if hit.role == "user" else hit.model or str(hit.role)
