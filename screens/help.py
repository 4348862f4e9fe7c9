"""The list of every key that works on a screen, with the user's own changes."""

from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen

from screens.base import StudioModal, StudioScreen
from screens.keys import EVERYWHERE, LIST, TEXT
from screens.widgets.bars import key_name
from screens.widgets.text_view import Span, TextView

NAMES_FROM_WIDTH = 100
"""Narrower screens have no room for the names that `[keys]` uses."""

REMAPPING = (
    "[keys] in studio.toml (this project) or config.toml (all projects) gives an action other keys:\n"
    '"item.flag" = "f,ctrl+f"'
)


class HelpScreen(StudioModal[None]):
    """Keys in groups: this screen's first, then lists and texts, then those of everywhere."""

    BINDINGS = [Binding("q,question_mark", "cancel", "Close", id="help.close", show=False)]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._of = screen

    def compose(self) -> ComposeResult:
        """Lay the list in a window."""
        with Vertical(classes="window tall"):
            yield TextView()

    def on_mount(self) -> None:
        """Fill the list."""
        view = self.query_one(TextView)
        view.border_title = "Keys (esc closes)"
        view.show(help_spans(self._of, names=self.app.size.width >= NAMES_FROM_WIDTH))
        view.focus()


def help_spans(screen: Screen[Any], *, names: bool) -> list[Span]:
    """Return the keys of a screen by group, each on a line: keys, what they do, their name for `[keys]`."""
    groups: dict[str, dict[str, list[str]]] = {"This screen": {}, "Lists": {}, "Texts": {}, "Everywhere": {}}
    said: dict[str, str] = {}
    for key, (_, binding, enabled, tooltip) in screen.active_bindings.items():
        if binding.id and binding.description and enabled:
            groups[_group(binding.id)].setdefault(binding.id, []).append(key_name(key))
            said[binding.id] = tooltip or binding.description
    spans = []
    if isinstance(screen, StudioScreen) and screen.instructions:
        first, _, rest = screen.instructions.partition("\n")
        spans += [Span(f"{first}\n", "bold underline"), Span(f"{rest}\n\n")]
    for title, entries in groups.items():
        lines = [_line(keys, said[name], name if names else "") for name, keys in entries.items()]
        if lines:
            spans += [Span(f"{title}\n", "bold underline"), Span("\n".join(lines) + "\n\n")]
    always = _line(["ctrl+q"], "Leave; in text fields too", "")
    where = REMAPPING if names else REMAPPING + "\nA terminal of 100 columns shows the actions' names here."
    if isinstance(screen, StudioScreen) and screen.MARKS:
        spans += [Span("Signs in the list\n", "bold underline"), Span(f"  {screen.MARKS}, * selected\n\n")]
    return [*spans, Span("Always\n", "bold underline"), Span(f"{always}\n\n{where}")]


def _line(keys: list[str], what: str, name: str) -> str:
    return f"  {' '.join(keys):<14} {what:<52} {name}".rstrip()


def _group(binding_id: str) -> str:
    for title, group in (("Lists", LIST), ("Texts", TEXT), ("Everywhere", EVERYWHERE)):
        if any(isinstance(binding, Binding) and binding.id == binding_id for binding in group):
            return title
    return "This screen"
