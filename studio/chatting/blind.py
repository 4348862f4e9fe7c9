"""Answers shown without names, in an order that chance decided, until they are judged or the names are asked for."""

import random

from store.database import Store
from studio.chatting.conversation import Conversation, Question
from studio.chatting.keeping import note


def order(chat: Conversation, question: Question) -> tuple[int, ...]:
    """Return the sides in the order in which their answers to a question are shown."""
    sides = list(range(len(chat.models)))
    if "blind" in question.notes:
        random.Random(int(question.notes["blind"])).shuffle(sides)
    return tuple(sides)


def is_hidden(question: Question) -> bool:
    """Return whether the names of those who answered a question are not to be shown yet."""
    return "blind" in question.notes and not {"verdict", "revealed"} & question.notes.keys()


def reveal(store: Store, chat: Conversation, question: Question) -> None:
    """Show the names, here and wherever the models stand as here; a verdict given after that is not a blind one."""
    known = question.notes.get("blind")
    for each in chat.questions.values():
        if is_hidden(each) and each.notes["blind"] == known:
            note(store, each, revealed=True)
