"""`studio compare`: what the labels say, and how far they can be relied on."""

from collections.abc import Iterable
from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.errors import StudioError


@click.command("compare")
@click.option("--task", default="", metavar="NAME", help="Only verdicts given in this task.")
@click.option("--rater", default="", metavar="NAME", help="Only this person's verdicts.")
@project_option
@json_option
def compare(task: str, rater: str, folder: Path, as_json: bool) -> None:
    """Show the labelling statistics: who is better and how sure that is, agreement, bias, pace, drift."""
    from store import tallies
    from studio.labelling.report import report
    from studio.labelling.report_words import plain
    from studio.labelling.tasks import tasks_of

    with opened(folder) as (project, store):
        named = [each.name for each in tasks_of(project)]
        labels = report(
            store,
            task=_known(task, [*named, *tallies.tasks(store)], "task"),
            rater=_known(rater, tallies.raters(store), "rater"),
            lint=project.settings.lint,
            reader=project.rater,
        )
    if as_json:
        print_json(labels)
        return
    if not labels.pairs:
        raise StudioError("There are no pairs to compare yet.", "Import data with two responses to a prompt.")
    say(plain(labels, project.rater))


def _known(name: str, known: Iterable[str], what: str) -> str:
    """Return a name as it is written where it was given, however its letters are typed here."""
    from studio.labelling.task_settings import did_you_mean

    names = {each.casefold(): each for each in known}
    wanted = name.strip().casefold()
    if not wanted or wanted in names:
        return names.get(wanted, "")
    hint = did_you_mean(name, list(names.values())) if names else "Nobody judged a pair yet."
    raise StudioError(f"There is no {what} '{name}' in this project.", hint)


COMMANDS = (compare,)
