"""`studio recipe`: a recipe, or what does the same in another tool."""

from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say

_TOOLS = ("toml", "trl", "axolotl", "llamafactory")


@click.command("recipe")
@click.argument("what", metavar="METHOD|RUN")
@click.option(
    "--as", "tool", type=click.Choice(_TOOLS), default="toml", show_default=True, help="Which tool it is written for."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write it with all that it reads.")
@click.option("--model", help="The base model; the parent's, or else the project's own, when left out.")
@click.option("--parent", metavar="RUN", help="Go on from this run: its adapter, or its whole model.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a field of the recipe.")
@project_option
@json_option
def recipe(
    what: str,
    tool: str,
    out: Path | None,
    model: str | None,
    parent: str | None,
    overrides: tuple[str, ...],
    folder: Path,
    as_json: bool,
) -> None:
    """Print the recipe of a METHOD or of a RUN, or what does the same in another tool.

    With --out the rows, the tokenizer and whatever else it reads are written beside it, so that it runs as it is.
    """
    from studio.training.elsewhere.equivalents import write
    from studio.training.elsewhere.material import make_ready, of
    from studio.training.elsewhere.written import save

    with opened(folder) as (project, store):
        material = of(project, store, what, list(overrides), model, parent)
    if out and tool != "toml":
        make_ready(material, progress)
        progress_done()
    written = write(material, tool)
    paths = save(written, out) if out else []
    if as_json:
        print_json({"name": written.main, "text": written.text, "notes": written.notes, "written": paths})
    elif out is None:
        say(written.text.rstrip("\n"))
    else:
        beside = f", with {len(paths) - 1} files that it reads" if paths[1:] else ""
        say(f"{paths[0]}{beside}. {written.start}")
        for note in written.notes:
            say(f"- {note}")


COMMANDS = (recipe,)
