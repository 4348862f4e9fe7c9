"""`studio quantize`: smaller forms of a model, what each of them costs, and which to take."""

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.errors import StudioError

if TYPE_CHECKING:
    from studio.inference.quantising.places import Place
    from studio.inference.quantising.state import State

POLL_SECONDS = 0.3


@click.command("quantize")
@click.argument("model", required=False, metavar="[RUN|MODEL]")
@click.option("--type", "types", multiple=True, metavar="T", help="Q4_K_M, say, several times; or all: the usual ones.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Copy the files there as well.")
@click.option("--test/--no-test", default=True, help="Measure what it costs against 16-bit floats.")
@click.option(
    "--examples", type=click.IntRange(min=1), default=100, show_default=True, help="Held-out examples at most."
)
@click.option(
    "--reply-tokens",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Tokens after which answers for the project's checks are cut.",
)
@click.option("--wait/--background", default=True, help="Stay until it is done, or let it go on behind.")
@click.option("--types", "only_types", is_flag=True, help="List the types that there are.")
@project_option
@json_option
def quantize(
    model: str | None,
    types: tuple[str, ...],
    out: Path | None,
    test: bool,
    examples: int,
    reply_tokens: int,
    wait: bool,
    only_types: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Quantise a run or a model and test each form on held-out text; without --type show what is known.

    Files are kept in the run's folder, and RUN@TYPE names them in every command. Ctrl+c stops; what was finished is
    kept, and the same command goes on from there.
    """
    from studio.inference.quantising import launch
    from studio.inference.quantising.places import place_of
    from studio.inference.quantising.types import named

    if only_types:
        _print_types(as_json)
        return
    if out is not None and not (wait and types):
        raise click.UsageError("--out copies what --type makes, which --background does not wait for.")
    with opened(folder) as (project, store):
        ref = model or project.settings.model
        place = place_of(project, store, ref)
        if types:
            wanted = launch.Wanted(tuple(named(types)), test, examples, reply_tokens)
            place = launch.start(project, store, ref, wanted)
            state = _follow(place) if wait else None
            if state is None:
                say(f"{ref} is being quantised; `studio quantize {ref}` shows how far it is.", err=as_json)
            copies = launch.copy_to(place, wanted.types, out) if out and state and state.state == "done" else []
            _print(place, copies, as_json)
            _tell_end(ref, state)
            return
    _print(place, [], as_json)


def _print_types(as_json: bool) -> None:
    from studio.inference.quantising.types import TYPES

    if as_json:
        print_json(TYPES)
        return
    for name, what in TYPES.items():
        say(f"{name:10} {what}")


def _print(place: "Place", copies: list[Path], as_json: bool) -> None:
    from studio.inference.quantising import state
    from studio.inference.quantising.report import read_all
    from studio.inference.quantising.verdict import judge, recommend
    from studio.inference.quantising.words import lines

    now, found = state.read(place), read_all(place)
    if not as_json:
        for line in lines(place.ref, found):
            say(line)
        for path in copies:
            say(f"copied: {path}")
        if now is not None and now.state == "running":
            say(f"Going on: {now.words}.")
        return
    document: dict[str, Any] = {
        "model": place.ref,
        "folder": place.folder,
        "state": now,
        "types": [{"report": report, "verdict": judge(report)} for report in found],
        "recommendation": recommend(found),
        "copies": copies,
    }
    print_json(document)


def _follow(place: "Place") -> "State":
    """Show how far it is until it ends; ctrl+c stops it, twice leaves it to that."""
    from studio.inference.quantising import launch, state

    stopping = False
    try:
        while True:
            try:
                now = state.read(place)
                if now is None:
                    raise StudioError(f"{place.folder} was deleted meanwhile.")
                if now.state != "running":
                    return now
                progress(f"{place.ref}: {'stopping, ' if stopping else ''}{now.words}")
                time.sleep(POLL_SECONDS)
            except KeyboardInterrupt:
                if stopping:
                    raise
                stopping = True
                # It may have ended just now.
                with suppress(StudioError):
                    launch.stop(place)
    finally:
        progress_done()


def _tell_end(ref: str, now: "State | None") -> None:
    if now is not None and now.state == "failed":
        raise StudioError(f"Quantising {ref} failed: {now.error}", "What was finished is kept.")
    if now is not None and now.state == "stopped":
        say("Stopped; what was finished is kept, and the same command goes on from there.", err=True)
        raise click.exceptions.Exit(1)


COMMANDS = (quantize,)
