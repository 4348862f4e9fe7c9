"""The tasks of a project: its queues of pairs."""

from studio.errors import StudioError
from studio.labelling.task_settings import Choice, Order, Task, did_you_mean
from studio.project import Project

__all__ = ["ALL_PAIRS", "Choice", "Order", "Task", "task_named", "tasks_of"]

ALL_PAIRS = Task("all pairs")
"""What there is to do where the settings name nothing."""


def tasks_of(project: Project) -> tuple[Task, ...]:
    """Return the tasks that the settings name; at least one."""
    return project.settings.tasks or (ALL_PAIRS,)


def task_named(project: Project, name: str) -> Task:
    """Return a task by its name, however its letters are written.

    Raises:
        StudioError: there is none of that name.
    """
    known = {task.name.casefold(): task for task in tasks_of(project)}
    wanted = name.strip().casefold()
    if wanted not in known:
        names = [task.name for task in known.values()]
        raise StudioError(f"There is no task '{name}' in this project.", did_you_mean(name, names))
    return known[wanted]
