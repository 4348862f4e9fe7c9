"""Many examples saying something else at once, by a template, and what they said before it again."""

from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from store.database import Store, now
from store.examples import RevisionOrigin


class Restated(NamedTuple):
    """What an example says from now on."""

    example_id: int
    messages: str
    """As `quoting.quote` writes them."""
    tools: str | None
    """JSON."""
    template_id: int | None
    origin: RevisionOrigin


def revise_many(store: Store, restated: list[Restated]) -> None:
    """Add a revision to each of these examples; ids, splits and prompt groups stay."""
    moment = now()
    with store.transaction() as connection:
        connection.executemany(
            "INSERT INTO revision (example_id, number, messages, tools, template_id, origin, created_at)"
            " SELECT ?1, MAX(number) + 1, ?2, ?3, ?4, ?5, ?6 FROM revision WHERE example_id = ?1",
            [(*row, moment) for row in restated],
        )
        ids = [(row.example_id,) for row in restated]
        connection.executemany(
            "UPDATE example SET revision = (SELECT MAX(number) FROM revision WHERE example_id = id) WHERE id = ?", ids
        )
        # What a template adds is alike in all rows; only an example that had words of its own is read again.
        connection.executemany("INSERT OR IGNORE INTO unindexed SELECT id FROM example WHERE id = ? AND own_text", ids)


def restated_by(store: Store, template_id: int) -> list[int]:
    """Return the examples whose newest revision a template made of an older one."""
    rows = store.connection.execute(
        "SELECT e.id FROM example e JOIN revision v ON v.example_id = e.id AND v.number = e.revision"
        " WHERE e.revision > 1 AND v.template_id = ? AND v.origin = 'template' ORDER BY e.id",
        (template_id,),
    )
    return [row[0] for row in rows]


def bring_back(store: Store, example_ids: list[int], template_id: int) -> int:
    """Add a revision to each of these examples that says what it said before a template; return how many.

    That is the state before the template's first revision since a person last edited it.
    """
    with store.transaction() as connection:
        marks = ",".join("?" * len(example_ids))
        rows = connection.execute(
            "SELECT example_id, number, origin, template_id FROM revision"
            f" WHERE example_id IN ({marks}) ORDER BY example_id, number DESC",
            example_ids,
        ).fetchall()
        before = [(number, _before(list(states), template_id)) for number, states in groupby(rows, itemgetter(0))]
        wanted = [state for state in before if state[1]]
        old = [
            connection.execute(
                "SELECT example_id, messages, tools, template_id, origin FROM revision"
                " WHERE example_id = ? AND number = ?",
                state,
            ).fetchone()
            for state in wanted
        ]
        revise_many(store, [Restated(*row) for row in old])
    return len(old)


def _before(states: list[tuple[int, int, RevisionOrigin, int | None]], template_id: int) -> int:
    """Return the number of the revision before a template's first one, of the newest run of templates; 0 for none."""
    first = 0
    for _, number, origin, made_by in states:
        if origin != "template":
            break
        if made_by == template_id:
            first = number
    return first - 1 if first else 0
