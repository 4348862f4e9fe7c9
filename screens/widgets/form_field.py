"""A line of a form: a name, and a field to type in."""

from textual.containers import Horizontal
from textual.widgets import Static

from screens.widgets.typing_order import LineInput


def form_field(name: str, value: str, hint: str = "") -> Horizontal:
    """Return the line; the field's id is the name, the line's is `row-` and the name."""
    field = LineInput(value, id=name, placeholder=hint, select_on_focus=False)
    field.cursor_blink = False
    label = Static(name.replace("_", " "), classes="label", markup=False)
    return Horizontal(label, field, id=f"row-{name}", classes="field")
