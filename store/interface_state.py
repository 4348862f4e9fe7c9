"""Where each screen was left, so that the next session opens there."""

import json
from contextlib import suppress
from typing import Any

from store.database import Store
from store.errors import StoreError


def remember(store: Store, key: str, value: Any) -> None:
    """Keep where a screen was left, under the screen's own key; not while the file can't be written."""
    with suppress(StoreError), store.transaction() as connection:
        connection.execute(
            "INSERT INTO interface_state (key, value) VALUES (?, ?)"
            " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            (key, json.dumps(value)),
        )


def recall(store: Store, key: str, default: Any = None) -> Any:
    """Return what was kept under a key, or the default."""
    row = store.connection.execute("SELECT value FROM interface_state WHERE key = ?", (key,)).fetchone()
    return default if row is None else json.loads(row[0])
