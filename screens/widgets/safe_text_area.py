"""A text editor that shows hostile characters as signs and still keeps them in the text."""

from functools import lru_cache

from rich.text import Text
from textual.binding import Binding
from textual.events import Key
from textual.widgets import TextArea

from screens.widgets.typing_order import acted
from studio.text import clean


class SafeTextArea(TextArea, inherit_bindings=False):
    """Textual's editor, except that no control character of the text reaches the terminal."""

    # The function keys belong to the window around it.
    BINDINGS = [b for b in TextArea.BINDINGS if not (isinstance(b, Binding) and b.key in ("f6", "f7"))]

    async def _on_key(self, event: Key) -> None:
        if not await acted(self, event):
            await super()._on_key(event)

    def get_line(self, line_index: int) -> Text:
        """Return a line to paint: each unsafe character as one sign, so that columns stay true."""
        return Text(_safe(super().get_line(line_index).plain), end="", no_wrap=True)


# The editor asks for a long line once for each part of it that is in sight.
@lru_cache(maxsize=8)
def _safe(line: str) -> str:
    return line if line.isascii() and line.isprintable() else "".join(_sign(character) for character in line)


def _sign(character: str) -> str:
    """Return a character, or one sign for it; tabs are left to the editor, which expands them."""
    if character == "\t":
        return character
    shown = clean(character)
    return shown if len(shown) == 1 else "\N{REPLACEMENT CHARACTER}"
