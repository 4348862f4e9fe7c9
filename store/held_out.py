"""Prompts that are held out, which no row of another split may have."""

from store import examples
from store.database import Store
from store.examples import Split, prompt_group

_HELD_OUT = (
    "split IN ('validation', 'test') AND NOT e.excluded AND e.status <> 'rejected'"
    " AND COALESCE(e.record_id, 0) NOT IN (SELECT id FROM record WHERE excluded)"
)
# Only an edit can make a prompt another than the one that the example was made with.
_EDITED = f"SELECT e.id FROM example e WHERE e.{_HELD_OUT} AND e.revision > 1 ORDER BY e.split DESC"
# The sign keeps SQLite from going through all that are held out, instead of those of the prompt.
_AS_MADE = f"SELECT e.prompt_group, e.split FROM example e WHERE +e.{_HELD_OUT} AND e.revision = 1"
_SEVERAL = "SELECT prompt_group FROM example GROUP BY 1 HAVING COUNT(*) > 1"


class HeldOut:
    """Keys of prompts that are held out, as they read now, and their split: test where it is validation too.

    Most prompts are one example's alone, as it was made: those are not gathered, but looked up for who is edited.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        shared = f"{_AS_MADE} AND e.prompt_group IN ({_SEVERAL}) ORDER BY +e.split DESC"
        self.shared: dict[bytes, Split] = dict(store.connection.execute(shared))
        """All that can be of another split than an example that was made with them and never edited."""
        for (number,) in store.connection.execute(_EDITED).fetchall():
            example = examples.get(store, number)
            group = prompt_group(example.messages)
            if self.split_of(group) != "test":
                self.shared[group] = example.split

    def split_of(self, group: bytes) -> Split | None:
        """Return the split that holds a prompt out; None where none does."""
        return self.shared.get(group) or self._as_made(group)

    def _as_made(self, group: bytes) -> Split | None:
        sql = f"{_AS_MADE} AND e.prompt_group = ? ORDER BY +e.split"
        found = self._store.connection.execute(sql, (group,)).fetchone()
        return found[1] if found else None
