"""What is put before a question: passages of the project's documents, and examples that are near it; found once."""

from dataclasses import asdict
from typing import Any

from store.database import Store
from studio.chatting.conversation import Conversation, Question
from studio.chatting.keeping import note
from studio.chatting.settings import ChatSettings
from studio.project import Project


def is_wanted(chat: Conversation, question: Question) -> bool:
    """Return whether something is to be looked up before a question is answered."""
    return bool(chat.settings.documents or chat.settings.examples) and "sent" not in question.notes


def look_up(project: Project, settings: ChatSettings, text: str, store: Store) -> dict[str, Any]:
    """Return what is noted of a question with what was found for it; takes a while.

    Raises:
        StudioError: there are no documents, or their template is wrong.
    """
    from studio.retrieval.asking import augment

    found = augment(project, store, text, documents=settings.documents, examples=settings.examples)
    return {
        "sent": found.messages,
        "passages": [{**asdict(passage), "lines": passage.lines} for passage in found.passages],
        "near": [asdict(example) for example in found.examples],
    }


def keep_found(store: Store, question: Question, found: dict[str, Any]) -> None:
    """Keep what was found with the question: all its answers, and those after it, are given the same."""
    note(store, question, **found)
