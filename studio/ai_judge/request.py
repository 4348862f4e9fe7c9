"""Which pairs a judge is asked about: only those that the person has decided, in an order that favours none."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from store import judgements
from store.database import Store
from studio.errors import StudioError
from studio.generating.speakers import check_model, lasting_ref, leaving
from studio.labelling.tasks import task_named
from studio.project import Project

ORDERS = 2
"""How often a judge is asked about each pair: with the one reply first, then with the other."""


@dataclass(frozen=True)
class JudgeRequest:
    """What a job asks a judge; kept with it as JSON."""

    pairs: tuple[int, ...]
    model: str
    guidance: str = ""
    """What the people who judge are told; the judge is told the same."""
    max_tokens: int = 200
    send: bool = False
    """The user was told what leaves the machine, and agreed."""

    @classmethod
    def from_json(cls, request: dict[str, Any]) -> "JudgeRequest":
        """Return what a job was asked for."""
        return cls(**{**request, "pairs": tuple(request["pairs"])})

    def as_json(self) -> dict[str, Any]:
        """Return it as a job keeps it."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """What is asked for, in words."""
        number = len(self.pairs)
        return (
            f"{number:,} {'pair' if number == 1 else 'pairs'} that you have decided, in both orders, by {self.model}."
        )

    def leaving(self, project: Project) -> str:
        """Say what leaves the machine; empty where nothing does.

        Raises:
            StudioError: an endpoint is meant and none is configured.
        """
        what = f"{len(self.pairs):,} prompts, each with two replies, and the task's instructions"
        return leaving(project, [self.model], what, ORDERS * len(self.pairs))


def plan(
    project: Project,
    store: Store,
    *,
    model: str = "",
    task: str = "",
    rater: str = "",
    limit: int | None = None,
    send: bool = False,
) -> JudgeRequest:
    """Choose the pairs that a judge is asked about; it is told the task's instructions where a task is named.

    The order is by chance, so that what was judged before a stop stands for the rest; new pairs come first.

    Raises:
        StudioError: there is no such task, the person has decided no pair yet, or the model can't be asked.
    """
    named = task_named(project, task) if task else None
    who = rater or project.rater
    decided = judgements.judged_by(store, who, named.name if named else "")
    if not decided:
        where = f" in the task '{named.name}'" if named else ""
        others = [name for name in judgements.raters(store) if name != who]
        raise StudioError(
            f"{who} has decided no pair{where} yet, and a judge is never asked before the person.",
            "Judge some pairs in Compare (3) first"
            + (f", or name somebody who did with --rater: {', '.join(others[:5])}." if others else "."),
        )
    ref = model or project.settings.model
    check_model(project, store, ref)
    judge = lasting_ref(store, ref)
    known = judgements.pairs_of(store, judge)
    pairs = sorted(_shuffled(decided), key=known.__contains__)
    return JudgeRequest(
        tuple(pairs[:limit]), judge, _guidance(named.instructions, named.criteria) if named else "", send=send
    )


def _shuffled(pairs: Sequence[int]) -> list[int]:
    found = list(pairs)
    Random(1).shuffle(found)
    return found


def _guidance(instructions: str, criteria: Sequence[str]) -> str:
    asked = [f"Look at: {', '.join(criteria)}."] if criteria else []
    return "\n".join([*([instructions] if instructions else []), *asked])
