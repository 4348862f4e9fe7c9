"""The app: opens the project's store, switches between the areas, ends cleanly."""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from inspect import isawaitable
from pathlib import Path
from typing import Any, cast

# Before Textual reads them: a terminal far away wants few frames and no motion.
os.environ.setdefault("TEXTUAL_FPS", "30")
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")

from rich.console import RenderableType
from rich.text import Text
from textual._compositor import ChopsUpdate
from textual.actions import ActionParseResult
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Event, Key
from textual.screen import Screen
from textual.theme import Theme

from screens.base import StudioModal, StudioScreen, message_of, wants_no_color
from screens.compact_update import CompactUpdate
from screens.duplicate_search import DuplicateSearch
from screens.imports import Imports
from screens.indexing import LOOK_SECONDS, Indexing
from screens.keys import AREAS, EVERYWHERE, LIST, TEXT, keymap_problems
from screens.lint_run import LintRun
from screens.typed_ahead import TypedAhead
from store import changes, interface_state
from store.database import explained
from studio.errors import StudioError
from studio.preferences import Preferences, read_preferences, save_theme
from studio.project import Project, is_project, open_project
from studio.text import clean
from studio.upgrading import tell

SCREENS_OF_AREAS = {
    "data": "screens.data:DataScreen",
    "examples": "screens.examples:ExamplesScreen",
    "compare": "screens.compare:CompareScreen",
    "train": "screens.train:TrainScreen",
    "chat": "screens.chat:ChatScreen",
}
"""Where each area's screen is; a module is imported when its area is first shown."""

ERROR_SECONDS = 12
"""An error is shown for so long; esc takes it away sooner."""


