"""A key in a long list: how soon the terminal gets its first byte, and how many bytes come of it.

    python tests/bench/cursor.py [--rows N | --project DIR]

Drives the app in a pseudo-terminal of 80x24, in Data and in Examples, over a project of N preference rows (1,000,000
takes a minute to make) or over the one in DIR. The row under the cursor is laid out once the cursor stands still, so
its bytes are counted apart from those of the move. A held key is measured too, and a short list: the ratio says what
the length costs.
"""

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from import_preferences import write_rows

from studio.importing import import_file
from studio.project import Project, create_project, open_project

SHORT = 1_000
MOVED = 0.04
"""Seconds without a byte after which the list is taken to have moved; the row's text comes later."""

QUIET = 0.25
"""Seconds without a byte after which all has come."""

HELD = 60
"""Times that a held key repeats, 30 of them in a second."""

PATIENCE = 60.0

KEYS = {"j": 120, "k": 60, "\x04": 30, "\x15": 20}
"""Keys and how often each is pressed: down, up, half a page down, half a page up."""

NAMES = {"\x04": "ctrl+d", "\x15": "ctrl+u"}


@dataclass
class Terminal:
    """The app in a pseudo-terminal."""

    child: int
    handle: int

    @classmethod
    def run(cls, folder: Path) -> "Terminal":
        """Start the app on a project."""
        child, handle = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, "-m", "studio", str(folder)])
        fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        return cls(child, handle)

    def settle(self, quiet: float) -> bytes:
        """Read until nothing has come for a while."""
        written = b""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and select.select([self.handle], [], [], quiet)[0]:
            written += os.read(self.handle, 65536)
        return written

    def press(self, key: str) -> tuple[float, int, int]:
        """Press a key; return the milliseconds to the first byte, the bytes of the move, and those that follow."""
        begun = time.perf_counter()
        os.write(self.handle, key.encode())
        if not select.select([self.handle], [], [], 5)[0]:
            return float("nan"), 0, 0
        first = (time.perf_counter() - begun) * 1000
        return first, len(self.settle(MOVED)), len(self.settle(QUIET))

    def hold(self, key: str) -> float:
        """Hold a key; return the bytes that came for each time it repeated."""
        written = 0
        for _ in range(HELD):
            due = time.perf_counter() + 1 / 30
            os.write(self.handle, key.encode())
            while (left := due - time.perf_counter()) > 0:
                if select.select([self.handle], [], [], left)[0]:
                    written += len(os.read(self.handle, 65536))
        return (written + len(self.settle(QUIET))) / HELD

    def end(self) -> None:
        """End the app."""
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.handle)


def measure(folder: Path, area: str) -> tuple[dict[str, list[tuple[float, int, int]]], float]:
    """Return what each key took in an area, each time, and the bytes of a held one."""
    terminal = Terminal.run(folder)
    try:
        terminal.settle(2)
        os.write(terminal.handle, area.encode())
        terminal.settle(2)
        os.write(terminal.handle, b"gg")
        terminal.settle(1)
        return {key: [terminal.press(key) for _ in range(times)] for key, times in KEYS.items()}, terminal.hold("j")
    finally:
        terminal.end()


def ninety_five(values: list[float] | list[int]) -> float:
    """Return what 95 of 100 values do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def report(folder: Path, what: str) -> dict[str, float]:
    """Print the figures of a project; return the middle time of `j` in each area."""
    middles = {}
    for area, name in (("1", "Data"), ("2", "Examples")):
        by_key, held = measure(folder, area)
        for key, pressed in by_key.items():
            times, moves, texts = (list(values) for values in zip(*pressed, strict=True))
            print(
                f"{what:<10} {name:<9} {NAMES.get(key, key):<7} first byte p50 {statistics.median(times):5.1f} ms,"
                f" p95 {ninety_five(times):5.1f} ms; bytes of the move p50 {statistics.median(moves):5.0f},"
                f" p95 {ninety_five(moves):5.0f}; of the row's text p50 {statistics.median(texts):5.0f}"
            )
            if key == "j":
                middles[name] = statistics.median(times)
        print(f"{what:<10} {name:<9} j held  {held:.0f} bytes for each row passed")
    return middles


def make(folder: Path, rows: int) -> Project:
    """Make a project of so many rows."""
    write_rows(folder / f"{rows}.jsonl", rows)
    project = create_project(folder / f"project-{rows}")
    with project.open_store() as store:
        import_file(project, store, folder / f"{rows}.jsonl")
    return project


def main() -> None:
    """Measure a long list and a short one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--project", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        short = report(make(Path(name), SHORT).folder, f"{SHORT:,} rows")
        long = open_project(arguments.project) if arguments.project else make(Path(name), arguments.rows)
        many = report(long.folder, "many rows")
    for area, middle in many.items():
        print(f"{area}: j over many rows takes {middle / short[area]:.2f} of the time over {SHORT:,}")


if __name__ == "__main__":
    main()
