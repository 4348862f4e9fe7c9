"""Rows that repeat others, reviewed group by group: one stays, the rest is excluded, and can be let in again."""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import StudioModal
from screens.duplicate_groups import Groups, MemberLine, SameBytes, Searched, difference
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import TextView

KINDS: tuple[tuple[str, Groups], ...] = (
    ("Same bytes", SameBytes()),
    ("Similar", Searched("near")),
    ("Leaks", Searched("leak")),
)

PLACE_WIDTH = 27
"""Cells for a file and a line."""


@dataclass(frozen=True)
class Place:
    """A row in its own list."""

    area: str
    row_id: int


class DuplicatesWindow(StudioModal[Place]):
    """The groups over the members of the one under the cursor, over what they say; gives the row to go to."""

    BINDINGS: ClassVar[list[BindingType]] = keys.DUPLICATES

    heading = query_one("#heading", Static)
    groups = query_one("#groups", RecordTable)
    members = query_one("#members", RecordTable)
    text = query_one(TextView)
    said = query_one("#said", Static)

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._members: dict[int, MemberLine] = {}

    @property
    def kind(self) -> Groups:
        """The kind of groups that is shown."""
        return KINDS[self._at][1]

    def compose(self) -> ComposeResult:
        """Lay the groups over the members over their text."""
        with Vertical(classes="window tall"):
            yield Static("", id="heading", classes="pane-title", markup=False)
            columns = [Column("Rows", 6), Column("In use", 7), Column("First")]
            yield RecordTable(columns, self._group_rows, id="groups")
            columns = [Column("", 1), Column("Row", PLACE_WIDTH), Column("", 10), Column("Says")]
            yield RecordTable(columns, self._member_rows, empty="", id="members")
            yield TextView()
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        """Show what is known, and follow a search that is going on."""
        self.studio.duplicate_search.moved.subscribe(self, self._search_moved)
        self._fill()
        self.groups.focus()

    def _fill(self) -> None:
        ids = self.kind.ids(self.studio.store)
        names = [f"[{name}]" if at == self._at else f" {name} " for at, (name, _) in enumerate(KINDS)]
        self.heading.update(f"{''.join(names)}  {len(ids):,} group{'s' * (len(ids) != 1)} ")
        self.groups.show(ids, cursor_id=self.groups.cursor_id, empty=self.kind.nothing)
        self._say()

    def _say(self) -> None:
        search = self.studio.duplicate_search
        if search.running is not None:
            self.said.update(f"{search.words}    c: stop")
        else:
            self.said.update("X: exclude others    R: let in    x: one row    n: look    v: other kind")

    def _search_moved(self, ended: bool) -> None:
        if ended:
            self._fill()
        else:
            self._say()

    # What is shown

    def _group_rows(self, ids: list[int]) -> dict[int, Row]:
        rows = {}
        for group_id, line in self.kind.lines(self.studio.store, ids).items():
            in_use = "" if line.in_use is None else f"{line.in_use}"
            rows[group_id] = Row(
                (f"{line.size:,}", in_use, line.excerpt), dim=line.in_use is not None and line.in_use < 2
            )
        return rows

    def _member_rows(self, ids: list[int]) -> dict[int, Row]:
        shown = (self._members[number] for number in ids if number in self._members)
        return {
            m.id: Row(("x" if m.excluded else "", _end_of(m.place), m.note, m.excerpt), dim=m.excluded) for m in shown
        }

    @on(RecordTable.Highlighted, "#groups")
    def _show_members(self) -> None:
        here = self.groups.cursor_id
        found = [] if here is None else self.kind.members(self.studio.store, here)
        self._members = {member.id: member for member in found}
        self.members.show([member.id for member in found], cursor_id=self.members.cursor_id)

    @on(RecordTable.Highlighted, "#members")
    def _show_text(self) -> None:
        here = self.members.cursor_id
        if here is None:
            self.text.show("")
            return
        first = self.members.ids[0]
        texts = self.kind.texts(self.studio.store, [first, here])
        self.text.show(texts[here] if texts[here] == texts[first] else difference(texts[first], texts[here]))

    @on(RecordTable.Opened, "#groups")
    def _go_to_members(self) -> None:
        self.members.focus()

    @on(RecordTable.Opened, "#members")
    def action_open_row(self) -> None:
        """Go to the member under the cursor in its own list."""
        if self.members.cursor_id is not None:
            self.dismiss(Place(self.kind.area, self.members.cursor_id))

    # What the keys do

    def action_next_kind(self) -> None:
        """Show another kind of groups."""
        self._at = (self._at + 1) % len(KINDS)
        self._fill()
        self.groups.focus()

    def action_search(self, near: bool) -> None:
        """Look for groups of this kind in the background."""
        if self.kind.searched is None:
            self.said.update("Rows with the same bytes are found when they are imported.")
        else:
            self.studio.duplicate_search.start(self.kind.searched, near=near)

    def action_stop(self) -> None:
        """Stop looking."""
        self.studio.duplicate_search.cancel()

    def action_exclude_rest(self) -> None:
        """Exclude all of the group but the first; of a leak, what is in the split that is held out less."""
        if self.groups.cursor_id is not None:
            number = self.kind.keep_first(self.studio.store, self.groups.cursor_id)
            self._changed(f"{number:,} excluded; R lets them in again")

    def action_restore(self) -> None:
        """Let in again what was excluded of the group."""
        if self.groups.cursor_id is not None:
            number = self.kind.restore(self.studio.store, self.groups.cursor_id)
            self._changed(f"{number:,} let in again")

    def action_exclude(self) -> None:
        """Exclude the member under the cursor, or let it in again."""
        member = self._members.get(self.members.cursor_id or 0)
        if member is not None:
            self.kind.set_excluded(self.studio.store, member.id, not member.excluded)
            self._changed("let in again" if member.excluded else "excluded; x lets it in again")

    def _changed(self, words: str) -> None:
        if self.groups.cursor_id is not None:
            self.groups.refresh_rows([self.groups.cursor_id])
        self._show_members()
        self.said.update(words)

    def action_cancel(self) -> None:
        """Leave the members, then the window; a search goes on."""
        if self.groups.has_focus:
            self.dismiss(None)
        else:
            self.groups.focus()


def _end_of(place: str) -> str:
    """Return a place as far as there is room, without its beginning: the line at its end tells rows apart."""
    if cell_len(place) <= PLACE_WIDTH:
        return place
    while cell_len(place) >= PLACE_WIDTH:
        place = place[1:]
    return f"…{place}"
