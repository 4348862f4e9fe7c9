"""The pair that is asked about, and the way from pair to pair; nothing of how it looks, nothing of answers."""

from collections.abc import Callable
from dataclasses import replace

from screens.base import StudioScreen
from screens.compare_asked import AskedPair
from screens.compare_begun import BegunRemarks
from screens.compare_course import Course
from screens.compare_pages import INTRODUCED, READING, first_use, is_first_use, nothing_left
from store import interface_state
from store.database import Store
from store.errors import StoreError
from studio.errors import StudioError
from studio.labelling.shown import Shown
from studio.labelling.shown import read as read_pair
from studio.labelling.tasks import ALL_PAIRS, Task, tasks_of

TASK = "compare.task"
"""The name of the task that was left, in the interface's state."""


class Walk:
    """Goes through the pairs of one task after another; `changed` is called when something else is to be seen."""

    def __init__(self, screen: StudioScreen, begun: BegunRemarks, changed: Callable[[], object]) -> None:
        self.asked: AskedPair | None = None
        self.held: Shown | None = None
        """The first pair of all, behind the page of the first use."""
        self._course: Course | None = None
        self._screen = screen
        self._begun = begun
        self._changed = changed

    @property
    def course(self) -> Course:
        """The way through the task; there is one once a task was begun."""
        assert self._course is not None
        return self._course

    @property
    def task(self) -> Task:
        """What is judged."""
        return self._course.task if self._course else ALL_PAIRS

    @property
    def page(self) -> str:
        """What is said where no pair is in sight."""
        progress = self.course.how_far.progress
        if self.held is not None:
            return first_use(self.task.instructions)
        return READING if progress is None or self.course.is_planning else nothing_left(self.task, progress)

    def how_far(self, width: int) -> str:
        """Return how far the task is, in words; nothing before the first pair."""
        return "" if self.held is not None else self.course.how_far.words(width)

    def resume(self) -> None:
        """Go on where the journal says: pairs may have come in, or been excluded, on other screens."""
        if self._course is None:
            self.use_task(self._task_named(interface_state.recall(self._store, TASK, "")))
            return
        if self.asked is None:
            self.advance()
        elif self._course.queue.is_open(self._store, self.asked.shown):
            self._renew(self.asked)
        else:
            self._leave_gone()
            self.advance()
            self._screen.set_status("that pair was judged or left out meanwhile", "judged meanwhile")
        self.course.how_far.count()

    def use_task(self, task: Task) -> None:
        """Go on in another queue, or in the same one after it was changed."""
        self.leave_pair()
        self._course = Course(self._screen, task, planned=self._go_on_planned, counted=self._changed)
        self._screen.studio.note_place(TASK, task.name)
        self.advance()
        self._course.how_far.count()
        self._screen.set_status(task.name)

    def take_task(self, task: Task | None) -> None:
        """Go on in the queue that was chosen, or, where none was, in this one as it is now."""
        now = task or self._task_named(self.task.name)
        if now != self.task:
            self.use_task(now)

    def begin(self) -> None:
        """Go from the page of the first use to the first pair."""
        if held := self.held:
            self.show(held)

    def advance(self) -> None:
        """Ask about the pair that is next; where there is none it is looked whether others came in."""
        self._go_to(self.course.queue.next(self._store))

    def show(self, shown: Shown, *, is_anew: bool = False) -> None:
        """Ask about a pair of one's choice."""
        self._screen.studio.note_place(INTRODUCED, True)
        self._go_to(shown, is_anew=is_anew)

    def show_flag(self, asked: AskedPair, flagged: bool) -> None:
        """Show that the pair's example is marked, or is not."""
        asked.shown = asked.shown.with_flag(flagged)
        self._changed()

    def ask_on(self, asked: AskedPair) -> None:
        """Ask for the next criterion, or for the verdict."""
        asked.ask(self._store, self.task.criteria, rater=self._screen.studio.project.rater)
        self._changed()

    def leave_pair(self) -> None:
        """Write down the comment that was begun; reasons wait with their pair."""
        if self.asked:
            self._begun.save_comment(self.asked.shown.pair.id)

    def read_ahead(self, asked: AskedPair) -> None:
        """Do what can wait while the person reads."""
        if asked is self.asked:
            self.course.queue.prefetch(self._store)
            self.course.plan_if_wanted(self._store)
            self.course.how_far.look_further()

    @property
    def _store(self) -> Store:
        return self._screen.studio.store

    def _task_named(self, name: str) -> Task:
        known = tasks_of(self._screen.studio.project)
        return next((task for task in known if task.name == name), known[0])

    def _go_on_planned(self, course: Course) -> None:
        if course is self._course and self.asked is None and self.held is None:
            self._ask_about(course.queue.next(self._store))

    def _go_to(self, shown: Shown | None, *, is_anew: bool = False) -> None:
        if shown is None:
            self.course.plan_if_wanted(self._store)
        self._ask_about(shown, is_anew=is_anew)

    def _ask_about(self, shown: Shown | None, *, is_anew: bool = False) -> None:
        is_held = shown is not None and is_first_use(self._store, self._screen.studio.project.rater)
        self.held, shown = (shown, None) if is_held else (None, shown)
        self.asked = AskedPair(shown, is_anew) if shown else None
        if self.asked:
            self.ask_on(self.asked)
        else:
            self._changed()

    def _renew(self, asked: AskedPair) -> None:
        """Show what was changed about a pair's example on other screens or in other programs."""
        content = read_pair(self._store, asked.shown.pair.id)
        if content.prompt != asked.shown.prompt:
            self._begun.keep()
            changed = replace(asked.shown, prompt=content.prompt, flagged=content.flagged)
            self._ask_about(changed, is_anew=asked.is_anew)
            self._screen.set_status("the prompt was changed meanwhile", "prompt changed")
        elif content.flagged != asked.shown.flagged:
            self.show_flag(asked, content.flagged)

    def _leave_gone(self) -> None:
        """Leave a pair that waits no more; what can't be written of it now stays begun."""
        try:
            self.leave_pair()
        except StoreError as error:
            self._screen.notify_error(StudioError(str(error)))
