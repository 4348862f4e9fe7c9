"""A chat as a tree: questions that branch, and the answers of one to four models, each with others beside it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from store.examples import Message
from studio.chatting.settings import ChatSettings, with_seed_moved
from studio.chatting.traces import Trace
from studio.inference.engine import Sampling

MOST_MODELS = 4


@dataclass(frozen=True)
class Answer:
    """What a model said, and how fast."""

    text: str
    stats: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    """Its turn in the project's file; 0 until it is kept."""
    side: int = 0
    trace: Trace | None = field(default=None, repr=False, compare=False)
    """The tokens sent and received, until they are kept: `trace_of` reads them then."""


Spot = tuple[int | None, frozenset[int]]


@dataclass
class Question:
    """A question, with all answers that were ever given to it."""

    id: int
    text: str
    parent_id: int | None = None
    """The question before it; None for a first one."""
    follows: tuple[int, ...] = ()
    """The answers before it, one a side that had answered."""
    answers: list[Answer] = field(default_factory=list)
    """Of all sides, in the order in which they were given."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What else is kept of it: `sent`, `passages`, `blind`, `revealed`, `verdict`, `example`."""

    def answers_of(self, side: int) -> list[Answer]:
        """Return a side's answers, oldest first."""
        return [answer for answer in self.answers if answer.side == side]

    @property
    def place(self) -> Spot:
        """Where it stands: after which question, and which answers to it."""
        return self.parent_id, frozenset(self.follows)

    @property
    def sent(self) -> list[Message]:
        """What the models are given for it: the text alone, or with examples and passages before it."""
        return self.notes.get("sent") or self.plain

    @property
    def plain(self) -> list[Message]:
        """The question as it was written."""
        return [{"role": "user", "content": self.text}]


class Exchange(NamedTuple):
    """A question in sight with the answer in sight of each side; None where there is none (yet)."""

    asked: Question
    answers: tuple[Answer | None, ...]

    @property
    def question(self) -> str:
        """The question's text."""
        return self.asked.text


class Place(NamedTuple):
    """Which one of how many stands here, counted from 1."""

    number: int
    of: int


@dataclass(frozen=True)
class Prompt:
    """All that one model needs to answer."""

    model: str
    messages: list[Message]
    sampling: Sampling
    context: int
    alternatives: int


