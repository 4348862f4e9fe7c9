"""What all screens share: the header line, the body and the line of keys."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Callback, Event, Resize
from textual.message import Message
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widgets import Static

from screens.keys import DIALOG, EVERYWHERE
from screens.widgets.bars import HeaderBar, KeyBar
from studio.errors import StudioError
from studio.text import clean

if TYPE_CHECKING:
    from screens.app import StudioApp


SMALLEST = (40, 10)
"""Columns and lines below which nothing useful fits."""

HELP_KEYS = [binding for binding in EVERYWHERE if isinstance(binding, Binding) and binding.id == "app.help"]
"""The help's own keys, for windows, which the app's keys don't reach."""


class StudioScreen(Screen[None]):
    """One area of the app: a header line, a body, a line of keys."""

    AREA: ClassVar[str] = ""
    """The area's name in `screens.keys.AREAS`."""

    MARKS: ClassVar[str] = ""
    """What the signs in the screen's list mean; the help says it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (SMALLEST[0], "-narrow"), (60, "-normal"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (SMALLEST[1], "-high")]

    @property
    def studio(self) -> "StudioApp":
        """The app, with its project and its store."""
        from screens.app import StudioApp

        return cast(StudioApp, self.app)

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now, in a few words; empty where nothing would."""
        return ""

    @property
    def instructions(self) -> str:
        """What the help says first; empty where the screen has nothing of its own to say."""
        return ""

    def compose(self) -> ComposeResult:
        """Lay the header, the screen's own body and the keys."""
        yield HeaderBar(self.studio.project.settings.name or self.studio.project.folder.name, self.AREA)
        with Container(id="body"):
            yield from self.compose_body()
        yield Static("", id="too-small", markup=False)
        yield KeyBar()

    def on_resize(self, event: Resize) -> None:
        """Say when the terminal is too small to show anything; the keys go on working."""
        columns, lines = event.size
        self.query_one("#too-small", Static).update(
            f"This terminal is {columns}x{lines}; {SMALLEST[0]}x{SMALLEST[1]} is the least."
        )

    def compose_body(self) -> ComposeResult:
        """Lay the screen's own widgets."""
        return iter(())

    def set_status(self, text: str, shorter: str = "") -> None:
        """Show a short text at the right end of the header, a shorter one where it does not fit."""
        self.query_one(HeaderBar).set_status(text, shorter)

    def notify_error(self, error: StudioError) -> None:
        """Say what went wrong and what to do about it."""
        self.studio.notify_error(error)

    def was_painted(self) -> None:
        """Take note that a frame of this screen has gone to the terminal; to be quick about it."""

    def save(self, write: Callable[[], object], again: Callable[[], object]) -> None:
        """Keep what a person wrote; where that fails, say why, and show it again, so that it is not lost.

        Raises:
            StoreError: it could not be written.
        """
        try:
            write()
        except Exception:
            again()
            raise

    def remember(self) -> None:
        """Keep where one is for the next session; called when the area is left."""

    def on_screen_suspend(self) -> None:
        """Keep the place."""
        self.remember()

    async def _dispatch_message(self, message: Message) -> None:
        # What stands in the way is said, as it is of a key, and the screen goes on.
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if not _may_go_on(message) or not self.studio.tell(error):
                raise

    def action_back(self) -> None:
        """Go back one step; a screen that has steps says what they are."""


class StudioModal(ModalScreen[ScreenResultType]):
    """A window over a screen; F1 lists its keys too."""

    BINDINGS: ClassVar[list[BindingType]] = [*DIALOG, *HELP_KEYS]

    @property
    def studio(self) -> "StudioApp":
        """The app, with its project and its store."""
        from screens.app import StudioApp

        return cast(StudioApp, self.app)

    @property
    def unsaved(self) -> str:
        """What would be lost by leaving now, in a few words; empty where nothing would."""
        return ""

    async def _dispatch_message(self, message: Message) -> None:
        # What stands in the way is said, as it is of a key, and the screen goes on.
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if not _may_go_on(message) or not self.studio.tell(error):
                raise

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close with a result, and with this window those that are over it; a second time does nothing."""
        stack = self.app.screen_stack
        # Keys that come in one piece are told one after the other: the second enter may find the window closed.
        if self not in stack:
            return AwaitComplete()
        for _ in stack[stack.index(self) + 1 :]:
            self.app.pop_screen()
        return super().dismiss(result)

    def action_help(self) -> None:
        """List the keys that work here."""
        self.studio.action_help()

    def action_cancel(self) -> None:
        """Close without a result."""
        self.dismiss(None)


def _may_go_on(message: Message) -> bool:
    """Tell whether a screen is whole though this was not done: what was asked for, not a step of its own coming."""
    return isinstance(message, Callback) or not isinstance(message, Event)


def message_of(error: StudioError) -> str:
    """Return an error's text for the screen: what is wrong, then what to do."""
    return clean(f"{error.message}\n{error.hint}".rstrip())


def wants_no_color() -> bool:
    """Tell whether the user asked for no colours at all (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
