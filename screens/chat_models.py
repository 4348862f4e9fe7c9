"""Who answers: one to four runs and models, in the order in which they were marked."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from screens.base import StudioModal
from screens.widgets.table import Column, RecordTable, Row
from studio.chatting.choices import describe_model, sides_of
from studio.chatting.conversation import MOST_MODELS
from studio.text import clean_line

KEYS_LINE = f"space: mark up to {MOST_MODELS}    enter: talk to those, or to this one, a run beside its base"


class ChooseModels(StudioModal[list[str]]):
    """Gives the models that were marked, or the one under the cursor; None when it was left."""

    table = query_one(RecordTable)
    said = query_one("#said", Static)

    def __init__(self, refs: Sequence[str], now: Sequence[str]) -> None:
        super().__init__()
        self._refs = refs
        self._now = now
        self._marked: list[int] = []

    def compose(self) -> ComposeResult:
        """Lay the list over its keys."""
        with Vertical(classes="window half"):
            columns = [Column("Side", 4), Column("Talk to")]
            yield RecordTable(columns, self._rows)
            yield Static(KEYS_LINE, id="said", markup=False)

    def on_mount(self) -> None:
        """Begin with those that answer now, which are marked where there are several."""
        here = [self._refs.index(ref) for ref in self._now if ref in self._refs]
        self._marked = here if len(here) > 1 else []
        self.table.show(range(len(self._refs)), cursor_id=here[-1] if here else 0)
        self.table.select(self._marked)
        self.table.focus()

    @on(RecordTable.SelectionChanged)
    def _mark(self) -> None:
        selected = self.table.selected
        kept = [place for place in self._marked if place in selected]
        self._marked = kept + sorted(selected - set(kept))
        too_many = len(self._marked) > MOST_MODELS
        self.said.update(f"{len(self._marked)} are marked; {MOST_MODELS} can answer" if too_many else KEYS_LINE)
        self.table.refresh_rows()

    @on(RecordTable.Opened)
    def _take(self, event: RecordTable.Opened) -> None:
        places = self._marked or [event.row_id]
        if len(places) <= MOST_MODELS:
            refs = [self._refs[place] for place in places]
            self.dismiss(refs if self._marked else sides_of(self.studio.store, refs[0]))

    def _rows(self, places: list[int]) -> dict[int, Row]:
        store = self.studio.store
        return {
            place: Row((self._side(place), clean_line(describe_model(store, self._refs[place])))) for place in places
        }

    def _side(self, place: int) -> str:
        return str(self._marked.index(place) + 1) if place in self._marked else ""