@dataclass
class Conversation:
    """A chat as it goes on; `studio.chatting.keeping` changes it and writes each change down."""

    models: list[str]
    """Base models and runs; each has a side."""
    opening: list[Message] = field(default_factory=list)
    """What comes before the first question: a system prompt, the earlier turns of a held-out prompt."""
    settings: ChatSettings = field(default_factory=ChatSettings)
    title: str = ""
    example_id: int | None = None
    """The example whose prompt the first question completes."""
    chat_id: int | None = None
    questions: dict[int, Question] = field(default_factory=dict)
    shown_id: int | None = None
    """The last question in sight."""
    chosen: dict[int, int] = field(default_factory=dict)
    """By side, the answer to it that is in sight; where none is named the newest."""
    _placed: dict[Spot, list[Question]] = field(default_factory=dict, repr=False, compare=False)
    """The questions by where they stand, once somebody asks: long chats ask for the places of all at once."""

    @property
    def system(self) -> str:
        """The system prompt; empty where there is none."""
        return str(self.opening[0]["content"]) if self.opening and self.opening[0]["role"] == "system" else ""

    def set_system(self, text: str) -> None:
        """Put another system prompt first, or none; only before the first question."""
        rest = self.opening[1:] if self.system else self.opening
        self.opening = [{"role": "system", "content": text}, *rest] if text else list(rest)

    def add(self, question: Question) -> None:
        """Take in a question."""
        self.questions[question.id] = question
        if self._placed:
            self._placed.setdefault(question.place, []).append(question)

    def drop(self, question: Question) -> None:
        """Let go of a question that nothing follows."""
        del self.questions[question.id]
        if self._placed:
            self._placed[question.place].remove(question)

    @property
    def exchanges(self) -> list[Exchange]:
        """The branch in sight, first question first."""
        return self.path(self.shown_id)

    @property
    def last(self) -> Question | None:
        """The last question in sight."""
        return None if self.shown_id is None else self.questions[self.shown_id]

    def path(self, question_id: int | None) -> list[Exchange]:
        """Return the branch that leads to a question, with the answers that it follows."""
        return list(self._up(question_id))[::-1]

    def in_sight(self, question: Question) -> tuple[Answer | None, ...]:
        """Return the answers to a question that are in sight; the newest, where the question is not."""
        shown = next((exchange for exchange in self._up(self.shown_id) if exchange.asked is question), None)
        return shown.answers if shown else self._last_answers(question)

    def author_of(self, answer: Answer) -> str:
        """Return whose answer it is, also where another model goes on from it."""
        return self.models[int(answer.stats.get("from_side", answer.side))]

    def messages(self, side: int, question_id: int | None = None, *, plain: bool = False) -> list[Message]:
        """Return what a model is given: the questions it answered with its answers, and the one that is asked.

        Plain ones are the same without what was put before the questions.
        """
        found = list(self.opening)
        exchanges = self.path(self.shown_id if question_id is None else question_id)
        for exchange in exchanges:
            answer = None if exchange is exchanges[-1] else exchange.answers[side]
            if answer or exchange is exchanges[-1]:
                found += exchange.asked.plain if plain else exchange.asked.sent
            if answer:
                found.append({"role": "assistant", "content": answer.text})
        return found

    def prompt(self, side: int, question_id: int | None = None) -> Prompt:
        """Return all that a side's model needs to answer a question; answered again, the seed has moved on."""
        number = self.shown_id if question_id is None else question_id
        assert number is not None
        again = len(self.questions[number].answers_of(side))
        sampling = with_seed_moved(self.settings.sampling, again)
        messages = self.messages(side, number)
        return Prompt(self.models[side], messages, sampling, self.settings.context, self.settings.alternatives)

    def comparable(self, question_id: int | None = None) -> bool:
        """Whether two or more models have answered the very same conversation."""
        number = self.shown_id if question_id is None else question_id
        if number is None or len(self.models) < 2:
            return False
        if None in self.in_sight(self.questions[number]):
            return False
        given = [self.messages(side, number) for side in range(len(self.models))]
        return all(messages == given[0] for messages in given[1:])

    def siblings(self, question: Question) -> list[Question]:
        """Return the questions that were asked in this one's place, itself among them, oldest first."""
        if not self._placed:
            for _, each in sorted(self.questions.items()):
                self._placed.setdefault(each.place, []).append(each)
        return self._placed[question.place]

    def place_of_question(self, question: Question) -> Place:
        """Return which of the questions in its place a question is."""
        siblings = self.siblings(question)
        return Place(siblings.index(question) + 1, len(siblings))

    def place_of_answer(self, question: Question, answer: Answer) -> Place:
        """Return which of its side's answers to the question an answer is."""
        ids = [each.id for each in question.answers_of(answer.side)]
        return Place(ids.index(answer.id) + 1, len(ids))

    def next_question(self, question: Question, follows: frozenset[int]) -> Question | None:
        """Return the newest question that was asked after these answers to a question."""
        after = [q for q in self.questions.values() if q.place == (question.id, follows)]
        return max(after, key=lambda q: q.id, default=None)

    def newest_below(self, question: Question) -> Question:
        """Return the question asked last of a question and all that came of it."""
        below = {question.id}
        # A question is always newer than the one before it.
        for number in sorted(self.questions):
            if self.questions[number].parent_id in below:
                below.add(number)
        return self.questions[max(below)]

    def _up(self, question_id: int | None) -> Iterator[Exchange]:
        if question_id is None:
            return
        question = self.questions[question_id]
        yield Exchange(question, self._last_answers(question))
        while question.parent_id is not None:
            follows, question = frozenset(question.follows), self.questions[question.parent_id]
            stood = {answer.side: answer for answer in question.answers if answer.id in follows}
            yield Exchange(question, tuple(stood.get(side) for side in range(len(self.models))))

    def _last_answers(self, question: Question) -> tuple[Answer | None, ...]:
        """Return the answers in sight to a question that stands last: those chosen, else the newest."""
        wanted = self.chosen if question.id == self.shown_id else {}
        found: list[Answer | None] = []
        for side in range(len(self.models)):
            given = question.answers_of(side)
            newest = given[-1] if given else None
            found.append(next((answer for answer in given if answer.id == wanted.get(side)), newest))
        return tuple(found)
