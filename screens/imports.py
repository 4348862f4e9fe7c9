"""The import that runs behind the screens: its progress, how to stop it, and what came of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from textual.message import Message
from textual.notifications import SeverityLevel

from screens.base import message_of
from store.database import Store
from store.errors import StoreError
from studio.errors import StudioError
from studio.text import clean

if TYPE_CHECKING:
    from screens.app import StudioApp
    from studio.import_plan import Planned
    from studio.import_report import ImportProgress, ImportReport
    from studio.mapping import Mapping

SECONDS_BETWEEN_WORDS = 0.25
"""Every word about progress is painted: on a slow line they must not queue up."""

SHOWN_PROBLEMS = 200
LONGEST_NOTE = 600
"""Characters of a report that are shown in passing."""


@dataclass(frozen=True)
class Outcome:
    """How an import ended."""

    words: str
    came_in: bool = False
    """Whether there is new data."""
    failed: bool = False
    """Whether a file could not be imported."""
    stopped: bool = False
    """Whether the user stopped it."""

    @property
    def heading(self) -> str:
        """The outcome in a word or two."""
        if self.stopped:
            return "Stopped; import it again to go on."
        if self.failed:
            return "Not everything was imported." if self.came_in else "Nothing was imported."
        return "Imported." if self.came_in else "Nothing new was imported."


class Imports:
    """Runs one import at a time in a thread, and tells the screens that are open how far it is."""

    class Progressed(Message):
        """More rows are in."""

        def can_replace(self, message: Message) -> bool:
            """Give way to newer words that wait."""
            return isinstance(message, Imports.Progressed)

    class Ended(Message):
        """The import has come to its end, one way or another."""

        def __init__(self, outcome: Outcome) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(self, app: "StudioApp") -> None:
        self._app = app
        self._cancelled = Event()
        self._files: Sequence[Planned] = ()
        self._finished = 0
        self._is_alone = False
        self.running = False
        self.words = ""
        """How far it is."""
        self.under_way = False
        """Whether the file is one that can be read: it has said how far it is."""

    @property
    def unsaved(self) -> str:
        """What leaving now would break off."""
        return "Data is being imported: leaving stops it, the rows so far stay." if self.running else ""

    def start(self, files: Sequence["Planned"], *, mapping: "Mapping | None" = None, format: str | None = None) -> None:
        """Import files one after another."""
        assert not self.running
        self._cancelled.clear()
        self._files, self._finished, self._is_alone = files, 0, False
        self.running, self.words, self.under_way = True, "reading ...", False

        def run() -> None:
            outcome = self._run(mapping, format)
            self._app.call_later(self._end, outcome)

        self._app.run_worker(run, thread=True, group="import", exit_on_error=False)

    def cancel(self) -> None:
        """Stop after the batch that is being written; the rows so far stay."""
        if self.running and not self._cancelled.is_set():
            self._cancelled.set()
            self._tell("stopping ...")

    def leave_alone(self) -> None:
        """Let it go on without a window; its end is said wherever one is then."""
        self._is_alone = True

    # In the thread

    def _run(self, mapping: "Mapping | None", format: str | None) -> Outcome:
        outcomes: list[Outcome] = []
        try:
            with self._app.project.open_store() as store:
                for file in self._files:
                    if self._cancelled.is_set():
                        break
                    outcomes.append(self._import_one(store, file, mapping, format))
                    self._finished += 1
        except StoreError as error:
            outcomes.append(Outcome(str(error), failed=True))
        left = len(self._files) - len(outcomes)
        words = [outcome.words for outcome in outcomes]
        words += [f"{left} more {'file was' if left == 1 else 'files were'} not begun."] if left > 0 else []
        return Outcome(
            "\n".join(words),
            came_in=any(o.came_in for o in outcomes),
            failed=any(o.failed for o in outcomes),
            stopped=left > 0 or any(o.stopped for o in outcomes),
        )

    def _import_one(self, store: Store, file: "Planned", mapping: "Mapping | None", format: str | None) -> Outcome:
        from studio.importing import import_file

        try:
            report = import_file(
                self._app.project,
                store,
                file.path,
                format=format,
                mapping=mapping,
                name=file.name,
                split=file.split,
                on_progress=_Throttle(self._say_from_thread),
                cancelled=self._cancelled.is_set,
            )
        except StudioError as error:
            return Outcome(message_of(error), failed=True)
        except (StoreError, OSError) as error:
            return Outcome(str(error), failed=True)
        except Exception as error:
            # A fault of ours must be seen, and must not take the app with the user's work down.
            self._app.log.error(f"{type(error).__name__}: {error}")
            return Outcome(f"The program failed: {type(error).__name__}: {error}", failed=True)
        words = report_words(report)
        came_in = bool(report.records) if not report.already else bool(report.made.described())
        return Outcome("\n".join([words, file.why]) if file.why else words, came_in, stopped=report.stopped)

    def _say_from_thread(self, progress: "ImportProgress") -> None:
        of_all = f"file {self._finished + 1} of {len(self._files)}: " if len(self._files) > 1 else ""
        self._app.call_later(self._progress, of_all + str(progress))

    # Back in the app

    def _progress(self, words: str) -> None:
        if self.running and not self._cancelled.is_set():
            self.under_way = True
            self._tell(words)

    def _tell(self, words: str) -> None:
        self.words = words
        for screen in self._app.screen_stack:
            screen.post_message(self.Progressed())

    def _end(self, outcome: Outcome) -> None:
        self.running = False
        if self._is_alone:
            severity: SeverityLevel = "error" if outcome.failed else "information"
            words = clean(f"{outcome.heading}\n{outcome.words}")
            self._app.notify(words[:LONGEST_NOTE], severity=severity, markup=False, timeout=20)
        for screen in self._app.screen_stack:
            screen.post_message(self.Ended(outcome))


class _Throttle:
    """Hands on the first word, and later ones not too often."""

    def __init__(self, say: Callable[["ImportProgress"], None]) -> None:
        self._say = say
        self._last = 0.0

    def __call__(self, progress: "ImportProgress") -> None:
        moment = time.monotonic()
        if moment - self._last >= SECONDS_BETWEEN_WORDS:
            self._last = moment
            self._say(progress)


def report_words(report: "ImportReport") -> str:
    """Return what came of a file, with the rows that mean less than they seem to."""
    shown = report.problems[:SHOWN_PROBLEMS]
    more = report.problem_count - len(shown)
    lines = [report.summary(), *(f"  {problem}" for problem in shown)]
    return "\n".join([*lines, f"  and {more:,} more; search for has:problem to see all"] if more > 0 else lines)
