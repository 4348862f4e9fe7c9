"""How far the process is that quantises and tests, as it last told in the folder; found out where it died."""

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Literal

import orjson

from studio.atomic import write_private
from studio.inference.quantising.places import Place
from studio.process import is_alive


@dataclass(frozen=True)
class State:
    """What the process last said of itself."""

    state: Literal["running", "stopped", "done", "failed"]
    pid: int
    pid_started: float
    wanted: tuple[str, ...]
    """The types that were asked for."""
    at: str = ""
    """The type that it is at."""
    doing: str = ""
    done: float = 0.0
    """How much of all is done, from 0 to 1."""
    error: str = ""

    @property
    def words(self) -> str:
        """How far it is, or how it ended, on a line."""
        match self.state:
            case "running":
                doing = f"{self.at}: {self.doing}" if self.at else self.doing or "starting"
                return f"{doing}, {100 * self.done:.0f} % of all"
            case "failed":
                return self.error
            case "stopped":
                return "stopped; what was done is kept, and starting again goes on from there"
            case "done":
                return "done"


def read(place: Place) -> State | None:
    """Return how the last process of a place stands; None where there was none."""
    try:
        found = orjson.loads(place.state.read_bytes())
        state = State(**{**found, "wanted": tuple(found["wanted"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if state.state == "running" and not is_alive(state.pid, state.pid_started):
        return replace(state, state="failed", error="The process ended without a word (killed? memory or disk full?).")
    return state


def write(place: Place, state: State) -> None:
    """Tell how far it is."""
    # A full disk shall not end the work for want of its being told.
    with suppress(Exception):
        write_private(place.state, orjson.dumps(asdict(state)))
