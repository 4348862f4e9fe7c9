"""The held-out texts that a quantised model is tried on: those of the run, or of the project for a base model."""

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from typing import Any

import orjson

from store import runs
from store.database import Store
from store.errors import MissingRowError
from store.examples import Message, completion_of, prompt_of
from store.snapshots import SnapshotKind
from studio.errors import StudioError
from studio.formats.row import PromptRow
from studio.project import Project
from studio.snapshots import build, outcomes
from studio.training.folder import RunFolder

SEED = 0
"""Decides which are taken where there are more than are wanted."""

_KINDS: tuple[SnapshotKind, ...] = ("sft", "preference")


@dataclass(frozen=True)
class Question:
    """A held-out prompt, with the answer that a person gave or chose."""

    example: int
    prompt: list[Message]
    answer: list[Message]
    """Empty where the method learns by trying: then the unquantised model's own answer takes its place."""
    tools: list[dict[str, Any]] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    """Of its record, for checks that hold an answer against it."""

    @property
    def asked(self) -> str:
        """What the user said last."""
        return str(self.prompt[-1].get("content") or "")


def questions_for(project: Project, store: Store, ref: str, most: int) -> list[Question]:
    """Return the held-out questions of a run, or the project's for a base model; always the same for the same data.

    Raises:
        StudioError: nothing is held out.
    """
    one_each: dict[bytes, Question] = {}
    for row in _rows(project, store, ref):
        if question := _question(row):
            one_each.setdefault(orjson.dumps([question.prompt, question.tools]), question)
    found = list(one_each.values())
    if not found:
        raise StudioError(
            f"No example is held out for {ref}, so nothing can be said of what quantising costs.",
            "Give the validation split a share in studio.toml, or quantise with --no-test.",
        )
    chosen = found
    if len(found) > most:
        places = sorted(random.Random(SEED).sample(range(len(found)), most))
        chosen = [found[place] for place in places]
    return _with_fields(store, chosen)


def digest(questions: Iterable[Question]) -> str:
    """Return a hash of questions: what was measured on others is measured anew."""
    return hashlib.sha256(orjson.dumps([asdict(question) for question in questions])).hexdigest()[:16]


def _rows(project: Project, store: Store, ref: str) -> Iterator[dict[str, Any]]:
    try:
        folder = RunFolder(project.runs / runs.get(store, ref).id)
    except MissingRowError:
        return _rows_of_project(store)
    return _rows_of_run(folder)


def _rows_of_run(folder: RunFolder) -> Iterator[dict[str, Any]]:
    try:
        with (folder.data / "validation.jsonl").open("rb") as file:
            yield from map(orjson.loads, file)
    except FileNotFoundError as error:
        raise StudioError(f"{folder.path} has no held-out rows.", "Its folder may have been copied in part.") from error


def _rows_of_project(store: Store) -> Iterator[dict[str, Any]]:
    built = chain.from_iterable(build(store, kind, split="validation").rows for kind in _KINDS)
    for item, row in built:
        yield {"example": item.example_id, **row._asdict()}


def _question(row: dict[str, Any]) -> Question | None:
    messages = row.get("messages")
    prompt = prompt_of(messages) if messages else row.get("prompt")
    if not prompt:
        return None
    answer = completion_of(messages) if messages else row.get("chosen") or []
    if "completion" in row and row.get("label", True):
        answer = row["completion"]
    return Question(row["example"], prompt, answer, row.get("tools"), row.get("fields") or {})


def _with_fields(store: Store, questions: list[Question]) -> list[Question]:
    """Give each question the fields of its record, and the answer of its example under that name."""
    found = outcomes(store, "prompts", {question.example for question in questions})
    fields = {each.item.example_id: each.row.fields for each in found if isinstance(each.row, PromptRow)}
    return [
        replace(question, fields=question.fields or {**_answer(question), **fields.get(question.example, {})})
        for question in questions
    ]


def _answer(question: Question) -> dict[str, Any]:
    return {"answer": question.answer[-1].get("content") or ""} if question.answer else {}
