"""Pairs for queues, and a person who judges all that comes."""

from collections.abc import Callable, Iterator
from itertools import islice

from store import examples, pairs, responses
from store.database import Store, now
from studio.labelling import judging
from studio.labelling.queue import Queue
from studio.labelling.shown import Shown
from studio.labelling.task_settings import Task

AUTHORS = ("Anna", "Bert")
PLAIN = Task("t", repeats=0, anchors=0)


def task(**changes: object) -> Task:
    """Return a task in which nothing comes back."""
    return Task("t", **{"repeats": 0, "anchors": 0, **changes})


def ids(shown: list[Shown]) -> list[int]:
    """Return the pairs that were shown."""
    return [each.pair.id for each in shown]


def add_prompt(store: Store, authors: tuple[str, ...] = AUTHORS, *, record_id: int | None = None) -> int:
    """Add a prompt with a reply by each author; return the example."""
    prompt = [{"role": "user", "content": "Why?"}]
    example_id = examples.add(store, record_id=record_id, messages=prompt, split="train")
    for number, author in enumerate(authors):
        said = [{"role": "assistant", "content": f"reply {number} to {example_id}"}]
        responses.add(store, example_id, said, origin="model", author=author)
    return example_id


def add_pair(store: Store, authors: tuple[str, str] = AUTHORS, *, seed: int = 0) -> int:
    """Add a pair with a prompt of its own."""
    example_id = add_prompt(store, authors)
    first, second = (response.id for response in responses.of_example(store, example_id))
    return pairs.add_pair(store, example_id, first, second, seed=seed)


def add_pairs(store: Store, number: int) -> list[int]:
    """Add so many pairs."""
    with store.transaction():
        return [add_pair(store) for _ in range(number)]


def better(name: str) -> Callable[[Shown], str]:
    """Return how a person judges who likes one author better."""
    return lambda shown: "left" if shown.left.author == name else "right"


def judge(store: Store, queue: Queue, shown: Shown, verdict: str = "left") -> int:
    """Judge a pair that the queue gave out."""
    line = judging.judge(store, shown, verdict, rater=queue.rater, task=queue.task.name, shown_at=now())
    queue.judged(shown, verdict)
    return line


def work(store: Store, queue: Queue, verdict: Callable[[Shown], str] = better("Anna")) -> Iterator[Shown]:
    """Judge whatever comes, until nothing does."""
    while shown := queue.next(store):
        queue.prefetch(store)
        judge(store, queue, shown, verdict(shown))
        yield shown


def judge_some(store: Store, queue: Queue, number: int) -> list[Shown]:
    """Judge so many."""
    return list(islice(work(store, queue), number))


def ready(store: Store, queue: Queue) -> Queue:
    """Return a queue with its plan."""
    queue.use(queue.plan(store))
    return queue
