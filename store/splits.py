"""The splits that prompts are in: all examples of a prompt are in one, and move together."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.database import Store
from store.examples import Split

GROUPS_AT_ONCE = 1_000
"""Prompts of a transaction: others that write wait for a fraction of a second."""


@dataclass(frozen=True)
class Move:
    """What moving examples to another split would move: they and the others that have their prompts."""

    to: Split
    groups: list[bytes]
    """The prompts of which an example is in another split now."""
    examples: dict[Split, int]
    """How many examples would leave which split."""
    companions: int
    """How many of them were not named, but have the prompt of one that was."""


def of_groups(store: Store, groups: Iterable[bytes]) -> dict[bytes, Split]:
    """Return the splits that prompts (a batch of them) have already."""
    wanted = list(groups)
    marks = ",".join("?" * len(wanted))
    return dict(
        store.connection.execute(
            f"SELECT prompt_group, split FROM example WHERE prompt_group IN ({marks}) GROUP BY 1", wanted
        )
    )


def of_all(store: Store) -> dict[bytes, Split]:
    """Return the split of every prompt of the project."""
    return dict(store.connection.execute("SELECT prompt_group, split FROM example"))


def of_group(store: Store, group: bytes) -> Split | None:
    """Return the split that a prompt has already, None where the prompt is new."""
    row = store.connection.execute("SELECT split FROM example WHERE prompt_group = ? LIMIT 1", (group,)).fetchone()
    return row[0] if row else None


def plan(store: Store, example_ids: Sequence[int], to: Split) -> Move:
    """Return what moving these examples to a split would move; nothing is changed."""
    named = json.dumps(list(example_ids))
    groups = "SELECT prompt_group FROM example WHERE id IN (SELECT value FROM json_each(:named))"
    moving = f"FROM example WHERE prompt_group IN ({groups}) AND split <> :to"
    values = {"named": named, "to": to}
    with store.reading():
        counted = store.connection.execute(f"SELECT split, COUNT(*) {moving} GROUP BY split", values).fetchall()
        found = store.connection.execute(f"SELECT DISTINCT prompt_group {moving}", values).fetchall()
        own = store.connection.execute(
            "SELECT COUNT(*) FROM example WHERE id IN (SELECT value FROM json_each(:named)) AND split <> :to", values
        ).fetchone()[0]
    return Move(to, [group for (group,) in found], dict(counted), sum(n for _, n in counted) - int(own))


def move(store: Store, groups: Sequence[bytes], to: Split) -> int:
    """Move all examples that have one of these prompts to a split; return how many there were."""
    moved = 0
    for start in range(0, len(groups), GROUPS_AT_ONCE):
        with store.transaction() as connection:
            for group in groups[start : start + GROUPS_AT_ONCE]:
                moved += connection.execute(
                    "UPDATE example SET split = ? WHERE prompt_group = ? AND split <> ?", (to, group, to)
                ).rowcount
        store.give_way()
    return moved
