"""The ids that a query finds, read in a thread: handed over bit by bit, or all at once in an order."""

import time
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.worker import Worker, get_current_worker

from screens.background import in_background
from screens.base import StudioScreen
from store.database import Store
from store.interruption import until
from studio.errors import StudioError

if TYPE_CHECKING:
    from store.find import Kind
    from store.ordering import Order, OrderedIds

SECONDS_BETWEEN = 0.25
"""How often more rows are handed over: each time a part of the screen is painted again."""

Take = Callable[["array[int]", bool], object]
"""Gets the next ids, and whether more may follow."""


def stream_ids(
    screen: StudioScreen, kind: "Kind", query: str, take: Take, failed: Callable[[StudioError], object]
) -> Worker[None]:
    """Find in a thread; the first screenful is handed over at once, and nothing more once the worker is cancelled.

    A stream that the screen began earlier is broken off.
    """

    def read(store: Store) -> None:
        from store import find

        worker = get_current_worker()

        def hand_over(ids: "array[int]", more: bool) -> None:
            if not worker.is_cancelled:
                take(ids, more)

        waiting, handed_over = array("q"), 0.0
        with until(store, lambda: worker.is_cancelled):
            for chunk in find.ids(store, kind, query):
                waiting.extend(chunk)
                if time.monotonic() - handed_over > SECONDS_BETWEEN:
                    screen.call_later(hand_over, waiting, True)
                    waiting, handed_over = array("q"), time.monotonic()
        screen.call_later(hand_over, waiting, False)

    return in_background(screen, read, lambda _: None, failed=failed, group="find", exclusive=True)


def order_ids(
    screen: StudioScreen,
    kind: "Kind",
    query: str,
    order: "Order",
    take: Callable[[Sequence[int]], object],
    failed: Callable[[StudioError], object],
) -> Worker[None]:
    """Find in a thread and bring into an order; all ids are handed over at the end, in one piece.

    A stream that the screen began earlier is broken off.
    """

    def read(store: Store) -> "OrderedIds | None":
        from store import find, ordering

        worker = get_current_worker()
        ids: array[int] | None = None
        with until(store, lambda: worker.is_cancelled):
            if query:
                ids = array("q")
                for chunk in find.ids(store, kind, query):
                    ids.extend(chunk)
            found = ordering.records_by(store, order, ids)
            return None if worker.is_cancelled else found
        return None

    def done(found: "OrderedIds | None") -> None:
        if found is not None:
            take(found)

    return in_background(screen, read, done, failed=failed, group="find", exclusive=True)
