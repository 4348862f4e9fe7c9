"""Which examples are classified: their answers are few, short, and come again and again."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache

from studio.lint.check import Context
from studio.lint.features import Features
from studio.lint.noted import Noted

FEWEST_ROWS = 30
"""Fewer answers than these are no sign of classes."""
ROWS_A_CLASS = 5
"""An answer that comes so often may be a class."""
SHARE_OF_CLASSES = 0.95
"""How many of a source's answers must be such."""


@dataclass(frozen=True, eq=False)
class Task:
    """Examples that are sorted into the same classes; equal to itself only, so that much can be kept by it."""

    rows: list[Features]
    labels: list[str]
    """Every class, also those without a row."""


def tasks(noted: Noted, context: Context) -> list[Task]:
    """Return the tasks of classification, each from the sources whose answers have classes in common."""
    return _tasks(noted, tuple(str(label) for label in context.options["labels"]))


@lru_cache(maxsize=1)
def _tasks(noted: Noted, declared: tuple[str, ...]) -> list[Task]:
    if declared:
        known = set(declared)
        rows = noted.rows(answer in known for answer in noted.column("answer"))
        return [Task(rows, list(declared))] if rows else []
    by_source: dict[str, list[str]] = defaultdict(list)
    for source, answer, text in noted.columns("source", "answer", "answer_text"):
        if text:
            by_source[source].append(answer)
    found: list[Task] = []
    for source, answers in by_source.items():
        if labels := _classes(answers):
            here = noted.columns("source", "answer_text")
            found = _joined(found, noted.rows(name == source and bool(text) for name, text in here), labels)
    return found


def _classes(answers: list[str]) -> set[str]:
    """Return the answers of a source where they are classes."""
    if len(answers) < FEWEST_ROWS:
        return set()
    times = Counter(answers)
    often = sum(count for answer, count in times.items() if answer and count >= ROWS_A_CLASS)
    few = 2 <= len(times) <= max(2, len(answers) // ROWS_A_CLASS)
    return set(times) - {""} if few and often >= SHARE_OF_CLASSES * len(answers) else set()


def _joined(found: list[Task], rows: list[Features], labels: set[str]) -> list[Task]:
    """Add a source to the tasks; those that it has a class in common with become one."""
    alike = [task for task in found if labels & set(task.labels)]
    joined = sorted((row for task in alike for row in task.rows), key=lambda row: row.id) if alike else []
    merged = Task([*joined, *rows], sorted(labels.union(*(task.labels for task in alike))))
    return [*(task for task in found if task not in alike), merged]
