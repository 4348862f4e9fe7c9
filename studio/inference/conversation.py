"""A chat with one or two models: all hear the same questions, each remembers its own answers."""

from dataclasses import dataclass, field, replace
from typing import Any

from store import chats, examples, journal, pairs, responses, runs, splits
from store.database import Store
from store.errors import MissingRowError
from store.examples import Message, prompt_group, prompt_of
from store.pairs import Verdict
from store.responses import ResponseOrigin
from studio.inference.engine import Sampling
from studio.project import Project
from studio.splits import split_of


@dataclass(frozen=True)
class Answer:
    """What a model said, and how fast."""

    text: str
    stats: dict[str, Any] = field(default_factory=dict)


@dataclass
class Exchange:
    """A question with each model's answer; None where there is none (yet)."""

    question: str
    answers: list[Answer | None]


@dataclass
class Conversation:
    """A chat as it goes on."""

    models: list[str]
    """A base model or a run, or a base model on the left and a run on the right."""
    opening: list[Message] = field(default_factory=list)
    """What comes before the first question: a system prompt, the earlier turns of a held-out prompt."""
    exchanges: list[Exchange] = field(default_factory=list)
    example_id: int | None = None
    """The example whose prompt the first question completes."""
    chat_id: int | None = None

    @property
    def system(self) -> str:
        """The system prompt; empty where there is none."""
        return str(self.opening[0]["content"]) if self.opening and self.opening[0]["role"] == "system" else ""

    def set_system(self, text: str) -> None:
        """Put another system prompt first, or none."""
        rest = self.opening[1:] if self.system else self.opening
        self.opening = [{"role": "system", "content": text}, *rest] if text else list(rest)

    def ask(self, question: str) -> Exchange:
        """Add a question that waits for its answers."""
        self.exchanges.append(Exchange(question, [None] * len(self.models)))
        return self.exchanges[-1]

    def messages(self, side: int) -> list[Message]:
        """Return what a model is given: the questions it answered, and the last one."""
        found = list(self.opening)
        for exchange in self.exchanges[:-1]:
            answer = exchange.answers[side]
            if answer is not None:
                found += [_turn("user", exchange.question), _turn("assistant", answer.text)]
        return found + [_turn("user", e.question) for e in self.exchanges[-1:]]

    def answer(self, side: int, answer: Answer | None) -> None:
        """Note a model's answer to the last question."""
        self.exchanges[-1].answers[side] = answer

    @property
    def comparable(self) -> bool:
        """Whether two models have just answered the very same conversation."""
        if len(self.models) != 2 or not self.exchanges or None in self.exchanges[-1].answers:
            return False
        return self.messages(0) == self.messages(1)


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def sides_of(store: Store, ref: str) -> list[str]:
    """Return who answers for a run's id (its base, then itself) or for a model's name (itself)."""
    try:
        return [runs.get(store, ref).base_model, ref]
    except MissingRowError:
        return [ref]


def keep_question(store: Store, conversation: Conversation) -> None:
    """Write the last question down, and before the first one all that opened the chat."""
    if conversation.chat_id is None:
        conversation.chat_id = chats.start(store, conversation.exchanges[-1].question[:80])
        for message in conversation.opening:
            chats.add_turn(store, conversation.chat_id, message["role"], str(message["content"]))
    chats.add_turn(store, conversation.chat_id, "user", conversation.exchanges[-1].question)


def keep_answer(store: Store, conversation: Conversation, side: int, answer: Answer) -> None:
    """Write an answer down with who gave it."""
    if conversation.chat_id is not None:
        chats.add_turn(
            store,
            conversation.chat_id,
            "assistant",
            answer.text,
            model=conversation.models[side],
            stats=answer.stats,
        )


def held_out_ids(store: Store) -> list[int]:
    """Return the examples that no training has seen, validation before test."""
    return [*examples.ids_of_split(store, "validation"), *examples.ids_of_split(store, "test")]


def from_held_out(store: Store, conversation: Conversation, example_id: int) -> Conversation | None:
    """Return a new chat that opens with an example's prompt and has its question; None where it has none."""
    example = examples.get(store, example_id)
    prompt = prompt_of(example.messages)
    plain = all(m["role"] in ("system", "user", "assistant") and isinstance(m.get("content"), str) for m in prompt)
    if example.excluded or not prompt or not plain or prompt[-1]["role"] != "user":
        return None
    fresh = Conversation(conversation.models, prompt[:-1], example_id=example_id)
    fresh.ask(prompt[-1]["content"])
    return fresh


def keep_preference(
    project: Project, store: Store, conversation: Conversation, verdict: Verdict, sampling: Sampling
) -> int:
    """Turn the last two answers into a judged pair, as the models stood left and right; return the pair's id."""
    exchange = conversation.exchanges[-1]
    prompt = conversation.messages(0)
    group = prompt_group(prompt)
    with store.transaction():
        example_id = conversation.example_id
        if example_id is None or prompt_of(examples.get(store, example_id).messages) != prompt:
            split = splits.of_group(store, group) or split_of(group, project.settings.splits)
            example_id = examples.add(store, record_id=None, messages=prompt, split=split)
        first, second = (
            responses.add(
                store,
                example_id,
                [_turn("assistant", answer.text if answer else "")],
                origin=_origin(store, model),
                author=model,
                parameters=vars(sampling),
            )
            for model, answer in zip(conversation.models, exchange.answers, strict=True)
        )
        pair = pairs.get(store, pairs.add_pair(store, example_id, first, second, seed=0))
        # Not blind, so without the moment of showing: the figures on bias and pace leave it out.
        journal.judge(store, pair, verdict, rater=project.rater)
    return pair.id


def with_sampling(sampling: Sampling, changes: dict[str, str]) -> Sampling:
    """Return sampling settings with changes given as text.

    Raises:
        ValueError: a value is no number, or out of its range; the message says which.
    """
    values: dict[str, Any] = {}
    for name, text in changes.items():
        kind = type(getattr(sampling, name))
        try:
            values[name] = kind(text)
        except ValueError:
            what = "whole number" if kind is int else "number"
            raise ValueError(f"{name} must be a {what}, not {text!r}") from None
    changed = replace(sampling, **values)
    if changed.temperature < 0:
        raise ValueError("temperature must not be below 0")
    if not 0 < changed.top_p <= 1:
        raise ValueError("top_p must be above 0 and at most 1")
    if changed.max_tokens < 1:
        raise ValueError("max_tokens must be at least 1")
    if not 0 <= changed.seed < 2**32:
        raise ValueError("seed must be between 0 and 4294967295")
    return changed


def _origin(store: Store, model: str) -> ResponseOrigin:
    return "run" if len(sides_of(store, model)) == 2 else "model"
