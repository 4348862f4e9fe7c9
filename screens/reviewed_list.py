"""A list of examples that are approved or rejected one after the other, and how far one is with it."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from screens.background import in_background
from screens.list_detail import ListDetailScreen
from screens.marked_rows import FEW_ROWS
from store import examples, reviewed
from store.database import Store
from store.examples import Example, Status
from store.reviewed import DRAFT
from studio.errors import StudioError
from studio.reviewing import Pace, Review, look


class ReviewedList(ListDetailScreen):
    """What is decided of the listed examples is counted in the background, then kept up decision by decision."""

    def __init__(self) -> None:
        super().__init__()
        self._example: Example | None = None
        self._pace = Pace()
        self._review: Review | None = None
        self._reviewed_ids: Sequence[int] | None = None
        """The list that the review is about."""
        self._is_counting = False
        self._changes = 0
        """Changes of rows until now; one that comes while they are counted may be in the count or not."""
        self._goes_on = False
        """Whether the next one was asked for before it was known which that is."""

    def progress_words(self) -> str:
        """Say how much is decided, how fast, and how long the rest takes."""
        return "" if self._review is None else self._review.words(self._pace)

    def reload(self) -> None:
        """Take up what came in or changed elsewhere."""
        self._reviewed_ids = None
        super().reload()

    def say_count(self) -> None:
        """Say where the cursor is, and look what is decided where the list is another than before."""
        super().say_count()
        if not (self.table.incomplete or self._is_counting or self._knows_list()):
            self._count()

    def show_changed(self, ids: list[int]) -> None:
        """Paint rows that were changed here, and take up what was decided on them."""
        self._changes += 1
        if self._review is not None:
            if len(ids) <= FEW_ROWS:
                self._review.take(reviewed.flags_of(self.studio.store, ids))
                self.say_query()
            elif not self._is_counting:
                self._count()
        super().show_changed(ids)

    # Counting

    def _knows_list(self) -> bool:
        ids, known = self.table.ids, self._review
        return known is not None and ids is self._reviewed_ids and len(ids) == known.listed

    def _count(self) -> None:
        self._is_counting = True
        ids, changes = self.table.ids, self._changes
        done = partial(self._take_count, ids, changes)
        in_background(self, partial(look, ids=ids), done, failed=self._not_counted, group="review")

    def _take_count(self, ids: Sequence[int], changes: int, review: Review) -> None:
        self._is_counting = False
        if changes != self._changes or ids is not self.table.ids or len(ids) != review.listed:
            if not self.table.incomplete:
                self._count()
            return
        self._review, self._reviewed_ids = review, ids
        self.say_query()
        if self._goes_on:
            self.action_next_unreviewed()

    def _not_counted(self, error: StudioError) -> None:
        self._is_counting = self._goes_on = False
        self.notify_error(error)

    # Keys

    def action_approve(self) -> None:
        """Approve the chosen examples, or make them drafts again when all are approved."""
        self._decide("Approve", "approved")

    def action_reject(self) -> None:
        """Reject the chosen examples, or make them drafts again when all are rejected."""
        self._decide("Reject", "rejected")

    def action_approve_and_next(self) -> None:
        """Approve the chosen examples, and go to the next that waits for a decision."""
        ids = self.chosen_ids()
        if len(ids) > FEW_ROWS:
            self.change_many("Approve", lambda store, number: examples.set_status(store, number, "approved"))
            return
        with self.studio.store.transaction():
            for example_id in ids:
                examples.set_status(self.studio.store, example_id, "approved")
        self._note_pace(ids)
        self.show_changed(ids)
        self.action_next_unreviewed()

    def action_next_unreviewed(self) -> None:
        """Go to the next example of the list that is neither approved nor rejected, at its end from its start."""
        self._goes_on = not self._knows_list()
        if self._goes_on or self._review is None:
            return
        before = self.table.cursor
        found = self._next_draft(self._review)
        if found is None:
            self.say("nothing is left" if self.table.ids else "")
            return
        self.table.go_to(found)
        self.say("from the top again" if self.table.cursor < before else "")

    def toggle(
        self, does: tuple[str, str], holds: Callable[[Example], bool], change: Callable[[Store, int, bool], None]
    ) -> bool:
        """Change the chosen examples, or change them back when all are so; tell whether a few were changed to it."""
        ids = self.chosen_ids()
        if len(ids) > FEW_ROWS and self._example is not None:
            # Of so many the row under the cursor decides what is to be done.
            is_on = holds(self._example)
            self.change_many(does[is_on], lambda store, number: change(store, number, not is_on))
            return False
        on = not all(map(holds, examples.get_many(self.studio.store, ids).values()))
        with self.studio.store.transaction():
            for example_id in ids:
                change(self.studio.store, example_id, on)
        self.show_changed(ids)
        return on

    def _decide(self, does: str, status: Status) -> None:
        def decide(store: Store, number: int, on: bool) -> None:
            examples.set_status(store, number, status if on else "draft")

        if self.toggle((does, "Make drafts of"), lambda example: example.status == status, decide):
            self._note_pace(self.chosen_ids())
            self.say_query()

    def _note_pace(self, ids: Sequence[int]) -> None:
        if ids:
            self._pace.decided(len(ids), time.monotonic())

    def _next_draft(self, review: Review) -> int | None:
        """Return the next one that is a draft still; another process may have decided some."""
        while (found := review.next_after(self.table.ids, self.table.cursor)) is not None:
            flags = reviewed.flags_of(self.studio.store, [found])
            if flags.get(found, DRAFT) == DRAFT:
                return found
            review.take(flags)
        return None
