"""The queue behind Compare: which pair comes next, how far it is, and what is said where no pair is left."""

from dataclasses import replace
from functools import partial

from screens.background import in_background
from screens.compare_pages import READING, first_use, nothing_left
from screens.compare_pair import PairScreen
from store import bulk, interface_state, journal
from store.database import Store
from store.errors import StoreError
from studio.errors import StudioError
from studio.labelling import enough, progress
from studio.labelling.progress import Progress
from studio.labelling.queue import Plan, Queue
from studio.labelling.shown import Shown
from studio.labelling.shown import read as read_pair
from studio.labelling.tasks import ALL_PAIRS, Task, tasks_of
from studio.text import clean

LOOK_EVERY = 10
"""Verdicts after which it is looked at in the background how certain the outcome is."""

INTRODUCED = "compare.introduced"
"""Whether the page of the first use was left, in the interface's state."""


class QueueScreen(PairScreen):
    """Shows the pairs of one task, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._labelling: Task = ALL_PAIRS
        self._queue: Queue | None = None
        self._is_planning = False
        self._held: Shown | None = None
        """The first pair of all, behind the page of the first use."""
        self._progress: Progress | None = None
        self._enough = ""
        self._decisions = 0
        self._look_at = 0

    @property
    def queue(self) -> Queue:
        """The way through the task's pairs; there is one once the screen was shown."""
        assert self._queue is not None
        return self._queue

    @property
    def instructions(self) -> str:
        """What the task asks for."""
        task = self._labelling
        said = [task.instructions] if task.instructions else []
        if task.strength:
            said.append("How much better is asked too: h and l say slightly, H and L clearly.")
        return "\n".join([task.name, *said]) if said else ""

    @property
    def offered_reasons(self) -> tuple[str, ...]:
        """The task's reasons."""
        return self._labelling.reasons

    @property
    def progress_words(self) -> str:
        """How far the task is, and how certain its outcome."""
        if self._progress is None or self._held is not None:
            return ""
        return fitted(str(self._progress), self._enough, self.size.width - 2)

    def on_screen_resume(self) -> None:
        """Go on where the journal says: pairs may have come in, or been excluded, on other screens."""
        if self._queue is None:
            self.use_task(self._task_at_first())
            return
        shown = self._shown
        if shown is None:
            self._advance()
        elif self._queue.is_open(self.studio.store, shown):
            self._renew(shown)
        else:
            self._leave_gone()
            self._advance()
            self.set_status("that pair was judged or left out meanwhile", "judged meanwhile")
        self._count()

    def on_imports_ended(self) -> None:
        """Count what came in; where no pair was left there may be one now."""
        self.on_screen_resume()

    def use_task(self, task: Task) -> None:
        """Go on in another queue, or in the same one after it was changed."""
        self._leave_pair()
        self._labelling, self._queue = task, Queue(task, self.studio.project.rater)
        self._progress, self._enough, self._is_planning = None, "", False
        self.panes.queue_name = task.name if task in self.studio.project.settings.tasks else ""
        self.studio.note_place("compare.task", task.name)
        self.asked.display = bool(task.criteria)
        self._decisions += 1
        self._look_at = self._decisions
        self._advance()
        self._count()
        self.set_status(task.name)

    def action_begin(self) -> None:
        """Go from the page of the first use to the first pair."""
        held, self._held = self._held, None
        if held is not None:
            self._begin()
            self._show(held)

    def _task_at_first(self) -> Task:
        known = tasks_of(self.studio.project)
        name = interface_state.recall(self.studio.store, "compare.task")
        return next((task for task in known if task.name == name), known[0])

    def _begin(self) -> None:
        self._held = None
        if not interface_state.recall(self.studio.store, INTRODUCED):
            self.studio.note_place(INTRODUCED, True)

    def _is_first_use(self) -> bool:
        store = self.studio.store
        if interface_state.recall(store, INTRODUCED):
            return False
        return not journal.latest_verdicts(store, rater=self.studio.project.rater, limit=1)

    def _leave_gone(self) -> None:
        """Leave a pair that waits no more; what can't be written of it now stays begun."""
        try:
            self._leave_pair()
        except StoreError as error:
            self.notify_error(StudioError(str(error)))

    def _renew(self, shown: Shown) -> None:
        """Show what was changed about a pair's example on other screens or in other programs."""
        content = read_pair(self.studio.store, shown.pair.id)
        if content.prompt != shown.prompt:
            self._close_lines()
            self._show(replace(shown, prompt=content.prompt, flagged=content.flagged))
            self.set_status("the prompt was changed meanwhile", "prompt changed")
        elif content.flagged != shown.flagged:
            self._shown = shown.with_flag(content.flagged)
            self.panes.note(self._shown)

    def _advance(self) -> None:
        """Show the pair that is next."""
        self._show(self.queue.next(self.studio.store))
        if self._shown is None:
            self._plan_if_wanted()

    def _plan_if_wanted(self) -> None:
        """Put the queue in order in a thread, where it was not or pairs and verdicts came since."""
        queue = self.queue
        if not self._is_planning and queue.wants_plan(self.studio.store):
            self._is_planning = True
            failed = partial(self._leave_unplanned, queue)
            in_background(self, queue.plan, partial(self._use_plan, queue), failed=failed, group="plan")
            self._say_why_nothing()

    def _use_plan(self, queue: Queue, plan: Plan) -> None:
        if queue is not self._queue:
            return
        queue.use(plan)
        self._is_planning = False
        if self._shown is None and self._held is None:
            self._show(queue.next(self.studio.store))

    def _leave_unplanned(self, queue: Queue, error: StudioError) -> None:
        self.notify_error(error)
        if queue is self._queue:
            self._is_planning = False
            self._say_why_nothing()

    def _count(self) -> None:
        """Read how far the labelling is in a thread: of a million pairs that takes a while."""
        count = partial(progress.read, task=self._labelling, rater=self.studio.project.rater)
        in_background(self, count, partial(self._counted, self._decisions), group="count")

    def _counted(self, decisions: int, found: Progress) -> None:
        if decisions != self._decisions:
            # A decision came between; whether it was counted can't be told.
            self._count()
            return
        self._progress = found
        self._show_line()
        self._say_why_nothing()

    def _look_further(self) -> None:
        """Find out in a thread how certain the outcome is, every so many verdicts."""
        if self._decisions < self._look_at:
            return
        self._look_at = self._decisions + LOOK_EVERY
        task = self._labelling
        look = partial(_look, task=task.name, rater=self.studio.project.rater)
        in_background(self, look, partial(self._looked, task), group="enough")

    def _looked(self, task: Task, words: str) -> None:
        if task is self._labelling:
            self._enough = words
            self._show_line()

    def _show(self, shown: Shown | None) -> None:
        """Put a pair on the screen, or say why there is none; verdicts count only once it was painted."""
        if shown is not None and self._is_first_use():
            self._held, shown = shown, None
        self._shown = shown
        with self.app.batch_update():
            self.panes.display = shown is not None
            self.nothing.display = shown is None
            if shown is None:
                self._say_why_nothing()
            else:
                self._shown = self.ask(shown)
                self.panes.show(self._shown)
            self._show_line()

    def ask(self, shown: Shown) -> Shown:
        """Ask what is to be asked of a pair; return it with the sides that it is asked about."""
        return shown

    def read_ahead(self, shown: Shown) -> None:
        """Do what can wait while the person reads."""
        if shown is self._shown:
            self.queue.prefetch(self.studio.store)
            self._plan_if_wanted()
            self._look_further()

    def _say_why_nothing(self) -> None:
        task = self._labelling
        if self._shown is not None:
            return
        if self._held is not None:
            text = first_use(task.instructions)
        elif self._progress is None or self._is_planning:
            text = READING
        else:
            is_whole = task == ALL_PAIRS
            has_pairs = bool(self._progress.planned)
            text = nothing_left(task.name, str(self._progress), has_pairs=has_pairs, is_whole=is_whole)
        self.nothing.update(clean(text))


def _look(store: Store, task: str, rater: str) -> str:
    """Find out how certain the outcome is, and spare the verdicts a wait for the disk."""
    words = enough.short(store, task=task, rater=rater)
    # A commit does so once in a hundred or so otherwise, and then waits for the disk much longer than others.
    bulk.checkpoint(store)
    return words


def fitted(progress: str, enough: str, width: int) -> str:
    """Return how far it is and how certain on one line; what is told by the rest gives way first."""
    if not enough:
        return progress
    parts = progress.split(", ")
    for name in (" left", " today", " skipped", " a minute"):
        if len(", ".join(parts)) + len(enough) + 2 > width:
            parts = [part for part in parts if not part.endswith(name)]
    return f"{', '.join(parts)}; {enough}"
