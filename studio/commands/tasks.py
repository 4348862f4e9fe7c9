"""`studio tasks`: the queues of pairs to judge, and how far each is."""

from dataclasses import asdict
from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, project_option, say


@click.command("tasks")
@project_option
@json_option
def tasks(folder: Path, as_json: bool) -> None:
    """List the queues of Compare: what each asks, and how far it is."""
    from studio.labelling import progress
    from studio.labelling.tasks import tasks_of

    with opened(folder) as (project, store):
        found = [(task, progress.read(store, task, project.rater)) for task in tasks_of(project)]
    if as_json:
        print_json([{**asdict(task), "progress": asdict(how_far)} for task, how_far in found])
        return
    width = max(len(task.name) for task, _ in found)
    for task, how_far in found:
        say(f"{task.name:<{width}}  {task.order:<13}  {how_far}")


COMMANDS = (tasks,)
