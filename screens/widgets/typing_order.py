"""Fields in which keys act in the order they were typed, however many come at once.

Textual inserts a letter at once but lets a key with a binding, such as backspace, go round by the app; over a
slow line several keys come in one piece, and letters would overtake the backspaces that were typed before them.
"""

from functools import cache

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input


class LineInput(Input):
    """A line to type in."""

    async def _on_key(self, event: Key) -> None:
        if not await acted(self, event):
            await super()._on_key(event)


async def acted(widget: Widget, event: Key) -> bool:
    """Do what a key of the widget's own stands for, now; tell whether it was one, and had something to do."""
    action = _actions(type(widget)).get(event.key)
    # A skipped action, such as scrolling a line that does not scroll, leaves the key to the window.
    if action is None or not await widget.app.run_action(action, widget):
        return False
    event.stop()
    event.prevent_default()
    return True


@cache
def _actions(kind: type[Widget]) -> dict[str, str]:
    """Return the actions by key that a kind of widget declares, the nearest class last."""
    declared: list[list[BindingType]] = []
    for base in kind.__mro__:
        declared.insert(0, base.__dict__.get("BINDINGS", []))
        if not base.__dict__.get("_inherit_bindings", True):
            break
    return {binding.key: binding.action for group in declared for binding in Binding.make_bindings(group)}
