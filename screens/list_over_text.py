"""What windows share that are a list over a text about the row under the cursor."""

from textual.getters import query_one
from textual.screen import ScreenResultType

from screens.base import StudioModal
from screens.widgets.table import RecordTable
from screens.widgets.text_view import TextView


class ListOverText(StudioModal[ScreenResultType]):
    """The two panes, and the way from one to the other."""

    table = query_one(RecordTable)
    text = query_one(TextView)

    def action_switch_pane(self) -> None:
        """Go from the list to the text or back."""
        (self.table if self.text.has_focus else self.text).focus()
