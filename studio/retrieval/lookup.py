"""What record templates look up while they are applied: passages for a question, and examples near it."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from sqlite3 import Connection

from store.database import Store
from store.examples import Message
from studio.assistant.system import system_of
from studio.project import Project, open_project


@dataclass
class Lookup:
    """Looks things up for the records of one project; settings and index are opened at the first need."""

    store: Store
    keeps: bool = False
    """Whether what it finds goes into examples, and is to be written down; else somebody only looks."""
    _open: ExitStack = field(default_factory=ExitStack)
    _index: Connection | None = None

    def __enter__(self) -> "Lookup":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def project(self) -> Project:
        """The project whose records these are."""
        return open_project(self.store.path.parent)

    @cached_property
    def assistant(self) -> str:
        """The system prompt of the project's assistant; empty where it states none."""
        return system_of(self.project)

    def passages(self, question: object) -> str:
        """Return a question as chat sends it: with the passages that are found for it.

        Raises:
            StudioError: see `passages_for` and `inserted`.
        """
        from store import inserted_passages, passages
        from studio.retrieval.documents import keep_up, search
        from studio.retrieval.insertion import inserted

        if self._index is None:
            self._index = self._open.enter_context(passages.opened(self.project.database))
            keep_up(self.project, self._index)
        found = search(self.project, self._index, str(question))
        if self.keeps:
            inserted_passages.note(self.store, (each.as_inserted() for each in found))
        return inserted(self.project.settings.documents, str(question), found)

    def examples(self, question: str, wanted: int) -> list[Message]:
        """Return the turns of examples near a question; their answers are not to be learnt once more."""
        from studio.retrieval.near_examples import few_shot_for

        near = few_shot_for(self.store, question, wanted)
        turns = (turn for example in near for turn in example.turns)
        return [{**turn, "weight": 0} if turn["role"] == "assistant" else turn for turn in turns]
