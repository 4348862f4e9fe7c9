"""One's way through a task: its pairs, put in order in a thread, and how far one is."""

from collections.abc import Callable

from screens.background import in_background
from screens.base import StudioScreen
from screens.compare_progress import HowFar
from store.database import Store
from studio.errors import StudioError
from studio.labelling.queue import Plan, Queue
from studio.labelling.tasks import Task


class Course:
    """A task that is judged; another one is begun where the task changes, and what this one still hears is its own.

    `planned` is called with it once its pairs were put in order, or could not be; `counted` when more is known of
    how far it is.
    """

    def __init__(
        self,
        screen: StudioScreen,
        task: Task,
        *,
        planned: "Callable[[Course], object]",
        counted: Callable[[], object],
    ) -> None:
        self.task = task
        self.queue = Queue(task, screen.studio.project.rater)
        self.how_far = HowFar(screen, task, counted)
        self.is_planning = False
        self._screen = screen
        self._planned = planned

    def plan_if_wanted(self, store: Store) -> None:
        """Put the queue in order where it was not, or where pairs and verdicts came since."""
        if not self.is_planning and self.queue.wants_plan(store):
            self.is_planning = True
            in_background(self._screen, self.queue.plan, self._use, failed=self._leave, group="plan")

    def _use(self, plan: Plan) -> None:
        self.queue.use(plan)
        self.is_planning = False
        self._planned(self)

    def _leave(self, error: StudioError) -> None:
        self._screen.notify_error(error)
        self.is_planning = False
        self._planned(self)
