"""The process that quantises and tests: `python -m studio.inference.quantising.worker PROJECT REQUEST`."""

import faulthandler
import os
import signal
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import orjson

from store.errors import StoreError
from studio.errors import StudioError
from studio.inference.quantising import state
from studio.inference.quantising.course import run
from studio.inference.quantising.launch import LOCK, Wanted
from studio.inference.quantising.places import Place, place_of
from studio.inference.quantising.state import State
from studio.process import only_one, started_at
from studio.project import open_project

NICENESS = 5
"""It gives way to the screen, which shares the processor with it."""

TOLD_SECONDS = 0.25
"""How often it is told how far it is."""

LOCK_SECONDS = 2.0


class Stopped(BaseException):
    """It was asked to stop; no fault, so that nothing on the way takes it for one."""


class Teller:
    """Says in the folder how far the work is."""

    def __init__(self, place: Place, wanted: tuple[str, ...]) -> None:
        self._place = place
        self._told = 0.0
        self.now = State("running", os.getpid(), started_at(os.getpid()), wanted)
        state.write(place, self.now)

    def tell(self, at: str, doing: str, done: float) -> None:
        """Say it, but not too often."""
        is_new = (at, doing) != (self.now.at, self.now.doing)
        self.now = replace(self.now, at=at, doing=doing, done=done)
        if is_new or time.monotonic() - self._told >= TOLD_SECONDS:
            self._told = time.monotonic()
            state.write(self._place, self.now)

    def end(self, **how: Any) -> None:
        """Say how it ended."""
        state.write(self._place, replace(self.now, at="", doing="", **how))


def main() -> None:
    """Do what is asked, and say how that ended."""
    faulthandler.enable()
    os.nice(NICENESS)
    project, asked = open_project(Path(sys.argv[1])), orjson.loads(sys.argv[2])
    wanted = Wanted(tuple(asked["types"]), asked["test"], asked["examples"], asked["reply_tokens"])
    with project.open_store() as store, only_one(project.folder / LOCK, patience=LOCK_SECONDS) as is_alone:
        if not is_alone:
            sys.exit("another model of this project is being quantised")
        place = place_of(project, store, asked["ref"])
        teller = Teller(place, wanted.types)
        try:
            _listen_for_stop()
            run(project, store, place, wanted, teller.tell)
            teller.end(state="done", done=1.0)
        except Stopped:
            teller.end(state="stopped")
        except (StudioError, StoreError) as error:
            teller.end(state="failed", error=str(error))
        except Exception as error:
            traceback.print_exc()
            teller.end(state="failed", error=f"{type(error).__name__}: {error}".splitlines()[0])


def _listen_for_stop() -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    # It was blocked by whoever started this, until there is somebody to hear it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


if __name__ == "__main__":
    main()
