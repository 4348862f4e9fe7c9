"""A key in a long list: how soon the terminal gets its first byte, and how many bytes come.

    python tests/bench/cursor.py [--rows N | --project DIR]

Drives the app in a pseudo-terminal of 80x24, in Data and in Examples, over a project of N preference rows (1,000,000
takes a minute to make) or over the one in DIR. Beside the lists a short list is measured too: the ratio says what the
length costs.
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
QUIET = 0.25
"""Seconds without a byte after which the answer to a key is taken to be complete."""

PATIENCE = 60.0

KEYS = {"j": 120, "k": 60, "\x04": 30, "G": 2, "\x15": 30}
"""Keys and how often each is pressed: down, up, half a page down, the end, half a page up."""

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

    def press(self, key: str) -> tuple[float, int]:
        """Press a key; return the milliseconds to the first byte, and how many bytes came in all."""
        begun = time.perf_counter()
        os.write(self.handle, key.encode())
        if not select.select([self.handle], [], [], 5)[0]:
            return float("nan"), 0
        first = (time.perf_counter() - begun) * 1000
        return first, len(self.settle(QUIET))

    def end(self) -> None:
        """End the app."""
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.handle)


def measure(folder: Path, area: str) -> dict[str, tuple[list[float], list[int]]]:
    """Return the milliseconds and the bytes of each key in an area."""
    terminal = Terminal.run(folder)
    try:
        terminal.settle(2)
        os.write(terminal.handle, area.encode())
        terminal.settle(2)
        os.write(terminal.handle, b"gg")
        terminal.settle(1)
        found = {}
        for key, times in KEYS.items():
            pressed = [terminal.press(key) for _ in range(times)]
            found[key] = ([first for first, _ in pressed], [size for _, size in pressed])
        return found
    finally:
        terminal.end()


def ninety_five(values: list[float] | list[int]) -> float:
    """Return what 95 of 100 values do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def report(folder: Path, what: str) -> dict[str, float]:
    """Print the figures of a project; return the middle time of `j` in each area."""
    middles = {}
    for area, name in (("1", "Data"), ("2", "Examples")):
        for key, (times, sizes) in measure(folder, area).items():
            print(
                f"{what:<16} {name:<9} {NAMES.get(key, key):<7} first byte p50 {statistics.median(times):5.1f} ms,"
                f" p95 {ninety_five(times):5.1f} ms; bytes p50 {statistics.median(sizes):5.0f},"
                f" p95 {ninety_five(sizes):5.0f}"
            )
            if key == "j":
                middles[name] = statistics.median(times)
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
