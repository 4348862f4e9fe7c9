"""Files that are there whole or not at all, and are private to their owner."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from studio.errors import StudioError


def write_private(path: Path, content: bytes) -> None:
    """Write a file under its name only once it is complete on the disk.

    Raises:
        StudioError: it can't be written.
    """
    try:
        # mkstemp's own mode is 0600, which stays through the renaming.
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise StudioError(
            f"{path} can't be written: {error.strerror}.", "Check that its folder is there and has room."
        ) from error
