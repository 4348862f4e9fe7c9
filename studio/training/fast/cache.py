"""Files of figures that would cost time to work out again; any of them may be deleted at any time."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from studio.models import cache_folder

MOST_BYTES = 4 * 2**30
MOST_OF_FREE = 0.1
"""A kind of file takes no more than this, and no more than this share of what is free on the disk; those not used for
longest go first."""

_DIGEST_BYTES = 32


def read(kind: str, name: str) -> bytes | None:
    """Return what was kept, or None; what was damaged since counts as not kept."""
    path = _path(kind, name)
    try:
        found = path.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    digest, content = found[:_DIGEST_BYTES], found[_DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == digest else None


def write(kind: str, name: str, content: bytes) -> None:
    """Keep something; a full or read-only disk is no reason to fail, since it can be worked out again."""
    path = _path(kind, name)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        most = _most(path.parent)
        if len(content) > most:
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        _tidy(path.parent, most)


def _most(folder: Path) -> float:
    """Return the bytes that files of a kind may take in all, counting what they hold already as free."""
    held = sum(path.stat().st_size for path in folder.iterdir())
    return min(MOST_BYTES, (shutil.disk_usage(folder).free + held) * MOST_OF_FREE)


def _tidy(folder: Path, most: float) -> None:
    files = sorted(((path.stat(), path) for path in folder.iterdir()), key=lambda each: -each[0].st_mtime)
    total = 0
    for state, path in files:
        total += state.st_size
        if total > most:
            path.unlink(missing_ok=True)


def _path(kind: str, name: str) -> Path:
    return cache_folder() / kind / name
