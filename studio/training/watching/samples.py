"""Answers to a few held-out prompts in the course of a run, so that one sees it learn."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.examples import Message, prompt_of

if TYPE_CHECKING:
    from studio.rendering import ChatTokenizer

PROMPT_TOKENS = 512
"""Longer prompts are not asked: they would cost more than they show."""


@dataclass(frozen=True)
class Prompt:
    """A held-out prompt that is asked at each measurement."""

    example: int
    asked: str
    """What the user said last."""
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """What the model answered at one step."""

    step: int
    at: str
    example: int
    prompt: str
    reply: str
    ended: bool
    """Whether it ended its answer itself, where otherwise it was cut."""


def choose(tokenizer: "ChatTokenizer", rows: Iterable[dict[str, Any]], wanted: int, seed: int) -> list[Prompt]:
    """Return some short prompts of held-out rows, always the same for the same rows and seed.

    Args:
        tokenizer: renders them as training does.
        rows: a split of the run's data, as its folder holds them.
        wanted: how many.
        seed: decides which.
    """
    asked: dict[str, tuple[int, list[Message], list[dict[str, Any]] | None]] = {}
    for row in rows:
        messages = row.get("prompt") or prompt_of(row.get("messages") or [])
        if messages and messages[-1]["role"] == "user":
            asked.setdefault(json.dumps([messages, row.get("tools")]), (row["example"], messages, row.get("tools")))
    short = sorted(asked, key=len)[: max(wanted, len(asked) // 2)]
    random.Random(seed).shuffle(short)
    prompts = (_rendered(tokenizer, *asked[key]) for key in short)
    return [prompt for prompt, _ in zip(_fitting(prompts), range(wanted), strict=False)]


def answer(model: Any, tokenizer: "ChatTokenizer", prompts: Sequence[Prompt], tokens: int) -> list[tuple[str, bool]]:
    """Return the likeliest answer to each prompt, and whether it ended by itself."""
    import torch

    ends = sorted(tokenizer.eos_ids)
    pad = ends[0] if ends else 0
    width = max(len(prompt.ids) for prompt in prompts)
    ids = torch.tensor([[pad] * (width - len(p.ids)) + list(p.ids) for p in prompts], device=model.device)
    mask = torch.tensor([[0] * (width - len(p.ids)) + [1] * len(p.ids) for p in prompts], device=model.device)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            written = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=tokens,
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                use_cache=True,
                eos_token_id=ends or None,
                pad_token_id=pad,
            )
    finally:
        model.train(was_training)
    return [_reply(tokenizer, row[width:]) for row in written.tolist()]


def append(path: Path, samples: Iterable[Sample]) -> None:
    """Add samples to a run's file."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(sample)) + "\n" for sample in samples)


def read(path: Path) -> list[Sample]:
    """Return the samples of a run's file, by step; what a later part of the run said of a step again counts."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return []
    return list(_read(path, state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=4)
def _read(path: Path, _size: int, _changed: int) -> tuple[Sample, ...]:
    """Read a file once for each of its states: it is asked for each second."""
    found = {(sample.step, sample.example): sample for sample in _lines(path)}
    return tuple(sorted(found.values(), key=lambda sample: sample.step))


def _lines(path: Path) -> Iterator[Sample]:
    for line in path.read_bytes().splitlines():
        try:
            yield Sample(**json.loads(line))
        except (ValueError, TypeError):
            # Cut short by a full disk or a kill, or being written just now.
            continue


def _fitting(prompts: Iterable[Prompt | None]) -> Iterator[Prompt]:
    return (prompt for prompt in prompts if prompt is not None and len(prompt.ids) <= PROMPT_TOKENS)


def _rendered(
    tokenizer: "ChatTokenizer", example: int, messages: list[Message], tools: list[dict[str, Any]] | None
) -> Prompt | None:
    from studio.errors import StudioError
    from studio.rendering import render_prompt

    try:
        ids = render_prompt(tokenizer, messages, tools).ids
    except StudioError:
        return None
    return Prompt(example, str(messages[-1]["content"]), tuple(ids))


def _reply(tokenizer: "ChatTokenizer", ids: list[int]) -> tuple[str, bool]:
    end = next((place for place, token in enumerate(ids) if token in tokenizer.eos_ids), None)
    return tokenizer.decode(ids[:end]).strip(), end is not None
