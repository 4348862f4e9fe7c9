"""What the tests of row checks share: examples made by hand, and those of a project."""

from collections.abc import Callable
from typing import Any

import pytest

from store.database import Store
from studio.lint.check import Answer, Context, Judged, Subject
from studio.lint.options import defaults
from studio.lint.rows import CHECKS
from studio.lint.subjects import subjects

Look = Callable[..., list[str]]

BY_NAME = {each.check.name: each for each in CHECKS}


@pytest.fixture
def subject() -> Callable[..., Subject]:
    """Makes an example: of a question and its answer, or of the parts given by name."""

    def make(question: str | list[dict[str, Any]] = "What is it?", *answers: Any, **more: Any) -> Subject:
        prompt = [{"role": "user", "content": question}] if isinstance(question, str) else question
        made = [_answer(answer, None if len(answers) == 1 else n) for n, answer in enumerate(answers, 1)]
        fixed = {"id": 1, "revision": 1, "record_id": 1, "source": "a.jsonl", "split": "train", "pairs": []}
        return Subject(prompt=prompt, answers=made, **{**fixed, **more})

    return make


def _answer(answer: Any, number: int | None) -> Answer:
    messages = [{"role": "assistant", "content": answer}] if isinstance(answer, str) else answer
    return Answer(number, messages)


@pytest.fixture
def look() -> Look:
    """Runs one check on one example; options by name, the model's tokenizer as `tokenizer`."""

    def run(name: str, subject: Subject, *, tokenizer: Any = None, max_length: int = 1024, **options: Any) -> list[str]:
        context = Context(tokenizer, max_length, {**defaults(), **options})
        return list(BY_NAME[name].look(subject, context))

    return run


@pytest.fixture
def mended() -> Callable[[str, str], str]:
    """Returns an answer's text after the fix of a check."""

    def run(name: str, text: str) -> str:
        mend = BY_NAME[name].mend
        assert mend is not None
        return str(mend({"role": "assistant", "content": text})["content"])

    return run


@pytest.fixture
def found_in() -> Callable[..., dict[int, list[str]]]:
    """Runs one check on all examples of a project; returns what it says of those with a finding."""

    def run(name: str, store: Store, **options: Any) -> dict[int, list[str]]:
        ids = [row[0] for row in store.connection.execute("SELECT id FROM example ORDER BY id")]
        context = Context(None, 1024, {**defaults(), **options})
        looked = ((each.id, list(BY_NAME[name].look(each, context))) for each, _ in subjects(store, ids))
        return {number: said for number, said in looked if said}

    return run


@pytest.fixture
def judged() -> Callable[..., Judged]:
    """Makes a verdict on two responses."""

    def make(left: int, right: int, verdict: str | None = "left", seconds: float | None = None) -> Judged:
        return Judged(left, right, verdict, "ann", seconds)  # type: ignore[arg-type]

    return make