class StudioApp(App[None]):
    """Tuning Studio on one project."""

    TITLE = "Tuning Studio"
    CSS_PATH = "app.tcss"
    BINDINGS = EVERYWHERE
    ENABLE_COMMAND_PALETTE = True
    ALLOW_SELECT = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-normal"), (120, "-wide")]

    def __init__(self, project: Project, preferences: Preferences | None = None) -> None:
        self.project = project
        # The terminal is not taken yet: what is said stands there until the first screen is painted.
        self.store = project.open_store(tell)
        self._preferences = preferences or Preferences()
        self._areas: dict[str, StudioScreen] = {}
        self.imports = Imports(self)
        self._places_noted = 0
        area = interface_state.recall(self.store, "area", "data")
        # Set on the instance: the app opens in the area where it was left, and paints no other first.
        self.DEFAULT_MODE = area if area in AREAS else "data"  # type: ignore[misc]
        # Textual leaves colours out only where it uses the terminal's own; otherwise it makes them grey.
        super().__init__(ansi_color=True if wants_no_color() else None)
        for name in AREAS:
            self.add_mode(name, cast(Callable[[], Screen[Any]], partial(self._make_screen, name)))
        self.indexing = Indexing(self)
        self.duplicate_search = DuplicateSearch(self)
        self.lint_run = LintRun(self)
        self._typed_ahead = TypedAhead(self)
        self.animation_level = "none"
        self.theme = self._kept_theme = self._first_theme()

    def on_mount(self) -> None:
        """Take over the user's keys, and leave in order when the terminal goes away."""
        loop = asyncio.get_running_loop()
        if not self.is_headless:
            for number in (signal.SIGHUP, signal.SIGTERM):
                loop.add_signal_handler(number, self.exit)
        keymap = {**self._preferences.keys, **self.project.settings.keys}
        self.set_keymap(keymap)
        for problem in keymap_problems(keymap):
            self.notify(problem, severity="warning", markup=False, timeout=30)
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self.call_after_refresh(self.indexing.look)
        self.set_interval(LOOK_SECONDS, self.indexing.look)

    async def on_event(self, event: Event) -> None:
        """Note to whom keys are given."""
        if isinstance(event, Key):
            self._typed_ahead.note(event)
        await super().on_event(event)

    def on_key(self, event: Key) -> None:
        """Act as a key says, unless it was typed for a field that had not opened yet."""
        if self._typed_ahead.hand_over(event):
            event.prevent_default()

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Keep the places of all areas, stop an import after its batch, then end."""
        self.imports.cancel()
        self.duplicate_search.cancel()
        self.lint_run.cancel()
        for screen in self._areas.values():
            screen.remember()
        super().exit(result, return_code, message)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # All that Textual paints comes by here; it has no other place for how it is written.
        super()._display(screen, CompactUpdate.of(renderable) if isinstance(renderable, ChopsUpdate) else renderable)

    def post_display_hook(self) -> None:
        """Tell the screen that it was painted."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        if isinstance(screen, StudioScreen):
            screen.was_painted()

    def on_unmount(self) -> None:
        """Fold the write-ahead log in."""
        self.store.close()

    async def show_area(self, area: str) -> StudioScreen:
        """Switch to an area, and remember it; return its screen."""
        await self.switch_mode(area)
        self.note_place("area", area)
        return self._areas[area]

    async def action_area(self, area: str) -> None:
        """Switch to an area."""
        await self.show_area(area)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key stands for; what stands in its way is said, and the app goes on."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:
            if not self.tell(error):
                raise
        return True

    def push_screen(self, screen: Any, callback: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Show a window; what stands in the way of doing what it asks for is said, and the app goes on."""

        async def take(result: Any) -> None:
            try:
                done = callback(result)
                if isawaitable(done):
                    await done
            except Exception as error:
                if not self.tell(error):
                    raise

        return super().push_screen(screen, take if callback else None, *args, **kwargs)

    def tell(self, error: Exception) -> bool:
        """Say what a known error means; tell whether it is one."""
        if isinstance(error, StudioError):
            self.notify_error(error)
        elif known := explained(self.project.database, error):
            self.notify_error(StudioError(str(known)))
        else:
            return False
        return True

    @property
    def studio(self) -> "StudioApp":
        """Itself, as the screens call it."""
        return self

    @property
    def data_sign(self) -> tuple[int, int]:
        """Another value whenever data may have changed, here or in another process; places noted don't count."""
        elsewhere, here = changes.sign(self.store)
        return elsewhere, here - self._places_noted

    def note_place(self, key: str, value: Any) -> None:
        """Keep where something was left, for the next session; what is kept already costs no write."""
        if value == interface_state.recall(self.store, key):
            return
        _, before = changes.sign(self.store)
        interface_state.remember(self.store, key, value)
        self._places_noted += changes.sign(self.store)[1] - before

    def action_help(self) -> None:
        """List every key that works on the present screen."""
        from screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_export(self) -> None:
        """Ask for a format, then write a data set in it."""
        from screens.choose import ChooseLine
        from screens.export_data import ExportWindow, writable
        from screens.list_detail import ListDetailScreen

        formats = writable()
        query = self.screen.query_text if isinstance(self.screen, ListDetailScreen) else ""
        width = max(len(f.name) for f in formats)

        def chosen(position: int | None) -> None:
            if position is not None:
                self.push_screen(ExportWindow(formats[position], query))

        self.push_screen(ChooseLine("Export as", [f"{f.name:<{width}}  {f.title}" for f in formats]), chosen)

    async def action_quit(self) -> None:
        """Leave, after a question where something would be lost."""
        unsaved = self._unsaved()
        if not unsaved:
            self.exit()
            return
        from screens.dialogs import Confirm

        self.push_screen(Confirm(f"{unsaved} Leave without it?", yes="Leave"), self._leave_if)

    def notify_error(self, error: StudioError) -> None:
        """Say what went wrong and what to do about it, until it is dismissed or read."""
        self.notify(message_of(error), severity="error", markup=False, timeout=ERROR_SECONDS)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc to what is in front where no error is shown over it."""
        if action == "dismiss_errors":
            return any(note.severity == "error" for note in self._notifications)
        return super().check_action(action, parameters)

    def action_dismiss_errors(self) -> None:
        """Take what is said at the side away."""
        self.clear_notifications()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List for the palette what keys do on this screen, moving about left out, and the themes."""
        seen: set[str] = {b.action for b in (*LIST, *TEXT) if isinstance(b, Binding)}
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            if enabled and binding.id and binding.description and binding.action not in seen:
                seen.add(binding.action)
                run = partial(self.run_action, binding.action, node)
                yield SystemCommand(tooltip or binding.description, f"key: {binding.key}", run)
        yield SystemCommand(
            "Chat template", "Which one is used, where it is from, its traps; another for this project", self._template
        )
        yield SystemCommand(
            "Change the theme", "Colours; ansi-dark and ansi-light use the terminal's own", self.search_themes
        )

    def _template(self) -> None:
        from screens.chat_template_window import ChatTemplateWindow

        self.push_screen(ChatTemplateWindow())

    def _make_screen(self, area: str) -> StudioScreen:
        module, _, name = SCREENS_OF_AREAS[area].partition(":")
        screen = cast(StudioScreen, getattr(import_module(module), name)())
        self._areas[area] = screen
        return screen

    def _first_theme(self) -> str:
        if wants_no_color():
            return "ansi-dark"
        theme = self._preferences.theme
        return theme if theme in self.available_themes else "textual-dark"

    def _fatal_error(self) -> None:
        # Textual would print every local variable, and with them what people wrote in their data.
        if known := explained(self.project.database, sys.exc_info()[1]):
            self.panic(Text(f"Tuning Studio had to end: {clean(str(known))}"))
            return
        log = self.project.folder / "crash.log"
        try:
            log.touch(mode=0o600)
            with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
                traceback.print_exc(file=file)
        except OSError:
            self.panic(Text(f"Tuning Studio failed; what was saved is safe. {log} could not be written."))
        else:
            self.panic(Text(f"Tuning Studio failed; what was saved is safe. {log} says where in the program."))

    def _keep_theme(self, theme: Theme) -> None:
        if theme.name == self._kept_theme or self.is_headless:
            return
        self._kept_theme = theme.name
        try:
            save_theme(theme.name)
        except OSError as error:
            self.notify(f"The theme can't be kept: {error.strerror}.", severity="warning", markup=False)

    def _unsaved(self) -> str:
        stack = [s for s in self.screen_stack if isinstance(s, StudioModal | StudioScreen)]
        places = [*reversed(stack), *self._areas.values(), self.imports]
        return next((place.unsaved for place in places if place.unsaved), "")

    def _leave_if(self, yes: bool | None) -> None:
        if yes:
            self.exit()


def run_app(folder: Path) -> int:
    """Open the app on a folder, by way of the welcome screen where it is no project; return the exit status."""
    # The driver believes these over the terminal itself, and then no resize is seen.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    if not is_project(folder):
        from screens.welcome import WelcomeApp

        chosen = WelcomeApp(folder).run(mouse=False)
        if chosen is None:
            return 0
        folder = chosen
    app = StudioApp(open_project(folder), read_preferences())
    app.run(mouse=False)
    return app.return_code or 0
