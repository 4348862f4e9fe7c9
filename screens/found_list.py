"""A list of what a query asks for: everything at once, a part of it as it is found, in an order of one's choice."""

from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.getters import query_one
from textual.widgets import Input, Static
from textual.worker import Worker

from screens.base import StudioScreen
from screens.id_stream import order_ids, stream_ids
from screens.query_text import replaced, toggled, value_of
from screens.widgets.table import RecordTable
from store import interface_state
from studio.errors import StudioError
from studio.text import clean, clean_line

if TYPE_CHECKING:
    from store.find import Kind
    from store.ordering import Order

QUERY_HINT = 'words  "a phrase"  -not  OR  has:flag  source:NAME  tag:NAME  len>99  @saved'
NOTHING_FOUND = "Nothing matches. Press esc to go back."


class FoundList(StudioScreen):
    """A screen with a query line and the list that answers it."""

    KIND: ClassVar["Kind"]
    NOUN: ClassVar[str]
    """What the rows are, in the plural."""
    EMPTY: ClassVar[str]
    """What is said while there are none at all."""

    table = query_one("#list", RecordTable)
    filters = query_one("#filters", Static)
    search = query_one("#search", Input)
    hint = query_one("#query-hint", Static)

    def __init__(self) -> None:
        super().__init__()
        self._query = ""
        self._listed = ""
        """The query that the list has begun to answer; another may be asked by now."""
        self._stream: Worker[None] | None = None
        self._sign: tuple[int, int] | None = None
        self._order: Order | None = None
        self._is_ordering = False
        self._remark = ""
        """What was done last with many rows; it goes with the next query."""

    def everything(self) -> range:
        """Return the ids of all rows, which must take no time."""
        raise NotImplementedError

    def describe_everything(self) -> str:
        """Say in words what is shown where the query leaves nothing out."""
        return f"all {self.NOUN}"

    def order_words(self) -> str:
        """Say in words by what the list is ordered; nothing where it is not."""
        return ""

    def progress_words(self) -> str:
        """Say how far the work on the listed rows is; nothing where none is done."""
        return ""

    def read_again(self) -> None:
        """Show the row under the cursor as it is now, from where one was."""
        raise NotImplementedError

    @property
    def query_text(self) -> str:
        """What the list is asked for; empty where it shows everything."""
        return self._query

    @property
    def left_at(self) -> int | None:
        """The row under the cursor, or the one where the last session ended."""
        return self.table.cursor_id or interface_state.recall(self.studio.store, f"{self.AREA}.row")

    # Finding

    def find(self, *, cursor_id: int | None = None) -> None:
        """List what the query asks for: everything at once, a part of it bit by bit from a thread."""
        self._break_off()
        self._sign, self._remark = self.studio.data_sign, ""
        if self._order is not None:
            if not self._query and not self.table.ids:
                # At the start rows in any order are better than none.
                self.table.show(self.everything(), cursor_id=cursor_id, empty=self.EMPTY)
            self._find_in_order(cursor_id)
        elif self._query:
            self._stream = stream_ids(self, self.KIND, self._query, self._taker(cursor_id), self._not_found)
        else:
            self._listed = ""
            self.table.show(self.everything(), cursor_id=cursor_id or self.table.cursor_id, empty=self.EMPTY)
        self.say_query()
        self.say_count()

    def reload(self) -> None:
        """Take up what came in or changed elsewhere; the cursor and what is in sight stay."""
        self._sign = self.studio.data_sign
        ids, known = self.everything(), self.table.ids
        if self._query or self._order is not None:
            self._look_again()
        elif isinstance(known, range) and 0 < len(known) <= len(ids):
            self.table.extend(ids[len(known) :])
            self.table.refresh_rows()
            self.read_again()
        else:
            self.table.show(ids, cursor_id=self.left_at, empty=self.EMPTY)
        self.say_query()
        self.say_count()

    def order_by(self, order: "Order | None") -> None:
        """List the rows in another order; the list stays as it is until that is known."""
        if order != self._order:
            self._order = order
            self.find()

    def _find_in_order(self, cursor_id: int | None = None) -> None:
        assert self._order is not None
        query = self._query
        self._is_ordering = True

        def take(ids: Sequence[int]) -> None:
            self._is_ordering, self._listed = False, query
            here = cursor_id or self.table.cursor_id
            self.table.show(ids, cursor_id=here, empty=NOTHING_FOUND if query else self.EMPTY)
            self.say_query()
            self.say_count()

        self._stream = order_ids(self, self.KIND, query, self._order, take, self._not_found)

    def _taker(self, cursor_id: int | None) -> Callable[["array[int]", bool], None]:
        """Return what puts the ids of a new query into the list as they come."""
        begun = False

        def take(ids: "array[int]", more: bool) -> None:
            nonlocal begun
            if begun:
                self.table.extend(ids, more=more)
            else:
                begun, self._listed = True, self._query
                self.table.show(ids, cursor_id=cursor_id or self.table.cursor_id, empty=NOTHING_FOUND, more=more)
            self.say_count()

        return take

    def _look_again(self) -> None:
        """Find once more; the list stays as it is until all is known, and where nothing changed also then."""
        if self._order is not None:
            self._break_off()
            self._find_in_order()
            return
        if self.table.incomplete:
            return
        found = array("q")

        def take(ids: "array[int]", more: bool) -> None:
            found.extend(ids)
            if more:
                return
            if found == self.table.ids:
                self.table.refresh_rows()
                self.read_again()
            else:
                self.table.show(found, cursor_id=self.table.cursor_id, empty=NOTHING_FOUND)
            self.say_count()

        self._stream = stream_ids(self, self.KIND, self._query, take, self._not_found)

    def _break_off(self) -> None:
        self._is_ordering = False
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    def _not_found(self, error: StudioError) -> None:
        """Say why a query could not be answered; the list shows what it did before."""
        self._say_problem(error.message)
        self._query, self._is_ordering = self._listed, False
        self.say_query()

    def ask(self, text: str) -> bool:
        """List what another query asks for; one that can't be understood changes nothing. Tell whether it could."""
        # Off the way to the first paint, which needs no query.
        from store.query import QueryError, parse

        text = text.strip()
        try:
            parse(text)
        except QueryError as error:
            self._say_problem(str(error))
            return False
        self._say_problem("")
        if text != self._query:
            self._query = text
            self.find()
        return True

    def toggle_term(self, term: str) -> None:
        """Put a term into the query, or take it out."""
        self.ask(toggled(self._query, term))

    def show_next(self, field: str, values: list[str]) -> None:
        """Ask for the next of a field's values; after the last one, for all."""
        choices = ["", *values]
        here = value_of(self._query, field)
        at = choices.index(here) if here in choices else -1
        self.ask(replaced(self._query, field, choices[(at + 1) % len(choices)]))

    def _index_moved(self, missing: int) -> None:
        self.say_query()
        if self._query and not missing:
            self._look_again()

    # Words about the state

    def say_query(self) -> None:
        """Say which part of the whole the list shows, in which order, and whether the search knows all of it."""
        shown = f"query: {self._query}" if self._query else self.describe_everything()
        behind = f"({missing:,} rows are not searchable yet)" if (missing := self._not_searchable()) else ""
        parts = (self._remark, self.progress_words(), shown, self._order_state(), behind)
        words = "   ".join(part for part in parts if part)
        self.filters.update(f" {clean_line(words)}", layout=False)

    def _order_state(self) -> str:
        words = self.order_words()
        if self._is_ordering:
            return f"sorting by {words} ..."
        return f"by {words}" if words else ""

    def _not_searchable(self) -> int:
        """Return how many rows the answer may lack."""
        if not self._query:
            return 0
        from store.find import FEW

        # So few are made searchable by the search itself, before it answers.
        missing = self.studio.indexing.missing
        return missing if missing > FEW else 0

    def say(self, remark: str) -> None:
        """Say what was done with many rows, before what the list shows; the count stays where it is."""
        self._remark = remark
        self.say_query()

    def say_count(self) -> None:
        """Say where the cursor is, and how many rows there are of how many."""
        shown, total = len(self.table.ids), len(self.everything())
        place = f"{self.table.cursor + 1:,}/" if shown else ""
        more = "+" if self.table.incomplete else ""
        of_all = f" of {total:,}" if more or shown != total else ""
        count = f"{place}{shown:,}{more}{of_all}"
        self.set_status(f"{count} {self.NOUN}", shorter=count)

    def _say_problem(self, words: str) -> None:
        self.hint.update(clean(words) or QUERY_HINT)
        self.hint.set_class(bool(words), "-problem")
        self.hint.display = self.search.display or bool(words)
        self.filters.display = not self.search.display

    def action_flagged_only(self) -> None:
        """Show only what is flagged, or all."""
        self.toggle_term("has:flag")
