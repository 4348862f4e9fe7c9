"""What is to be varied: the examples, the ways, the model; fixed when it begins, so that a stop changes nothing."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, NamedTuple

from store import examples, find, synthetic
from store.database import Store
from store.errors import StoreError
from studio.errors import StudioError
from studio.generating.speakers import check_model, lasting_ref, leaving
from studio.project import Project
from studio.synthetic.methods import Method, method_named, needs_model

MOST_SOURCES = 100
"""Examples that are varied unless more are asked for: each prompt that comes of it wants to be read."""

MOST_OF_EACH = 20


class Step(NamedTuple):
    """One prompt that is to be made."""

    source_id: int
    method: Method
    number: int
    seed: int


@dataclass(frozen=True)
class VaryRequest:
    """What a job makes; kept with it as JSON."""

    ids: tuple[int, ...]
    methods: tuple[Method, ...]
    model: str
    """Empty where only rules are used."""
    n: int = 1
    """Prompts of each example by each method."""
    seed: int = 1
    temperature: float = 0.9
    send: bool = False
    """The user was told what leaves the machine, and agreed."""

    @classmethod
    def from_json(cls, request: dict[str, Any]) -> "VaryRequest":
        """Return what a job was asked for."""
        return cls(**{**request, "ids": tuple(request["ids"]), "methods": tuple(request["methods"])})

    def as_json(self) -> dict[str, Any]:
        """Return it as a job keeps it."""
        return asdict(self)

    @property
    def asked_of_model(self) -> int:
        """How often a model is asked."""
        return len(self.ids) * self.n * sum(map(needs_model, self.methods))

    @property
    def total(self) -> int:
        """How many prompts are to be made at most."""
        return len(self.ids) * self.n * len(self.methods)

    @property
    def sentence(self) -> str:
        """What is asked for, in words."""
        number = len(self.ids)
        examples = f"{number:,} {'example' if number == 1 else 'examples'}"
        by = f", by {self.model}" if self.model else ""
        return f"{', '.join(self.methods)} of {examples}, {self.n} each{by}: {self.total:,} prompts at most."

    def steps(self, done: int = 0) -> Iterator[Step]:
        """Yield the prompts to be made after so many; an example's prompts follow each other."""
        each = len(self.methods) * self.n
        for at in range(done, self.total):
            source_id, of_source = self.ids[at // each], at % each
            method, number = self.methods[of_source // self.n], of_source % self.n + 1
            yield Step(source_id, method, number, _seed(self.seed, source_id, method, number))

    def leaving(self, project: Project) -> str:
        """Say what leaves the machine; empty where nothing does.

        Raises:
            StudioError: an endpoint is meant and none is configured.
        """
        number = len(self.ids)
        what = f"the last message of {number:,} {'prompt' if number == 1 else 'prompts'}"
        return leaving(project, [self.model], what, self.asked_of_model) if self.asked_of_model else ""


def plan(
    project: Project,
    store: Store,
    methods: Sequence[str],
    *,
    model: str = "",
    query: str = "",
    ids: Sequence[int] | None = None,
    limit: int = MOST_SOURCES,
    n: int = 1,
    seed: int = 1,
    send: bool = False,
) -> VaryRequest:
    """Choose what is varied: the examples of a query, or the ids given; of too many, some by chance.

    Raises:
        StudioError: a method is not known, the query can't be read, there is no example to vary, or the model can't be
            asked.
    """
    ways = tuple(dict.fromkeys(map(method_named, methods)))
    if not ways:
        raise StudioError("No way to vary prompts is named.", "Name one, such as paraphrase or typos.")
    if not 1 <= n <= MOST_OF_EACH:
        raise StudioError(f"{n} prompts of each example is not possible.", f"It is between 1 and {MOST_OF_EACH}.")
    usable = synthetic.usable_sources(store, _wanted(store, query) if ids is None else ids)
    if not usable:
        raise StudioError(
            "There is no example to vary.",
            "Examples that are excluded, rejected or synthetic themselves are not varied.",
        )
    if len(usable) > limit:
        usable = sorted(Random(seed).sample(usable, limit))
    ref = (model or project.settings.model) if any(map(needs_model, ways)) else ""
    if ref:
        check_model(project, store, ref)
    return VaryRequest(tuple(usable), ways, ref and lasting_ref(store, ref), n=n, seed=seed, send=send)


def _wanted(store: Store, query: str) -> list[int]:
    if not query.strip():
        return list(examples.span(store))
    try:
        return [number for chunk in find.ids(store, "example", query) for number in chunk]
    except StoreError as error:
        raise StudioError(str(error)) from error


def _seed(seed: int, source_id: int, method: Method, number: int) -> int:
    digest = hashlib.blake2b(f"{seed} {source_id} {method} {number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")
