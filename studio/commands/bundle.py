"""`studio bundle` and `import-run`: a run for another machine, and its results back."""

from pathlib import Path

import click

from studio.commands.common import json_option, opened, print_json, project_option, say


@click.command("bundle")
@click.argument("run_id", metavar="RUN")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["training", "use"]),
    default="training",
    show_default=True,
    help="With its rows, to train it elsewhere; or without them, to use what was trained.",
)
@click.option("--with-model", is_flag=True, help="Carry the base model along.")
@project_option
@json_option
def bundle(run_id: str, out: Path, purpose: str, with_model: bool, folder: Path, as_json: bool) -> None:
    """Write RUN into a folder, or into one file where OUT ends in .tar.zst."""
    from studio.training.elsewhere import bundle as bundles

    with opened(folder) as (project, store):
        wanted: bundles.Purpose = "training" if purpose == "training" else "use"
        files = bundles.bundle(project, store, run_id, out, purpose=wanted, with_model=with_model)
    if as_json:
        print_json({"out": out, "for": purpose, "files": files})
        return
    say(f"{out}: {run_id} in {len(files)} files; README.md says how to go on.")
    if purpose == "training":
        say("It holds the rows that the run learns from: give it to nobody who may not read them.")


@click.command("import-run")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--as-new", is_flag=True, help="Take it as a run of its own, also from another project.")
@click.option("--model", help="With --as-new: what the base model is called here.")
@project_option
@json_option
def import_run(path: Path, as_new: bool, model: str | None, folder: Path, as_json: bool) -> None:
    """Take the results of a run over that was trained elsewhere: PATH is its bundle, or the run's folder alone."""
    from studio.training.elsewhere.import_run import take_back

    with opened(folder) as (project, store):
        taken = take_back(project, store, path, as_new=as_new, model=model)
    if as_json:
        print_json(taken)
    else:
        for line in taken.lines():
            say(line)


COMMANDS = (bundle, import_run)
