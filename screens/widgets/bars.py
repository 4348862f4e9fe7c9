"""The header line with the areas and the line of keys, each painted as one line of text."""

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from screens.keys import AREAS
from screens.widgets.repainting import changed_cells
from studio.text import clean_line

KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
"""How keys are written on the screen where Textual's name isn't what people say."""


NAME_WIDTH = 24
"""Cells that a project's name gets at most."""


def key_name(key: str) -> str:
    """Return a key as people write it."""
    return KEY_NAMES.get(key, key)


class HeaderBar(Widget):
    """Where one is: the project, the areas with the active one in brackets, a status at the right."""

    def __init__(self, project: str, area: str) -> None:
        super().__init__()
        self._project = clean_line(project)
        self._area = area
        self._status = ""
        self._shorter = ""

    def set_status(self, text: str, shorter: str = "") -> None:
        """Show another status, if it is another; where it does not fit, the shorter one."""
        if text == self._status:
            return
        before = self.render()
        self._status, self._shorter = text, shorter
        after = self.render()
        if before.spans != after.spans or before.cell_length != after.cell_length:
            self.refresh()
            return
        start, end = changed_cells(*([(char, None) for char in each.plain] for each in (before, after)))
        self.refresh(Region(start, 0, end - start, 1))

    def render(self) -> Content:
        """Lay the line out to the width: the status gives way last."""
        width = self.size.width
        areas = _areas(self._area, names=width >= 70)
        status = clean_line(self._status)
        if self._shorter and cell_len(status) > width - areas.cell_length - 2:
            status = clean_line(self._shorter)
        room = min(width - areas.cell_length - cell_len(status) - 4, NAME_WIDTH)
        name = f" {_cut(self._project, room)} " if room > 2 else ""
        left = Content.assemble((name, "bold"), areas)
        space = width - left.cell_length - 1
        return Content.assemble(left, _right(status, space), " ")


class KeyBar(Widget):
    """The keys that matter here; what doesn't fit is left out, and `?` always fits."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[tuple[str, str]] = []

    def on_mount(self) -> None:
        """Follow the focus: each widget has keys of its own."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        keys = shown_keys(screen)
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def render(self) -> Content:
        """Lay out as many keys as the width holds."""
        keys = list(self._keys)
        last = [keys.pop(i) for i, (_, label) in enumerate(keys) if label == "Help"]
        room = self.size.width - 1 - sum(_width(key) for key in last)
        line = Content(" ")
        for key in keys:
            room -= _width(key)
            if room < 0:
                break
            line += _entry(key)
        for key in last:
            line += _entry(key)
        return line


def shown_keys(screen: Screen[object]) -> list[tuple[str, str]]:
    """Return the keys worth showing now with their labels, an action once, the focused widget's last."""
    found: dict[str, tuple[str, str]] = {}
    is_writing = isinstance(screen.focused, Input | TextArea)
    for _, binding, enabled, _ in screen.active_bindings.values():
        typed = is_writing and len(key_name(binding.key)) == 1
        if binding.show and enabled and binding.description and not typed:
            found.setdefault(binding.action, (_display(binding), binding.description))
    return list(found.values())


def _display(binding: Binding) -> str:
    return key_name(binding.key)


def _entry(key: tuple[str, str]) -> Content:
    return Content.assemble((key[0], "bold"), " ", (key[1].lower(), ""), "  ")


def _width(key: tuple[str, str]) -> int:
    return cell_len(key[0]) + cell_len(key[1]) + 3


def _areas(active: str, *, names: bool) -> Content:
    parts: list[Content | tuple[str, str] | str] = []
    for number, (area, name) in enumerate(AREAS.items(), start=1):
        label = f"{number} {name}" if names or area == active else str(number)
        parts.append((f"[{label}]", "bold reverse") if area == active else f" {label} ")
    return Content.assemble(*parts)


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"


def _right(text: str, width: int) -> str:
    if width <= 0:
        return ""
    cut = _cut(text, width)
    return " " * (width - cell_len(cut)) + cut
