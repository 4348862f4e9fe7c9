"""What a question becomes before a model sees it: examples that are near it as turns, and passages in its text."""

from dataclasses import dataclass

from store.database import Store
from store.examples import Message
from studio.project import Project
from studio.retrieval.documents import Passage, passages_for
from studio.retrieval.insertion import inserted
from studio.retrieval.near_examples import NearExample, few_shot_for


@dataclass(frozen=True)
class Augmented:
    """A question with what was looked up for it."""

    messages: list[Message]
    """The examples as turns of user and assistant, then the question's turn; what is sent in its place."""
    text: str
    """What the question's own turn says: the passages and the question."""
    passages: tuple[Passage, ...] = ()
    examples: tuple[NearExample, ...] = ()


def augment(project: Project, store: Store, question: str, *, documents: bool, examples: int) -> Augmented:
    """Return a question with passages of the project's documents, and with so many of its approved examples.

    Raises:
        StudioError: there are no documents, or their template can't be used.
    """
    passages = tuple(passages_for(project, question)) if documents else ()
    near = tuple(few_shot_for(store, question, examples)) if examples else ()
    text = inserted(project.settings.documents, question, passages) if documents else question
    shown = [turn for example in near for turn in example.turns]
    return Augmented([*shown, {"role": "user", "content": text}], text, passages, near)
