"""Examples as the checks of all of them together see them: made by hand, or from real files."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from store.database import Store
from studio.importing import import_file
from studio.lint import options, sets
from studio.lint.check import Answer, Context, Found, Judged, Subject
from studio.lint.features import Features, features, read, stored
from studio.lint.noted import Noted
from studio.lint.subjects import subjects
from studio.project import Project

CLASSES = {"prompt": "text", "completion": "category"}

Row = Callable[..., Features]
Look = Callable[..., list[Found]]


@pytest.fixture
def row() -> Row:
    """Makes what is noted of an example, as it comes back from where it is kept."""
    ids = count(1)
    answer_ids = count(1001)

    def make(
        asked: str = "",
        answered: str = "",
        *,
        sides: tuple[str, ...] = (),
        by: tuple[str, ...] = (),
        labels: tuple[bool, ...] = (),
        verdict: Any = None,
        rater: str = "mara",
        seconds: float | None = None,
        told: str = "",
        tools: list[dict[str, Any]] | None = None,
        split: Any = "train",
        source: str = "a.jsonl",
        problems: int = 0,
    ) -> Features:
        prompt = [{"role": "system", "content": told}] if told else []
        prompt += [{"role": "user", "content": asked}] if asked else []
        own = [Answer(None, [{"role": "assistant", "content": answered}])] if answered else []
        given = [
            Answer(
                next(answer_ids),
                [{"role": "assistant", "content": side}],
                by[place] if by else "",
                labels[place] if labels else None,
            )
            for place, side in enumerate(sides)
        ]
        pairs = [Judged(given[0].id or 0, given[1].id or 0, verdict, rater, seconds)] if verdict else []
        subject = Subject(next(ids), 1, None, source, split, prompt, own + given, pairs, tools)
        noted = features(subject, context())
        noted[-1] = problems
        return read(json.loads(json.dumps(noted)))

    return make


def context(**own: Any) -> Context:
    return Context(None, 1024, {**options.defaults(), **own})


@pytest.fixture
def look() -> Look:
    """Runs one check, by its name, with options of its own."""

    def run(name: str, noted: list[Features], **own: Any) -> list[Found]:
        (check,) = [each for each in sets.CHECKS if each.check.name == name]
        return list(check.look(Noted(list(zip(*map(stored, noted), strict=True))), context(**own)))

    return run


@pytest.fixture
def real(project: Project, store: Store, shared_data: Path) -> Callable[..., list[Features]]:
    """Brings real files in and notes their examples."""

    def bring(*names: str, mapping: Any = None, splits: tuple[Any, ...] = ()) -> list[Features]:
        for place, name in enumerate(names):
            split = splits[place] if splits else None
            import_file(project, store, shared_data / name, mapping=mapping, split=split)
        return [read(features(subject, context())) for subject in _all(store)]

    return bring


def _all(store: Store) -> Iterator[Subject]:
    ids = [row[0] for row in store.connection.execute("SELECT id FROM example ORDER BY id")]
    return (subject for subject, _ in subjects(store, ids))
