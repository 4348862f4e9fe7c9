"""What is shown where the folder is no project: make the demo, make an empty project, or leave."""

from pathlib import Path

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from screens.base import message_of, wants_no_color
from studio.errors import StudioError
from studio.project import create_project, is_project
from studio.text import clean

DEMO_FOLDER = "studio-demo"


class WelcomeApp(App[Path]):
    """Three choices by a key; gives the folder of the project to open."""

    CSS_PATH = "welcome.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        Binding("d", "demo", "Demo", id="welcome.demo"),
        Binding("n", "new", "New", id="welcome.new"),
        Binding("q,escape", "quit", "Quit", id="welcome.quit"),
    ]

    def __init__(self, folder: Path) -> None:
        super().__init__(ansi_color=True if wants_no_color() else None)
        if wants_no_color():
            self.theme = "ansi-dark"
        self._folder = folder
        self._busy = False

    @property
    def demo_folder(self) -> Path:
        """Where the demo goes."""
        return self._folder / DEMO_FOLDER

    def compose(self) -> ComposeResult:
        """Lay the choices."""
        demo = "open the demo project that is in" if is_project(self.demo_folder) else "make the demo project in"
        with Vertical(id="welcome"):
            yield Static(Content.styled("Tuning Studio", "bold"))
            yield Static(f"There is no project in {clean(str(self._folder.resolve()))}.", markup=False)
            yield Static("")
            yield Static(f"d  {demo} {DEMO_FOLDER}, to look around", markup=False)
            yield Static("n  make an empty project here, for data of your own", markup=False)
            yield Static("q  leave", markup=False)
            yield Static("")
            yield Static("", id="message", markup=False)

    def action_demo(self) -> None:
        """Make the demo project, or open it where it is."""
        if is_project(self.demo_folder):
            self.exit(self.demo_folder)
        elif not self._busy:
            self._busy = True
            self._say("Making the demo project ...")
            self._make_demo()

    def action_new(self) -> None:
        """Make an empty project."""
        if self._busy:
            return
        try:
            self.exit(create_project(self._folder).folder)
        except StudioError as error:
            self._say(message_of(error))

    @work(thread=True)
    def _make_demo(self) -> None:
        from studio.demo import create_demo

        try:
            made = create_demo(self.demo_folder)
        except StudioError as error:
            self.call_from_thread(self._failed, message_of(error))
        else:
            self.call_from_thread(self.exit, made.project.folder)

    def _failed(self, message: str) -> None:
        self._busy = False
        self._say(message)

    def _say(self, message: str) -> None:
        self.screen.query_one("#message", Static).update(message)
