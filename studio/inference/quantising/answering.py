"""Likeliest answers of the unquantised and the quantised model to the same prompts, and how fast both give them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from studio.errors import StudioError
from studio.inference.engine import Engine, ModelKey, Sampling
from studio.inference.quantising.held_out import Question
from studio.rendering import ChatTokenizer, render_prompt

ROUNDS = 4
"""Replies of each model that are timed, in turn; the first of each only warms up."""

TIMED_TOKENS = 32


@dataclass
class Answers:
    """One model's likeliest answers, each made once."""

    engine: Engine
    tokenizer: ChatTokenizer
    key: ModelKey
    tokens: int
    """Tokens after which an answer is cut."""
    known: dict[int, str] = field(default_factory=dict)

    def to(self, question: Question) -> str | None:
        """Return the answer to a question; None where the template refuses it or the context can't hold it.

        Raises:
            EngineError: llama.cpp's process died.
        """
        if question.example not in self.known:
            ids = prompt_ids(self.tokenizer, question, self.key.context - self.tokens)
            if ids is None:
                return None
            self.known[question.example] = self._answer(ids)
        return self.known[question.example]

    def _answer(self, ids: list[int]) -> str:
        sampling = Sampling(temperature=0.0, max_tokens=self.tokens)
        said = self.engine.generate(self.key, ids, sampling, self.tokenizer.eos_ids, repeatable=True)
        return "".join(token.text for token in said).strip()


def prompt_ids(tokenizer: ChatTokenizer, question: Question, room: int) -> list[int] | None:
    """Return a question's prompt as token ids, where it can be asked."""
    try:
        ids = render_prompt(tokenizer, question.prompt, question.tools).ids
    except StudioError:
        return None
    return ids if len(ids) <= room else None


@dataclass(frozen=True)
class Speed:
    """Tokens a second."""

    after: float
    before: float
    ratio: float
    """How many times as fast as before: the middle one of the turns, each of which both models had one machine for."""


def speeds(engine: Engine, key: ModelKey, before: ModelKey, prompts: Sequence[list[int]]) -> Speed:
    """Return how many tokens a second a model makes, and the unquantised one, in turn.

    Raises:
        EngineError: llama.cpp's process died.
    """
    found: dict[ModelKey, list[float]] = {key: [], before: []}
    for turn in range(ROUNDS):
        for each in (key, before) if turn % 2 else (before, key):
            # Without an end, so that a model of few words is timed for as long as another.
            said = engine.generate(each, prompts[turn % len(prompts)], Sampling(temperature=0, max_tokens=TIMED_TOKENS))
            for _ in said:
                pass
            found[each].append(float(said.stats["tokens_per_second"]))
    after, unquantised = found[key][1:], found[before][1:]
    ratios = [new / old for new, old in zip(after, unquantised, strict=True) if old]
    return Speed(statistics.median(after), statistics.median(unquantised), statistics.median(ratios) if ratios else 0.0)
