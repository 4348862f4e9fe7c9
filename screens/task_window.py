"""The queues of a project: choose the one to judge, make another, change one, take one away."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from screens import keys
from screens.background import in_background
from screens.base import HELP_KEYS
from screens.dialogs import Confirm
from screens.list_over_text import ListOverText
from screens.task_form import TaskForm
from screens.widgets.bars import KeyBar
from screens.widgets.table import Column, RecordTable, Row
from screens.widgets.text_view import Span, TextView
from store.database import Store
from studio.errors import StudioError
from studio.labelling import progress, task_changes
from studio.labelling.tasks import ALL_PAIRS, Task, tasks_of
from studio.project import Project


class TaskWindow(ListOverText[Task]):
    """A list of queues over what the one under the cursor asks; gives the one that is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.TASKS, *HELP_KEYS]

    def __init__(self, current: Task) -> None:
        super().__init__()
        self._current = current
        self._tasks: tuple[Task, ...] = ()
        self._progress: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Lay the list over the text."""
        columns = [Column("Queue", 20), Column("Order", 13), Column("How far")]
        with Vertical(classes="window tall"):
            yield Static("Queues; enter goes on in one, esc closes", classes="pane-title", markup=False)
            yield RecordTable(columns, self._rows)
            yield TextView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin at the queue that one is in."""
        self._fill(self._current.name)
        self.table.focus()

    def action_new(self) -> None:
        """Ask for another queue."""
        self._ask(Task("", seed=len(self._tasks) + 1), None)

    def action_edit(self) -> None:
        """Change the queue under the cursor."""
        if task := self._here:
            self._ask(task, task)

    def action_delete(self) -> None:
        """Take the queue under the cursor out of the settings, after a question."""
        task = self._here
        if task is None or task == ALL_PAIRS:
            self.notify("The queue of all pairs is always there.", markup=False)
            return
        question = f"Take the queue {task.name} away? Its verdicts stay, and count."
        delete = partial(task_changes.delete, self.studio.project, task)
        self.app.push_screen(Confirm(question, yes="Take it away"), lambda yes: self._change(delete) if yes else None)

    @property
    def _here(self) -> Task | None:
        position = self.table.cursor_id
        return self._tasks[position] if position is not None and position < len(self._tasks) else None

    def _ask(self, task: Task, before: Task | None) -> None:
        def given(result: Task | None) -> None:
            if result is not None:
                save = partial(task_changes.save, self.studio.project, result, before=before)
                self._change(save, again=partial(self._ask, result, before), at=result.name)

        self.app.push_screen(TaskForm(task, before=before), given)

    def _change(self, change: "partial[Project]", *, again: "partial[None] | None" = None, at: str = "") -> None:
        """Write to the settings file; where that fails, say why and show the form again."""
        try:
            self.studio.project = change()
        except StudioError as error:
            self.studio.notify_error(error)
            if again is not None:
                again()
        else:
            self._fill(at)

    def _fill(self, at: str) -> None:
        self._tasks = tasks_of(self.studio.project)
        names = [task.name for task in self._tasks]
        self.table.styles.height = min(len(names), 8) + 1
        self.table.show(range(len(names)), cursor_id=names.index(at) if at in names else None)
        read = partial(_progress, tasks=self._tasks, rater=self.studio.project.rater)
        in_background(self, read, self._show_progress, group="progress", exclusive=True)

    def _show_progress(self, found: dict[str, str]) -> None:
        self._progress = found
        self.table.refresh_rows()

    def _rows(self, positions: list[int]) -> dict[int, Row]:
        return {position: self._row(self._tasks[position]) for position in positions if position < len(self._tasks)}

    def _row(self, task: Task) -> Row:
        return Row((task.name, task.order, self._progress.get(task.name, "counting ...")))

    @on(RecordTable.Highlighted)
    def _show(self) -> None:
        self.text.show(_spans(self._here) if self._here else "")

    @on(RecordTable.Opened)
    def _open(self, event: RecordTable.Opened) -> None:
        self.dismiss(self._tasks[event.row_id])


def _progress(store: Store, *, tasks: tuple[Task, ...], rater: str) -> dict[str, str]:
    return {task.name: _progress_words(store, task, rater) for task in tasks}


def _progress_words(store: Store, task: Task, rater: str) -> str:
    try:
        return str(progress.read(store, task, rater))
    except StudioError as error:
        return str(error)


def _spans(task: Task) -> list[Span]:
    """Return what a queue asks, in words."""
    spans = [Span(task.instructions or "It has no instructions yet; e adds them.", "" if task.instructions else "dim")]
    said = {
        "examples": task.query or "all",
        "pairs": task.pairs,
        "criteria": ", ".join(task.criteria),
        "reasons": ", ".join(task.reasons),
        "strength": "h l slightly, H L clearly" if task.strength else "",
        "ranking": "all replies to a prompt are put in order" if task.ranking else "",
        "come back": f"{task.repeats:.0%} of the pairs, and {task.anchors} of earlier sessions",
        "shuffled by": f"seed {task.seed}" if task.order == "random" else "",
    }
    for name, words in said.items():
        if words:
            spans += [Span(f"\n{name}: ", "bold"), Span(words)]
    return spans
