"""What can be done with runs from their list: start, stop, resume, prove, name, delete."""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from screens import run_work
from screens.background import in_background
from screens.base import StudioScreen
from screens.dialogs import Confirm
from store import runs
from store.runs import ACTIVE, Run

if TYPE_CHECKING:
    from screens.run_edit import Called


class RunActions(StudioScreen):
    """A screen with a run under its cursor."""

    @property
    @abstractmethod
    def run_here(self) -> Run | None:
        """The run under the cursor."""

    @abstractmethod
    def look(self) -> None:
        """Look at the runs anew."""

    @abstractmethod
    def started(self, run_id: str) -> None:
        """Go to a run that was started."""

    def action_new_run(self) -> None:
        """Ask what to train, then start it."""
        from screens.new_run import NewRun, NewRunForm

        def start(wanted: NewRun | None) -> None:
            if wanted is not None:
                self.set_status(f"starting {wanted.method} ...")
                work = partial(run_work.start, self.studio.project, wanted, self._say)
                in_background(self, work, self._started)

        self.app.push_screen(NewRunForm(self.run_here), start)

    def action_stop(self) -> None:
        """Stop the run, or take it out of the queue, after a question."""
        run = self.run_here
        if run is None or run.status not in ACTIVE | {"queued"}:
            self.set_status("this run is not going on")
        elif run.status == "queued":
            self._ask(f"Take {run.id} out of the queue? r puts it back, at the end.", "Take it out", run_work.stop)
        else:
            question = f"Stop {run.id} at the end of its step? A checkpoint is kept; r goes on from it."
            self._ask(question, "Stop it", run_work.stop)

    def action_resume(self) -> None:
        """Go on with a stopped or failed run."""
        self._do(run_work.resume)

    def action_parity(self) -> None:
        """Show the evidence that llama.cpp runs what was trained."""
        from screens.evidence_window import EvidenceWindow

        if self.run_here is not None:
            self.app.push_screen(EvidenceWindow(self.run_here.id))

    def action_delete(self) -> None:
        """Delete the run with its files, after a question that says how large they are."""
        run = self.run_here
        if run is None:
            return

        def ask(size: str) -> None:
            question = f"Delete {run.id} and its files, {size}? They can't be brought back; replies that it made stay."
            self._ask(question, "Delete it", run_work.delete, run)

        in_background(self, partial(run_work.size_if_deletable, self.studio.project, run.id), ask)

    def action_edit(self) -> None:
        """Give the run a name, tags and a note."""
        if self.run_here is not None:
            self._edit(self.run_here.id)

    def _edit(self, run_id: str, draft: "Called | None" = None) -> None:
        from screens.run_edit import Called, RunEdit

        store = self.studio.store

        def keep(called: Called | None) -> None:
            if called is not None:
                write = partial(runs.describe, store, run_id, name=called.name, note=called.note, tags=called.tags)
                self.save(write, partial(self._edit, run_id, called))
                self.look()

        self.app.push_screen(RunEdit(runs.get(store, run_id), draft=draft), keep)

    def _ask(self, question: str, yes: str, work: Callable[..., str], run: Run | None = None) -> None:
        run = run or self.run_here

        def answered(agreed: bool | None) -> None:
            if agreed and run is not None:
                self._do(work, run)

        self.app.push_screen(Confirm(question, yes=yes), answered)

    def _do(self, work: Callable[..., str], run: Run | None = None) -> None:
        if (run := run or self.run_here) is not None:
            in_background(self, partial(work, self.studio.project, run.id), self._done)

    def _say(self, text: str) -> None:
        self.call_later(self.set_status, text)

    def _started(self, run_id: str) -> None:
        self.started(run_id)
        waits = runs.get(self.studio.store, run_id).status == "queued"
        self._done(f"{run_id} waits for its turn" if waits else f"{run_id} started")

    def _done(self, text: str) -> None:
        self.set_status(text)
        self.look()
