"""How far a quantised model is from the unquantised one: perplexity, divergence and likeliest tokens of answers."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from studio.errors import StudioError
from studio.inference.engine import Engine, ModelKey
from studio.inference.quantising.held_out import Question
from studio.rendering import ChatTokenizer, render


@dataclass(frozen=True)
class Text:
    """A held-out question with its answer as token ids."""

    example: int
    ids: list[int]
    start: int
    """Where the answer begins."""


@dataclass(frozen=True)
class Loss:
    """What both models say of the same texts."""

    texts: int
    tokens: int
    perplexity: float
    perplexity_before: float
    mean_kl: float
    worst_kl: float
    same_top: float
    kl_of: dict[int, float]
    """The mean of each example's answer."""


WORST = 700.0
"""Nats that stand for what a model computes no number of; their exponential is the largest that a number can be."""


def rendered(tokenizer: ChatTokenizer, questions: Iterable[Question], room: int) -> list[Text]:
    """Return the texts that can be measured: those with an answer that the template renders and the context holds."""
    texts = (_rendered(tokenizer, question) for question in questions if question.answer)
    return [text for text in texts if text is not None and len(text.ids) <= room]


def measure(
    engine: Engine, key: ModelKey, before: ModelKey, texts: list[Text], on_text: Callable[[int], None] = lambda _: None
) -> Loss:
    """Compare a model with the unquantised one, at each token of the answers; `on_text` is told how many are done.

    Raises:
        EngineError: a model can't be loaded, or llama.cpp's process died.
        StudioError: there is no text to measure.
    """
    if not texts:
        raise StudioError(
            "No held-out text can be measured: none has an answer that the context holds.",
            "Quantise with --no-test, or hold out shorter examples.",
        )
    scored = engine.compare(key, [text.ids for text in texts], [text.start for text in texts], reference=before)
    tokens = same = 0
    said = said_before = total_kl = worst = 0.0
    kl_of: dict[int, float] = {}
    for number, (text, one) in enumerate(zip(texts, scored, strict=True), 1):
        tokens += len(one.logprobs)
        said += math.fsum(_or(-WORST, one.logprobs))
        said_before += math.fsum(one.reference_logprobs)
        kls = _or(WORST, one.kl)
        kl = math.fsum(kls)
        total_kl += kl
        worst = max(worst, *kls)
        same += sum(one.same_top)
        kl_of[text.example] = kl / len(kls)
        on_text(number)
    return Loss(
        texts=len(texts),
        tokens=tokens,
        perplexity=_perplexity(said, tokens),
        perplexity_before=_perplexity(said_before, tokens),
        mean_kl=total_kl / tokens,
        worst_kl=worst,
        same_top=same / tokens,
        kl_of=kl_of,
    )


def _or(worst: float, numbers: list[float]) -> list[float]:
    return [worst if math.isnan(number) else number for number in numbers]


def _perplexity(logprobs: float, tokens: int) -> float:
    # A model that finds an answer impossible is as bad as a number can say.
    return math.exp(min(-logprobs / tokens, WORST))


def _rendered(tokenizer: ChatTokenizer, question: Question) -> Text | None:
    try:
        rendering = render(tokenizer, [*question.prompt, *question.answer], question.tools)
    except StudioError:
        return None
    if rendering.prompt_length == 0 or rendering.prompt_length == len(rendering.ids):
        return None
    return Text(question.example, rendering.ids, rendering.prompt_length)
