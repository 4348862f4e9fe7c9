"""What `[[tasks]]` in studio.toml may say: which pairs are judged, in which order, and what is asked of each."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from studio.errors import StudioError

Order = Literal["imported", "random", "fewest", "uncertain", "disagreements"]
"""How a queue is put in order: as the pairs came in, shuffled, those with the fewest verdicts of others first, those
whose outcome is least certain first, or only those that people disagree on."""

Choice = Literal["any", "different models", "temperatures", "tuned against base", "human against model"]
"""Which two replies a pair must have."""

MOST_REASONS = 9
"""One for each digit key."""

LONGEST_NAME = 60


@dataclass(frozen=True)
class Task:
    """One queue of pairs, with what is asked of each."""

    name: str
    instructions: str = ""
    query: str = ""
    """Which examples: a query, or the name of a saved one; all where it is empty."""
    order: Order = "imported"
    pairs: Choice = "any"
    planned: int = 0
    """How many comparisons it is to have; 0 for as many as there are."""
    repeats: float = 0.1
    """The share of the pairs that come back unannounced, to see whether the person agrees with themselves."""
    anchors: int = 5
    """How many pairs of earlier sessions come back in each session."""
    strength: bool = False
    """Whether it is asked how much better the better reply is."""
    reasons: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    """What is asked of each pair before which reply is better on the whole."""
    ranking: bool = False
    """Whether all replies to a prompt are put in order, with as few comparisons as that takes."""
    seed: int = 1


def read(tables: Any, where: str) -> tuple[Task, ...]:
    """Return the tasks of a settings file.

    Args:
        tables: what the file has under `tasks`.
        where: the file, for errors.

    Raises:
        StudioError: a task says what none can say, or two have one name.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise StudioError(f"{where}: tasks must be a list of tables.", "Begin each with [[tasks]].")
    tasks = tuple(_task(table, number, where) for number, table in enumerate(tables, 1))
    names = [task.name.casefold() for task in tasks]
    for task in tasks:
        if names.count(task.name.casefold()) > 1:
            raise StudioError(f"{where}: two tasks are named '{task.name}'.", "Give each a name of its own.")
    return tasks


def did_you_mean(text: str, known: Collection[str]) -> str:
    """Return what was probably meant, or else all that can be."""
    from difflib import get_close_matches

    close = get_close_matches(text, known, 1)
    return f"Did you mean {close[0]}?" if close else f"It knows {', '.join(known)}."


def _task(table: dict[str, Any], number: int, where: str) -> Task:
    given = table.get("name")
    if not isinstance(given, str) or not given.strip():
        raise StudioError(f"{where}: task {number} has no name.", 'Give it one: name = "..."')
    name = given.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise StudioError(
            f"{where}: the name of task {number} is no single line of {LONGEST_NAME} characters at most.",
            "What it is about can stand in its instructions.",
        )
    here = f"{where}: task '{name}'"
    values = {key: _value(key, value, here) for key, value in table.items()}
    task = Task(**{**values, "name": name})
    _check_together(task, here)
    return task


def _value(key: str, value: Any, here: str) -> Any:
    check = _CHECKS.get(key)
    if check is None:
        raise StudioError(f"{here} has no setting {key!r}.", did_you_mean(key, _NAMES))
    return check(key, value, here)


def _check_together(task: Task, here: str) -> None:
    if not task.ranking:
        return
    if task.order not in ("imported", "random"):
        raise StudioError(
            f"{here}: a task with ranking can't have the order {task.order}.",
            "It decides itself which replies meet; its prompts come as imported or random.",
        )
    if task.pairs != "any":
        raise StudioError(
            f"{here}: a task with ranking can't choose its pairs.", "It ranks all replies to a prompt; leave pairs out."
        )


def _text(key: str, value: Any, here: str) -> str:
    if not isinstance(value, str):
        raise StudioError(f"{here}: {key} must be a text, not {value!r}.")
    return value.strip()


def _switch(key: str, value: Any, here: str) -> bool:
    if not isinstance(value, bool):
        raise StudioError(f"{here}: {key} must be true or false, not {value!r}.")
    return value


def _number(key: str, value: Any, here: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StudioError(f"{here}: {key} must be a whole number of 0 or more, not {value!r}.")
    return value


def _share(key: str, value: Any, here: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise StudioError(f"{here}: {key} must be a share from 0 to 1, not {value!r}.", "0.1 is one pair in ten.")
    return float(value)


def _texts(key: str, value: Any, here: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise StudioError(f"{here}: {key} must be a list of texts, not {value!r}.")
    texts = tuple(" ".join(each.split()) for each in value)
    if len(set(texts)) < len(texts):
        raise StudioError(f"{here}: {key} has a text twice.", "Take one of them out.")
    return texts


def _reasons(key: str, value: Any, here: str) -> tuple[str, ...]:
    reasons = _texts(key, value, here)
    if len(reasons) > MOST_REASONS:
        raise StudioError(
            f"{here} has {len(reasons)} reasons; there are keys for {MOST_REASONS}.", "Keep those that you use most."
        )
    return reasons


def _one_of(key: str, value: Any, here: str) -> str:
    known = get_args(Order if key == "order" else Choice)
    if value not in known:
        raise StudioError(f"{here}: {key} is never {value!r}.", did_you_mean(str(value), known))
    return str(value)


_CHECKS = {
    **dict.fromkeys(("name", "instructions", "query"), _text),
    **dict.fromkeys(("order", "pairs"), _one_of),
    **dict.fromkeys(("planned", "anchors", "seed"), _number),
    **dict.fromkeys(("strength", "ranking"), _switch),
    "repeats": _share,
    "reasons": _reasons,
    "criteria": _texts,
}
_NAMES = tuple(each.name for each in fields(Task))
