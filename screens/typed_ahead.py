"""Keys that come in one piece, as over a slow line: those behind the one that opens a field belong into the field."""

from weakref import WeakKeyDictionary

from textual.app import App
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input, TextArea


class TypedAhead:
    """Knows which widget each key was given to, and gives it to the field that was opened meanwhile.

    Textual hands keys to the widget that has the focus as they come; what they stand for is done later, when none of
    the widgets wanted them. Without this `/refund` in one piece would open the search and then act as six keys.
    """

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._given_to: WeakKeyDictionary[Key, Widget] = WeakKeyDictionary()

    def note(self, event: Key) -> None:
        """Take note of a key that has just come."""
        if not event.is_forwarded and self._app.focused is not None:
            self._given_to[event] = self._app.focused

    def hand_over(self, event: Key) -> bool:
        """Give a key that nobody wanted to the field that has the focus by now; False where that one has seen it."""
        field = self._app.focused
        if not isinstance(field, (Input, TextArea)) or self._given_to.get(event, field) is field:
            return False
        again = Key(event.key, event.character)
        self._given_to[again] = field
        field._forward_event(again)
        return True
