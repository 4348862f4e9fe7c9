"""`studio bundle` and `import-run`: a run for another machine, and its results back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say

if TYPE_CHECKING:
    from store.database import Store
    from studio.project import Project


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
@click.option(
    "--type", "types", multiple=True, metavar="T", help="For use: quantise to Q4_K_M, say; what there is goes along."
)
@project_option
@json_option
def bundle(
    run_id: str, out: Path, purpose: str, with_model: bool, types: tuple[str, ...], folder: Path, as_json: bool
) -> None:
    """Write RUN into a folder, or into one file where OUT ends in .tar.zst.

    For use that is the adapter, the whole model for transformers, llama.cpp and Ollama, and a model card; none of the
    rows. A command that was broken off goes on where it was.
    """
    if types and purpose != "use":
        raise click.UsageError("--type is for --for use.")
    with opened(folder) as (project, store):
        try:
            files = _write(project, store, run_id, out, purpose, with_model, types)
        finally:
            progress_done()
    if as_json:
        print_json({"out": out, "for": purpose, "files": files})
        return
    say(f"{out}: {run_id} in {len(files)} files; README.md says how to go on.")
    if purpose == "training":
        say("It holds the rows that the run learns from: give it to nobody who may not read them.")
    else:
        say("None of the rows is in it; what it learnt of them may still be told by its answers.")


def _write(
    project: "Project", store: "Store", run_id: str, out: Path, purpose: str, with_model: bool, types: tuple[str, ...]
) -> list[str]:
    if purpose == "training":
        from studio.training.elsewhere.bundle import bundle as to_train

        return to_train(project, store, run_id, out, with_model=with_model)
    from studio.release.course import Wanted
    from studio.release.course import bundle as to_use

    return to_use(project, store, run_id, out, Wanted(types, with_model), progress)


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
