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

        def change_part(store: Store, part: list[int]) -> None:
            for row_id in part:
                change(store, row_id)

        def answered(yes: bool | None) -> None:
            if yes:
                self._change_behind(ids, change_part)

        self.studio.push_screen(Confirm(f"{does} {len(ids):,} {self.NOUN}?", yes=does), answered)

    def _change_behind(self, ids: list[int], change: Callable[[Store, list[int]], None]) -> None:
        """Change rows in the background, part by part: nobody else who writes waits until all are changed."""
        self.say(f"changing {len(ids):,} {self.NOUN} ...")

        def work(store: Store) -> None:
            for start in range(0, len(ids), ROWS_AT_ONCE):
                with store.transaction():
                    change(store, ids[start : start + ROWS_AT_ONCE])
                store.give_way()

        def changed(_: None) -> None:
            self.show_changed(ids)
            self.say(f"{len(ids):,} {self.NOUN} changed")

        def failed(error: StudioError) -> None:
            self.show_changed(ids)
            self.say(f"not all of the {len(ids):,} {self.NOUN} are changed")
            self.notify_error(error)

        in_background(self, work, changed, failed=failed)

    def show_changed(self, ids: list[int]) -> None:
        """Paint rows that were changed here; they stay in the list even where the query would leave them out now."""
        self._sign = self.studio.data_sign
        self.table.refresh_rows(ids)
        self.read_again()

    @on(RecordTable.SelectionChanged, "#list")
    def _say_selected(self, event: RecordTable.SelectionChanged) -> None:
        self.say(f"{event.number:,} {self.NOUN} selected" if event.number else "")

    def _named(self, ids: list[int]) -> str:
        return f"{len(ids):,} {self.NOUN}" if len(ids) > 1 else f"this {self.KIND}"

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
            add, remove = changes
            if not few:
                self._change_behind(ids, lambda own, part: tags.change(own, self.KIND, part, add=add, remove=remove))
                return
            try:
                tags.change(store, self.KIND, ids, add=add, remove=remove)
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
        few = len(ids) <= FEW_ROWS
        present = set(self.notes(ids)) if few else set()
        before = present.pop() if len(present) == 1 else ""

        def written(note: str | None) -> None:
            if note is None:
                return
            if not few:
                does = "Put the note on" if note else "Take the notes off"
                self.change_many(does, lambda store, row_id: self.set_note(store, row_id, note))
                return
            self.save(partial(keep, note), partial(ask, note))
            self.show_changed(ids)

        def keep(note: str) -> None:
            with self.studio.store.transaction():
                for row_id in ids:
                    self.set_note(self.studio.store, row_id, note)

        def ask(draft: str | None = None) -> None:
            replaces = not few or bool(present - {""})
            self.studio.push_screen(NoteWindow(self._named(ids), before, draft=draft, replaces=replaces), written)

        ask()
