"""Pairs to be judged, and verdicts given some seconds after they were shown."""

from datetime import datetime, timedelta
from itertools import count

from store import examples, journal, pairs, responses
from store.database import Store
from store.pairs import Pair

_NUMBERS = count()


def ask(
    store: Store,
    *,
    prompt: str = "",
    first: str = "long answer",
    second: str = "short",
    authors: tuple[str, str] = ("Anna", "Bert"),
    seed: int = 0,
) -> Pair:
    """Add a pair of an answer by Anna and one by Bert, to a prompt of its own unless one is named."""
    question = [{"role": "user", "content": prompt or f"Question {next(_NUMBERS)}"}]
    example_id = examples.add(store, record_id=None, messages=question, split="train")
    made = [
        responses.add(store, example_id, [{"role": "assistant", "content": text}], origin="human", author=author)
        for text, author in zip((first, second), authors, strict=True)
    ]
    return pairs.get(store, pairs.add_pair(store, example_id, *made, seed=seed))


def judge(
    store: Store,
    pair: Pair,
    verdict: str,
    *,
    seconds: float | None = 3.0,
    rater: str = "Ada",
    swapped: bool = False,
    **more: object,
) -> int:
    """Judge a pair that was shown some seconds ago; None where it was judged by its file."""
    shown = None if seconds is None else (datetime.now().astimezone() - timedelta(seconds=seconds)).isoformat()
    pair = pair._replace(seed=pair.seed + 1) if swapped else pair
    return journal.judge(store, pair, verdict, rater=rater, shown_at=shown, **more)
