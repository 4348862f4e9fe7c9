"""Keys of what is drawn of runs, in the Train screen and where runs are compared."""

from textual.binding import BindingType

from screens.keys.binding import key

CURVES: list[BindingType] = [
    key("m", "choose_curves", "Curves", "curves.choose", "Choose what is drawn, from all that was measured"),
    key("S", "smooth", "Smooth", "curves.smooth", "Draw the curves smoothed, more so, or as they are", show=False),
    key("z", "zoom(1)", "Zoom", "curves.zoom_in", "Draw half of the steps, the later ones", show=False),
    key("Z", "zoom(-1)", "Zoom out", "curves.zoom_out", "Draw twice the steps", show=False),
    key("h", "pan(-1)", "Earlier", "curves.earlier", "Draw earlier steps, where not all are drawn", show=False),
    key("l", "pan(1)", "Later", "curves.later", "Draw later steps, where not all are drawn", show=False),
]
"""Keys of curves."""
