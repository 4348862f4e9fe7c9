"""The user's own editor: it gets the terminal as a shell would give it, and the app takes it back whatever happens."""

import os
import stat
import sys
import termios
import time
from pathlib import Path

import pytest
from test_terminal import Terminal, running
from textual.app import App

from screens.external_editor import edit_outside
from store import examples
from studio.errors import StudioError
from studio.project import Project

ICANON_AND_ECHO = termios.ICANON | termios.ECHO


def editor(folder: Path, body: str) -> str:
    """Write an editor in Python that has the file as `file`; return the command that starts it."""
    script = folder / "editor"
    start = "import os, signal, sys, termios, time, tty\nfrom pathlib import Path\nfile = Path(sys.argv[-1])\n"
    script.write_text(f"#!{sys.executable}\n{start}{body}")
    script.chmod(0o755)
    return str(script)


async def edited(monkeypatch: pytest.MonkeyPatch, command: str, text: str) -> str | None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)
    app: App[None] = App()
    async with app.run_test():
        return edit_outside(app, text, suffix=".md")


async def test_what_was_written_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    upper = editor(tmp_path, "file.write_text(file.read_text().upper() + '\\n')")
    assert await edited(monkeypatch, upper, "a text") == "A TEXT"
    assert await edited(monkeypatch, upper, "A TEXT") is None


@pytest.mark.parametrize(
    "text",
    ["", "a\n", "a\r\nb\rc\x0b\u2028d", "half \ud83d, \x00 \x1b[31m", "0" * 1_000_000],
    ids=["empty", "ended", "line ends", "controls", "long"],
)
async def test_every_text_survives_an_editor_that_only_ends_the_last_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    ends = "b = file.read_bytes(); file.write_bytes(b if b.endswith(b'\\n') else b + b'\\n')"
    assert await edited(monkeypatch, editor(tmp_path, ends), text) is None
    adds = editor(tmp_path, "b = file.read_bytes(); file.write_bytes(b'more ' + b)")
    assert await edited(monkeypatch, adds, text) == f"more {text}"


async def test_the_file_is_private_has_its_suffix_and_is_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    tells = f"Path({str(told)!r}).write_text(f'{{file}} {{file.stat().st_mode}} {{file.parent.stat().st_mode}}')"
    assert await edited(monkeypatch, f"{editor(tmp_path, tells)} --wait", "text") is None
    name, mode, of_folder = told.read_text().split()
    assert name.endswith(".md")
    assert not Path(name).parent.exists()
    assert (stat.S_IMODE(int(of_folder)), int(mode) & 0o077 & int(of_folder)) == (0o700, 0)


async def test_what_an_editor_that_failed_wrote_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fails = editor(tmp_path, "file.write_text('long work'); sys.exit(3)")
    with pytest.raises(StudioError, match="ended with status 3; nothing was taken over") as error:
        await edited(monkeypatch, fails, "text")
    kept = Path(error.value.hint.rsplit(" ", 1)[1])
    assert kept.read_text() == "long work"
    kept.unlink()
    kept.parent.rmdir()
    with pytest.raises(StudioError, match="ended with status 1; nothing was changed"):
        await edited(monkeypatch, editor(tmp_path, "sys.exit(1)"), "text")


async def test_bytes_that_are_no_text_are_kept_in_their_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    writes = editor(tmp_path, "file.write_bytes(b'ab\\xff')")
    with pytest.raises(StudioError, match="Byte 2 of what was written is not UTF-8") as error:
        await edited(monkeypatch, writes, "text")
    kept = Path(error.value.hint.rsplit(" ", 1)[1])
    assert kept.read_bytes() == b"ab\xff"
    kept.unlink()
    kept.parent.rmdir()


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("no-such-editor --wait", r"\$EDITOR names the editor no-such-editor, which is not on this machine"),
        ("'open", r"\$EDITOR is no command line"),
    ],
)
async def test_an_editor_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, command: str, problem: str
) -> None:
    with pytest.raises(StudioError, match=problem):
        await edited(monkeypatch, command, "text")


async def test_without_any_editor_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudioError, match="There is no editor"):
        await edited(monkeypatch, "", "text")


async def test_a_file_that_can_not_be_started_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "editor"
    broken.write_text("no script")
    broken.chmod(0o755)
    with pytest.raises(StudioError, match="can't be started"):
        await edited(monkeypatch, str(broken), "text")


def open_editor(terminal: Terminal) -> None:
    """Open the first example's answer in the user's own editor."""
    terminal.read_until(b"Order 9")
    terminal.send("2e")
    os.write(terminal.handle, b"\x0f")


def modes(terminal: Terminal) -> int:
    """Return which of line editing and echo the terminal has on."""
    return int(termios.tcgetattr(terminal.handle)[3]) & ICANON_AND_ECHO


def wait_for_modes(terminal: Terminal, wanted: int) -> None:
    deadline = time.monotonic() + 30
    while modes(terminal) != wanted:
        assert time.monotonic() < deadline
        terminal.read(0.1)


def test_the_editor_has_the_terminal_to_itself(filled: Project, tmp_path: Path) -> None:
    asks = editor(tmp_path, "print('EDITOR', os.isatty(0) and os.isatty(1)); file.write_text(input('new text? '))")
    with running(filled, tmp_path, VISUAL=asks) as terminal:
        open_editor(terminal)
        terminal.read_until(b"EDITOR True")
        terminal.read_until(b"new text?")
        assert modes(terminal) == ICANON_AND_ECHO
        # The alternate screen was left before.
        assert terminal.written.rfind(b"\x1b[?1049l") < terminal.written.rfind(b"EDITOR True")
        terminal.written = b""
        os.write(terminal.handle, b"It is lost.\r")
        terminal.read_until(b"\x1b[?1049h")
        terminal.written = b""
        wait_for_modes(terminal, 0)
        # The turn is painted again, in the app, with the cursor on its first letter.
        terminal.read_until(b"t is lost.")
        terminal.send("\x13")
        with filled.open_store() as store:
            assert examples.get(store, 1).messages[-1]["content"] == "It is lost."


@pytest.mark.parametrize(
    "end", ["tty.setraw(0); os.kill(os.getpid(), signal.SIGKILL)", "print('READY', flush=True); time.sleep(60)"]
)
def test_an_editor_that_is_killed_leaves_the_app_and_the_terminal_well(
    filled: Project, tmp_path: Path, end: str
) -> None:
    with running(filled, tmp_path, VISUAL=editor(tmp_path, end)) as terminal:
        open_editor(terminal)
        if "READY" in end:
            terminal.read_until(b"READY")
            os.write(terminal.handle, b"\x03")
        terminal.read_until(b"ended with status")
        wait_for_modes(terminal, 0)
        terminal.send("\x1b")  # takes the error away
        terminal.send("\x1b")
        terminal.send("q")
        assert terminal.status() == 0
        assert modes(terminal) == ICANON_AND_ECHO
