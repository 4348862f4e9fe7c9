"""Files that are there whole or not at all, and are private to their owner."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from studio.errors import StudioError

BUFFER = 1 << 20


def write_private(path: Path, content: bytes) -> None:
    """Write a file under its name only once it is complete on the disk.

    Raises:
        StudioError: it can't be written.
    """
    with replacing(path.parent) as new:
        new(path).write(content)


@contextmanager
def replacing(folder: Path) -> Iterator[Callable[[Path], BinaryIO]]:
    """Give what opens new files of a folder; they take their places together when the block ends without an error.

    Raises:
        StudioError: one can't be written; none of them has taken its place then.
    """
    opened: list[tuple[Path, Path, BinaryIO]] = []

    def new(path: Path) -> BinaryIO:
        handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")  # its mode is 0600, which stays
        file = os.fdopen(handle, "wb", buffering=BUFFER)
        if path.exists():  # whoever could read the file that gives way may read the new one
            os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
        opened.append((path, Path(name), file))
        return file

    try:
        try:
            yield new
            for _, _, file in opened:
                file.flush()
                os.fsync(file.fileno())
            for path, temporary, _ in opened:
                temporary.replace(path)
        finally:
            for _, temporary, file in opened:
                with suppress(OSError):  # what could not be written is in the file's buffer still
                    file.close()
                temporary.unlink(missing_ok=True)
    except OSError as error:
        path = opened[0][0] if opened else folder
        raise StudioError(
            f"{path} can't be written: {error.strerror or error}.", "Check that its folder is there and has room."
        ) from error


@contextmanager
def placed(out: Path) -> Iterator[Path]:
    """Give a path beside `out` that becomes `out` when the block ends without an error, and is deleted if not.

    Raises:
        StudioError: it can't be written.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        raise StudioError(
            f"{out} can't be written: {error.strerror or error}.", "Check that its folder is there and has room."
        ) from error
    finally:
        with suppress(OSError):  # there is none, or its folder is no folder
            temporary.unlink()
