"""What can be done with runs from their list: start, stop, resume, prove, name, delete."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from screens import run_work
from screens.background import in_background
from screens.base import StudioScreen
from screens.dialogs import Confirm
from store import runs
from store.runs import ACTIVE, Run
from studio.errors import StudioError

if TYPE_CHECKING:
    from screens.new_run import NewRun
    from screens.run_edit import Called


@dataclass
class RunActions:
    """Asks what has to be asked, and has it done in a thread."""

    screen: StudioScreen
    done: Callable[[str], None]
    """Told in a line what came of it."""
    started: Callable[[str], None]
    """Told the id of a run that was started."""
    refused: "NewRun | None" = None
    """What could not be started, and is not yet in the form again."""

    def new_run(self, before: Run | None) -> None:
        """Ask what to train, perhaps from where another run came to or what was refused, then start it."""
        from screens.new_run import NewRunForm

        def start(wanted: "NewRun | None") -> None:
            if wanted is not None:
                self.screen.set_status(f"starting {wanted.method} ...")
                work = partial(run_work.start, self.screen.studio.project, wanted, self._say)
                in_background(self.screen, work, self._started, failed=partial(self._refused, wanted))

        draft, self.refused = self.refused, None
        self.screen.app.push_screen(NewRunForm(before, draft=draft), start)

    def stop(self, run: Run) -> None:
        """Stop a run, or take it out of the queue, after a question."""
        if run.status == "queued":
            question = f"Take {run.id} out of the queue? r puts it back, at the end."
            self._ask(question, "Take it out", run_work.stop, run)
        elif run.status in ACTIVE:
            question = f"Stop {run.id} at the end of its step? r goes on where it was."
            self._ask(question, "Stop it", run_work.stop, run)
        else:
            self.screen.set_status("this run is not going on")

    def resume(self, run: Run) -> None:
        """Go on with a stopped or failed run."""
        self._do(run_work.resume, run)

    def put_first(self, run: Run) -> None:
        """Let a waiting run be the next one to train."""
        self._do(run_work.put_first, run)

    def show_evidence(self, run: Run) -> None:
        """Show the evidence that llama.cpp runs what was trained."""
        from screens.evidence_window import EvidenceWindow

        self.screen.app.push_screen(EvidenceWindow(run.id))

    def delete(self, run: Run) -> None:
        """Delete a run with its files, after a question that says how large they are."""

        def ask(size: str) -> None:
            if not self.screen.is_active:
                # Keys that were meant for what is open by now must not answer the question.
                self.screen.set_status(f"{run.id} is not deleted: d asks again", "d asks again")
                return
            self.screen.set_status("")
            question = f"Delete {run.id} and its files, {size}? They can't be brought back; replies that it made stay."
            self._ask(question, "Delete it", run_work.delete, run)

        self.screen.set_status("counting its files ...")
        size = partial(run_work.size_if_deletable, self.screen.studio.project, run.id)
        in_background(self.screen, size, ask, failed=self._failed)

    def edit(self, run_id: str, draft: "Called | None" = None) -> None:
        """Give a run a name, tags and a note."""
        from screens.run_edit import Called, RunEdit

        store = self.screen.studio.store

        def keep(called: Called | None) -> None:
            if called is not None:
                write = partial(runs.describe, store, run_id, name=called.name, note=called.note, tags=called.tags)
                self.screen.save(write, partial(self.edit, run_id, called))
                self.done("")

        self.screen.app.push_screen(RunEdit(runs.get(store, run_id), draft=draft), keep)

    def _ask(self, question: str, yes: str, work: Callable[..., str], run: Run) -> None:
        def answered(agreed: bool | None) -> None:
            if agreed:
                self._do(work, run)

        self.screen.app.push_screen(Confirm(question, yes=yes), answered)

    def _do(self, work: Callable[..., str], run: Run) -> None:
        in_background(self.screen, partial(work, self.screen.studio.project, run.id), self.done)

    def _failed(self, error: StudioError) -> None:
        # What was going on is not any more.
        self.screen.set_status("")
        self.screen.notify_error(error)

    def _refused(self, wanted: "NewRun", error: StudioError) -> None:
        self._failed(error)
        self.refused = wanted
        if self.screen.is_active:
            self.new_run(None)
        else:
            self.screen.set_status("not started: n shows the form again", "not started: n")

    def _say(self, text: str) -> None:
        self.screen.call_later(self.screen.set_status, text)

    def _started(self, run_id: str) -> None:
        self.started(run_id)
        waits = runs.get(self.screen.studio.store, run_id).status == "queued"
        self.done(f"{run_id} waits for its turn" if waits else f"{run_id} started")
