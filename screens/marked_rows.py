"""What is done with the chosen rows of a list, one or a million: tags, notes, and marks of each kind."""

from collections.abc import Callable, Sequence
from functools import partial

from textual import on

from screens.background import in_background
from screens.dialogs import Confirm
from screens.found_list import FoundList
from screens.widgets.table import RecordTable
from store import tags
from store.database import Store
from store.errors import StoreError
from studio.errors import StudioError

FEW_ROWS = 100
"""So many are changed at once; of more it is asked first, and they are changed in the background."""

ROWS_AT_ONCE = 10_000
"""Rows of a transaction: others that write wait for a fraction of a second."""


class MarkedRows(FoundList):
    """A list whose rows can be chosen and changed."""

    def notes(self, ids: Sequence[int]) -> list[str]:
        """Return the notes of a few rows, one each."""
        raise NotImplementedError

    def set_note(self, store: Store, row_id: int, note: str) -> None:
        """Keep a note on a row, or take it off."""
        raise NotImplementedError

    def chosen_ids(self) -> list[int]:
        """Return the selected rows, or the one under the cursor."""
        here = self.table.cursor_id
        return sorted(self.table.selected) or ([] if here is None else [here])

    def change_many(self, does: str, change: Callable[[Store, int], None]) -> None:
        """Ask whether all selected rows are to be changed, and do it in the background."""
        ids = self.chosen_ids()

        def work(store: Store) -> None:
            for start in range(0, len(ids), ROWS_AT_ONCE):
                with store.transaction():
                    for row_id in ids[start : start + ROWS_AT_ONCE]:
                        change(store, row_id)

        def answered(yes: bool | None) -> None:
            if yes:
                self._change_behind(ids, work)

        self.studio.push_screen(Confirm(f"{does} {len(ids):,} {self.NOUN}?", yes=does), answered)

    def _change_behind(self, ids: list[int], work: Callable[[Store], None]) -> None:
        self.say(f"changing {len(ids):,} {self.NOUN} ...")

        def changed(_: None) -> None:
            self.show_changed(ids)
            self.say(f"{len(ids):,} {self.NOUN} changed")

        in_background(self, work, changed)

    def show_changed(self, ids: list[int]) -> None:
        """Paint rows that were changed here; they stay in the list even where the query would leave them out now."""
        self._sign = self.studio.data_sign
        self.table.refresh_rows(ids)
        self.read_again()

    @on(RecordTable.SelectionChanged, "#list")
    def _say_selected(self, event: RecordTable.SelectionChanged) -> None:
        self.say(f"{event.number:,} {self.NOUN} selected" if event.number else "")

    def _named(self, ids: list[int]) -> str:
        return f"{len(ids):,} {self.NOUN}" if len(ids) > 1 else f"{self.KIND} {ids[0]}"

    def action_tags(self) -> None:
        """Ask for tags to add to the chosen rows, or to take off."""
        from screens.tags_window import Changes, TagsWindow

        ids = self.chosen_ids()
        if not ids:
            return
        store = self.studio.store
        known = tags.names(store)
        few = len(ids) <= FEW_ROWS
        found = tags.of_many(store, self.KIND, ids).values() if few else [known]
        present = sorted({name for names in found for name in names})

        def changed(changes: Changes | None) -> None:
            if changes is None:
                return
            change = partial(tags.change, kind=self.KIND, ids=ids, add=changes[0], remove=changes[1])
            if not few:
                self._change_behind(ids, change)
                return
            try:
                change(store)
            except StoreError as error:
                self.notify_error(StudioError(str(error)))
            self.show_changed(ids)

        self.studio.push_screen(TagsWindow(self._named(ids), known, present), changed)

    def action_note(self) -> None:
        """Write a note on the chosen rows; an empty one takes it off."""
        from screens.note_window import NoteWindow

        ids = self.chosen_ids()
        if not ids:
            return
        present = set(self.notes(ids[:FEW_ROWS]))
        before = present.pop() if len(present) == 1 and len(ids) <= FEW_ROWS else ""

        def written(note: str | None) -> None:
            if note is None:
                return
            if len(ids) > FEW_ROWS:
                does = "Put the note on" if note else "Take the notes off"
                self.change_many(does, lambda store, row_id: self.set_note(store, row_id, note))
                return
            with self.studio.store.transaction():
                for row_id in ids:
                    self.set_note(self.studio.store, row_id, note)
            self.show_changed(ids)

        self.studio.push_screen(NoteWindow(self._named(ids), before, differ=bool(present - {""})), written)
