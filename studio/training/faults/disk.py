"""A full disk: told apart from other errors, and survived with words, for which some room is kept."""

import errno
import os
import shutil
from contextlib import suppress

from studio.errors import StudioError
from studio.training.course import checkpoints
from studio.training.folder import RunFolder
from studio.training.plan.room import Room

RESERVE_BYTES = 1 << 20

_CODES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SIGNS = (
    "no space left",
    "disk quota exceeded",
    "file too large",
    # What torch says of a file that it can't go on writing.
    "failed writing file",
    "unexpected pos",
)


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that led to it, says that the disk takes no more."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _CODES:
            return True
        if isinstance(error, Exception) and any(sign in str(error).lower() for sign in _SIGNS):
            return True
        error = error.__cause__ or error.__context__
    return False


def reserve(folder: RunFolder) -> None:
    """Keep some room, so that a run can say that the disk is full when it is.

    Raises:
        OSError: it is full already.
    """
    if not folder.reserve.exists():
        with folder.reserve.open("wb") as file:
            file.write(os.urandom(RESERVE_BYTES))
            file.flush()
            os.fsync(file.fileno())


def refuse_too_small(folder: RunFolder, room: Room) -> None:
    """Raise a StudioError where the disk can't take what a run leaves on it in its course."""
    held = sum(path.stat().st_size for path in folder.checkpoints.rglob("*") if path.is_file())
    if lacking := room.lacks(shutil.disk_usage(folder.path).free + held):
        less = ", or start another with keep_checkpoints=1." if room.can_be_less else "."
        raise StudioError(lacking, f"Free some and resume it{less}")


def release(folder: RunFolder) -> None:
    """Give that room back."""
    folder.reserve.unlink(missing_ok=True)


def make_room(folder: RunFolder) -> None:
    """Give back the room that is kept and that of a checkpoint which was not written to its end."""
    folder.reserve.unlink(missing_ok=True)
    with suppress(OSError):
        checkpoints.clear_broken(folder.checkpoints)
