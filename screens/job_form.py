"""What the forms that start a job share: a list of models, and the question before anything leaves."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from textual.getters import query_one
from textual.widgets import Static

from screens.background import in_background
from screens.base import StudioModal, message_of
from screens.choose import ChooseLine
from screens.dialogs import Confirm
from store.database import Store
from studio.chatting.choices import choices
from studio.errors import StudioError
from studio.project import Project
from studio.text import clean_line


class Sendable(Protocol):
    """A request that says whether it was agreed that texts leave the machine."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def send(self) -> bool:
        """Whether somebody agreed."""


Request = TypeVar("Request", bound=Sendable)
Then = Callable[[], object]


class JobForm(StudioModal[int], Generic[Request]):
    """Asks what a job is to do; gives the job's number once it was started."""

    CSS_PATH = "form.tcss"
    AFTER: ClassVar[str] = ""
    """What is said while nothing is wrong and nothing goes on."""

    said = query_one("#problem", Static)

    def __init__(self, begin: Callable[[Project, Store, Request], int]) -> None:
        """Ask; `begin` starts the job and returns its number, or raises a StudioError that says why it can't."""
        super().__init__()
        self._begin = begin
        self._busy = False

    def choose_from_models(self, title: str, take: Callable[[str], object]) -> None:
        """Choose a model from a list, by the words that name it."""
        found = choices(self.studio.project, self.studio.store)

        def chosen(position: int | None) -> None:
            if position is not None:
                take(found[position].ref)

        self.app.push_screen(ChooseLine(title, [clean_line(each.words) for each in found]), chosen)

    def start(self, request: Request, leaves: str) -> None:
        """Start the job; where something leaves the machine, say what, and ask first."""
        if leaves:
            self.app.push_screen(Confirm(f"{leaves}\n\nSend it?", yes="Send it"), partial(self._agreed, request))
        else:
            self._start(request)

    def work(self, words: str, work: Callable[[Store], Then]) -> None:
        """Do something in the background, and then here what it gives."""
        if not self._busy:
            self._busy = True
            self.said.update(words)
            in_background(self, work, self._done, failed=self._failed, group="job")

    def _agreed(self, request: Request, yes: bool | None) -> None:
        if yes:
            self._start(replace(request, send=True))

    def _start(self, request: Request) -> None:
        project = self.studio.project
        self.work("starting ...", lambda store: partial(self.dismiss, self._begin(project, store, request)))

    def _done(self, then: Then) -> None:
        self._busy = False
        self.said.update(self.AFTER)
        then()

    def _failed(self, error: StudioError) -> None:
        self._busy = False
        self.said.update(message_of(error))
