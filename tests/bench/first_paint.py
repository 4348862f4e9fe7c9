"""From start to the first paint of the Data screen: with many records beside few, and beside VisiData on the few.

All run in a pseudo-terminal of 80x24 and are timed until the first record's text is written to it; the runs
alternate, so that a busy machine slows all; before them each runs once uncounted, so that its modules are compiled, as
Python keeps them. VisiData is measured where it is installed (pip install visidata).
"""

import argparse
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from fcntl import ioctl
from pathlib import Path

from studio.importing import import_file
from studio.project import create_project

FIRST_WORDS = "Parcel number 1 "
PATIENCE = 60.0
FEW = 10_000


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = (project_of(Path(folder), count) for count in (FEW, arguments.rows))
        commands = {f"{FEW:,} rows": few, f"{arguments.rows:,} rows": many}
        visidata = shutil.which("vd", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        if visidata:
            commands["visidata"] = [visidata, "--config=/dev/null", f"{folder}/{FEW}.jsonl"]
        os.environ.update(PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=f"{folder}/compiled")
        for command in commands.values():
            seconds_to_first_words(command)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                times[name].append(seconds_to_first_words(command))
    for name, values in times.items():
        print(
            f"{name:<14} median {statistics.median(values):.3f} s, fastest {min(values):.3f}, slowest {max(values):.3f}"
        )
    first, *others = (statistics.median(values) for values in times.values())
    print(f"{arguments.rows:,} rows / {FEW:,} rows = {others[0] / first:.2f}")
    if visidata:
        print(f"studio / visidata = {first / others[1]:.2f} for {FEW:,} rows")
    else:
        print("VisiData is not installed, so there is nothing else to compare with: pip install visidata")


def project_of(folder: Path, count: int) -> list[str]:
    """Make a project with so many records; return the command that opens it."""
    rows = write_rows(folder / f"{count}.jsonl", count)
    project = create_project(folder / f"project-{count}")
    with project.open_store() as store:
        import_file(project, store, rows)
    return [sys.executable, "-m", "studio", str(project.folder)]


def write_rows(path: Path, count: int) -> Path:
    """Write preference rows, each with a few hundred letters."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, count + 1):
            row = {
                "prompt": f"Parcel number {number} has not come. " + "It was sent last week. " * 4,
                "chosen": f"We send number {number} again on Thursday. " * 4,
                "rejected": "Wait. " * 12,
            }
            file.write(json.dumps(row) + "\n")
    return path


def seconds_to_first_words(command: list[str]) -> float:
    """Start a program in a pseudo-terminal and wait for the first record's words."""
    begun = time.perf_counter()
    child, handle = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color")
        os.execv(command[0], command)
    ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    written = b""
    while FIRST_WORDS.encode() not in written:
        if time.perf_counter() - begun > PATIENCE:
            sys.exit(f"{command[0]} did not show the first record in {PATIENCE:.0f} s: {written[-300:]!r}")
        if select.select([handle], [], [], 0.05)[0]:
            written += os.read(handle, 65536)
    seconds = time.perf_counter() - begun
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(handle)
    return seconds


if __name__ == "__main__":
    main()
