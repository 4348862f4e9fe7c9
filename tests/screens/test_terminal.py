"""The app in a real pseudo-terminal: what its bytes carry, and how it ends when the terminal goes away."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from store import interface_state
from studio.project import Project

SCRIPT = "import sys; from pathlib import Path; from screens.app import run_app; sys.exit(run_app(Path(sys.argv[1])))"
PATIENCE = 30.0


@dataclass
class Terminal:
    """The child and what it wrote."""

    pid: int
    handle: int
    written: bytes = b""

    def read_until(self, wanted: bytes) -> None:
        """Collect what is written until it holds some bytes."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.written:
            assert time.monotonic() < deadline, f"{wanted!r} was not written"
            self.read(0.2)

    def read(self, seconds: float) -> bool:
        """Collect what is written within a time; tell whether anything was."""
        if not select.select([self.handle], [], [], seconds)[0]:
            return False
        try:
            new = os.read(self.handle, 65536)
        except OSError:
            return False
        self.written += new
        return bool(new)

    def send(self, keys: str) -> None:
        """Press keys, and collect what comes of each."""
        for key in keys:
            os.write(self.handle, key.encode())
            while self.read(0.3):
                pass

    def status(self) -> int:
        """Wait for the end; return the exit status, negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("the app did not end")


@contextmanager
def running(project: Project, home: Path, **extra: str) -> Iterator[Terminal]:
    """Run the app on a project in a terminal of its own."""
    pid, handle = pty.fork()
    if pid == 0:
        root = str(Path(__file__).resolve().parents[2])
        environment = {
            **os.environ,
            "PYTHONPATH": root,
            "TERM": "xterm-256color",
            "XDG_CONFIG_HOME": str(home),
            **extra,
        }
        os.execve(sys.executable, [sys.executable, "-c", SCRIPT, str(project.folder)], environment)
    terminal = Terminal(pid, handle)
    try:
        yield terminal
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(handle)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_the_app_ends_in_order_when_the_terminal_goes(filled: Project, tmp_path: Path, number: signal.Signals) -> None:
    with running(filled, tmp_path) as terminal:
        terminal.read_until(b"Order 9")
        terminal.send("jj")
        os.kill(terminal.pid, number)
        assert terminal.status() == 0
    with filled.open_store() as store:
        assert interface_state.recall(store, "data.row") == 3


def test_nothing_in_the_data_commands_the_terminal(filled: Project, tmp_path: Path) -> None:
    with running(filled, tmp_path) as terminal:
        terminal.read_until(b"Order 9")
        terminal.send("ssjvvvjj2Gkkk\t\te")
        # The letters came through, what would have made them a command did not.
        assert b"]52;c;aGVsbG8=" in terminal.written
        assert b"\x1b]52;c;aGVsbG8=" not in terminal.written
        assert "\u202e".encode() not in terminal.written
        assert b"\x9b31m" not in terminal.written.replace(b"\xc2\x9b", b"")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.status() == 0


def test_no_color_sends_no_colour(filled: Project, tmp_path: Path) -> None:
    with running(filled, tmp_path, NO_COLOR="1") as terminal:
        terminal.read_until(b"Order 9")
        terminal.send("j2v?")
        assert not re.search(rb"\x1b\[[0-9;]*\b[34]8;[25];", terminal.written)
        assert not re.search(rb"\x1b\[(?:[0-9]+;)*(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])m", terminal.written)


def test_keys_that_come_in_one_piece_act_in_order(filled: Project, tmp_path: Path) -> None:
    with running(filled, tmp_path) as terminal:
        terminal.read_until(b"Order 9")
        terminal.send("1/")
        os.write(terminal.handle, b"abcd\x7f\x7fe\x1b[D\x1b[DX")
        terminal.send("\r")
        terminal.read_until(b"query: aXbe")
