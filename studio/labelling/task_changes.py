"""Making, changing and taking away a project's queues, in its settings file."""

from dataclasses import fields, replace
from typing import Any

from studio.labelling import task_settings
from studio.labelling.task_settings import Task
from studio.labelling.tasks import ALL_PAIRS
from studio.project import Project, open_project
from studio.settings_file import change_named


def checked(project: Project, values: dict[str, Any], *, before: Task | None) -> Task:
    """Return the task that values say, fit to stand among the project's others.

    Args:
        project: whose tasks it stands among.
        values: settings by name, as a settings file has them; those left out have their defaults.
        before: the task that it takes the place of.

    Raises:
        StudioError: they say what no task can, or another task has the name.
    """
    others = [as_table(task) for task in project.settings.tasks if before is None or task.name != before.name]
    return task_settings.read([*others, values], "the queue")[-1]


def save(project: Project, task: Task, *, before: Task | None) -> Project:
    """Write a task into the settings, in the place of the one before; return the project as it is now.

    Raises:
        StudioError: the settings file can't be read or written, or another task has the name by now.
    """
    # Another program may have changed the file since it was read.
    now = open_project(project.folder)
    checked(now, as_table(task), before=before)
    table = as_table(task)
    if before is not None and before.name in {each.name for each in now.settings.tasks}:
        table = {**{field.name: None for field in fields(task)}, **table}
        change_named(project.folder / "studio.toml", "tasks", before.name, table)
    else:
        if before is None and not now.settings.tasks:
            # Until now there was the queue of all pairs without being named; it is not lost by making another.
            change_named(project.folder / "studio.toml", "tasks", ALL_PAIRS.name, as_table(ALL_PAIRS))
        change_named(project.folder / "studio.toml", "tasks", task.name, table)
    return open_project(project.folder)


def delete(project: Project, task: Task) -> Project:
    """Take a task out of the settings; its verdicts stay. Returns the project as it is now.

    Raises:
        StudioError: the settings file can't be read or written.
    """
    change_named(project.folder / "studio.toml", "tasks", task.name, None)
    return open_project(project.folder)


def as_table(task: Task) -> dict[str, Any]:
    """Return what a settings file has to say of a task: what differs from the defaults."""
    default = replace(ALL_PAIRS, name="")
    values = {field.name: getattr(task, field.name) for field in fields(task)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value != getattr(default, name)
    }
