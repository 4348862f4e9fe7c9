"""The process that trains: `python -m studio.training.worker runs/RUN`, or the same under `accelerate launch`.

It knows only the run's folder and the prepared base model, so that it can be started anywhere.
"""

import faulthandler
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

from studio.errors import StudioError
from studio.process import only_one
from studio.training.course import checkpoints
from studio.training.course.report import STOPS, Reporter, StopRequested
from studio.training.elsewhere.accelerate import processes
from studio.training.faults import disk, memory
from studio.training.faults.causes import explain
from studio.training.folder import RunFolder
from studio.training.recipe_file import read_recipe
from studio.training.trainer.one_gpu import one_gpu

NICENESS = 5
"""The trainer gives way to the screen, which shares the processor with it."""

PATIENCE_SECONDS = 1.0
"""For so long a trainer tries to take its run, since who looks whether there is one takes it for a moment."""


def main() -> None:
    """Train the run whose folder is named, and say through it how that ended."""
    faulthandler.enable()
    folder = RunFolder(Path(sys.argv[1]).resolve())
    os.nice(max(0, NICENESS - os.nice(0)))
    if os.environ.get("RANK", "0") != "0":
        sys.exit(_train(folder, Reporter(folder, is_main=False)))
    with only_one(folder.lock, patience=PATIENCE_SECONDS) as free:
        if not free:
            sys.exit("Another trainer is at this run already.")
        sys.exit(_train(folder, _reporter(folder)))


def _reporter(folder: RunFolder) -> Reporter:
    try:
        return Reporter(folder)
    except OSError as error:
        if not disk.is_full(error):
            raise
        disk.make_room(folder)
        return Reporter(folder)


def _train(folder: RunFolder, reporter: Reporter) -> int:
    """Go through the run; return the process's exit status."""
    try:
        reporter.listen_for_stop()
        if reporter.is_main:
            disk.reserve(folder)
        is_finished = _go_through(folder, reporter)
    except StopRequested:
        reporter.ended("stopped")
        # Of several processes the others wait for this one, until their launcher hears that it is gone.
        return 0 if processes() == 1 else 1
    except BaseException as error:
        return _failed(folder, reporter, error)
    disk.release(folder)
    reporter.ended("done" if is_finished else "stopped")
    if is_finished and reporter.is_main:
        # Nothing goes on from the others any more, and they may be large.
        best = (reporter.status.result or {}).get("kept_step")
        checkpoints.prune(folder.checkpoints, keep=0 if best else 1, best=best)
        shutil.rmtree(folder.together, ignore_errors=True)
    return 0


def _go_through(folder: RunFolder, reporter: Reporter) -> bool:
    with one_gpu(read_recipe(folder.recipe).device):
        # What it imports may ask for CUDA, which looks only once at what it may use.
        from studio.training.course.course import go_through

        return go_through(folder, reporter)


def _failed(folder: RunFolder, reporter: Reporter, error: BaseException) -> int:
    # Nothing is left to be stopped; a trainer that takes this one's place hears of it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    if disk.is_full(error):
        disk.make_room(folder)
    if not isinstance(error, StudioError):
        traceback.print_exc()
    elif not reporter.is_main:
        # The status is that of the main process, whose machine may be another.
        sys.stdout.write(f"{error}\n")
    cause = error.__cause__ if isinstance(error, memory.RanOutError) else None
    if isinstance(error, memory.RanOutError) and (change := memory.retreat(folder, error.when, error.recipe)):
        sys.stdout.write(f"{change}\n")
        sys.stdout.flush()
        if processes() == 1 and not reporter.stop_requested:
            _begin_again()
        reporter.ended("stopped" if reporter.stop_requested else "failed", error=f"{change} Resume it.")
        return 1
    # Where only room is missing nothing has failed: with more of it the run goes on.
    reporter.ended("stopped" if disk.is_full(error) else "failed", error=explain(cause or error))
    return 1


def _begin_again() -> None:
    """Put a new trainer in this one's place, as the same process: only so is all of its memory free again."""
    os.execv(sys.executable, [sys.executable, "-P", "-m", "studio.training.worker", *sys.argv[1:]])


if __name__ == "__main__":
    main()
