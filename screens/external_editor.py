"""Handing a text to the user's own editor, and the terminal with it."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from studio.errors import StudioError

FALLBACKS = ("vi", "nano")
"""Editors that are looked for where the user names none."""

_INPUT = 0


def edit_outside(app: App[Any], text: str, *, suffix: str = ".txt") -> str | None:
    """Let the user change a text in $VISUAL or $EDITOR; return it, or None where nothing changed.

    The suffix tells the editor what kind of text it is. What was written is never thrown away: where it can't be
    taken over the error says in which file it is kept.

    Raises:
        StudioError: there is no editor, it failed, or the terminal can't be lent.
    """
    command = _command()
    # A folder of its own, private to the user: editors put backups and swap files beside the text.
    folder = Path(tempfile.mkdtemp(prefix="tuning-studio-"))
    file = folder / f"text{suffix}"
    # Bytes: line ends of other systems, and halves of characters, must come back as they were.
    before = text.encode("utf-8", "surrogatepass")
    file.write_bytes(before)
    try:
        status = _run(app, [*command, str(file)])
        after = _read(file, before)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    problem = f"{command[0]} ended with status {status}" if status else _not_text(after)
    if problem and after != before:
        raise StudioError(f"{problem}; nothing was taken over.", f"What it wrote is kept in {file}")
    shutil.rmtree(folder, ignore_errors=True)
    if problem:
        raise StudioError(f"{problem}; nothing was changed.")
    return None if after == before else after.decode("utf-8", "surrogatepass")


def _command() -> list[str]:
    """Return the editor's command line, without the file."""
    for variable in ("VISUAL", "EDITOR"):
        words = _words(variable)
        if words and shutil.which(words[0]):
            return words
        if words:
            raise StudioError(
                f"${variable} names the editor {words[0]}, which is not on this machine.",
                f"Set it to one that is, for example: export {variable}=nano",
            )
    for name in FALLBACKS:
        if shutil.which(name):
            return [name]
    raise StudioError("There is no editor: neither vi nor nano was found.", "Name one: export EDITOR=...")


def _words(variable: str) -> list[str]:
    try:
        return shlex.split(os.environ.get(variable, ""))
    except ValueError as error:
        raise StudioError(f"${variable} is no command line: {error}.", f"Set {variable} anew.") from error


def _run(app: App[Any], command: list[str]) -> int:
    """Run the editor in the terminal; return its exit status."""
    try:
        # Without a screen there is no terminal to lend.
        with nullcontext() if app.is_headless else _lent_terminal(app):
            return subprocess.call(command)
    except SuspendNotSupported as error:
        raise StudioError("This terminal can't be lent to an editor.", "Edit the text here instead.") from error
    except OSError as error:
        raise StudioError(
            f"{command[0]} can't be started: {error.strerror}.", "Name another: export EDITOR=nano"
        ) from error


@contextmanager
def _lent_terminal(app: App[Any]) -> Iterator[None]:
    """Give the terminal away, and take it back as it was whatever happens."""
    failed: BaseException | None = None
    with app.suspend(), _interrupts_ignored():
        modes = _modes()
        try:
            yield
        except BaseException as error:
            # Textual takes the terminal back only where nothing is raised.
            failed = error
        # An editor that was killed leaves it raw, and Textual would keep that for the shell.
        if modes is not None:
            with suppress(termios.error):
                termios.tcsetattr(_INPUT, termios.TCSANOW, modes)
    if failed is not None:
        raise failed


def _modes() -> list[Any] | None:
    try:
        return termios.tcgetattr(_INPUT)
    except termios.error:
        return None


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Leave the keys that interrupt to the editor: the terminal sends their signals to this process too."""

    def ignore(*_: object) -> None:
        """Do nothing; unlike SIG_IGN this is not passed on to the editor."""

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read(file: Path, before: bytes) -> bytes:
    """Return what was written, without the line end that most editors give the last line of every file."""
    written = file.read_bytes() if file.exists() else before
    return written if before.endswith(b"\n") else written.removesuffix(b"\n")


def _not_text(written: bytes) -> str:
    try:
        written.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        return f"Byte {error.start} of what was written is not UTF-8"
    return ""
