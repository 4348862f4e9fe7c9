"""`studio new` and the making of the demo project."""

from pathlib import Path

import click

from studio.commands.common import say
from studio.project import create_project, is_project


@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Make an empty project in FOLDER."""
    create_project(folder)
    say(f"Made {folder}. Next: studio import FILE --project {folder}, or studio {folder} to open it.")


def make_demo(folder: Path) -> None:
    """Make the demo project unless the folder holds a project already."""
    from studio.demo import create_demo, is_unfinished_demo

    if is_project(folder) and not is_unfinished_demo(folder):
        say(f"{folder} is a project already; it is left as it is.")
        return

    made = create_demo(folder)
    say(f"Made {folder}: {made.records} e-mails with two replies each, {made.judged} pairs judged, the rest yours.")


COMMANDS = (new,)
