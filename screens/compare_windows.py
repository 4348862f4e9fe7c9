"""The windows that Compare opens: queues, all verdicts, how it goes, new replies, the AI judge."""

from screens.compare_queue import QueueScreen
from store.journal import Entry
from studio.labelling.tasks import Task, tasks_of


class CompareWindows(QueueScreen):
    """The part of the screen that opens windows, and goes on where they say."""

    def open_entry(self, entry: Entry) -> None:
        """Show the pair of a verdict again, to be judged anew."""
        raise NotImplementedError

    def action_tasks(self) -> None:
        """Choose the queue, make one, or change one."""
        from screens.task_window import TaskWindow

        self.studio.push_screen(TaskWindow(self._labelling), self._take_task)

    def action_history(self) -> None:
        """List every verdict; one of them can be judged anew."""
        from screens.verdict_history import VerdictHistory

        self.studio.push_screen(VerdictHistory(), self._take_entry)

    def action_report(self) -> None:
        """Show what the verdicts say, and how far they can be relied on."""
        from screens.labelling_report import LabellingReportWindow

        self.studio.push_screen(LabellingReportWindow())

    def action_new_replies(self) -> None:
        """Ask models for replies to compare, or see how far they are."""
        from screens.generate_window import open_candidates

        open_candidates(self.studio)

    def action_ai_judge(self) -> None:
        """Show how far a model agrees with the verdicts given so far."""
        from screens.judge_window import JudgeWindow

        task = self._labelling
        self.studio.push_screen(JudgeWindow(task.name if task in self.studio.project.settings.tasks else ""))

    def _take_task(self, task: Task | None) -> None:
        """Go on in the queue that was chosen, or, where none was, in this one as it is now."""
        known = tasks_of(self.studio.project)
        now = task or next((each for each in known if each.name == self._labelling.name), known[0])
        if now != self._labelling:
            self.use_task(now)

    def _take_entry(self, entry: Entry | None) -> None:
        if entry is not None:
            self.open_entry(entry)
