"""Files that a tool needs beside an exported one: ours are written, what others put there stays."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.formats.shape import Companion


@dataclass(frozen=True)
class Placed:
    """A companion as it will stand on the disk."""

    path: Path
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        return hashlib.sha256(self.content).hexdigest()


def place(companion: Companion, out: Path, earlier: str | None) -> Placed:
    """Return what stands beside `out` with the companion in it; `earlier` is the hash of the one we wrote before.

    Raises:
        StudioError: something of another origin is in its place.
    """
    path = out.with_name(companion.name)
    entries = _entries(companion)
    if entries is not None:
        return Placed(path, _merged(path, entries, out.name))
    content = companion.text.encode()
    if path.exists() and hashlib.sha256(_read(path)).hexdigest() not in (earlier, hashlib.sha256(content).hexdigest()):
        raise StudioError(
            f"{path} is there already and is not as an export left it.", "Name another file, or move that one away."
        )
    return Placed(path, content)


def _entries(companion: Companion) -> dict[str, Any] | None:
    """Return the entries of a companion that several exports share, None for one of its own."""
    return json.loads(companion.text) if companion.name.endswith(".json") else None


def _merged(path: Path, entries: dict[str, Any], file_name: str) -> bytes:
    """Return a shared file with our entries added or replaced, and all others as they were."""
    known = _known(path) if path.exists() else {}
    for name in entries:
        other = known.get(name)
        if other is not None and not (isinstance(other, dict) and other.get("file_name") == file_name):
            raise StudioError(
                f"{path} has an entry {name!r} already, for something else than {file_name}.",
                "Name the exported file differently.",
            )
    if entries.items() <= known.items():
        return _read(path)
    return _as_json({**known, **entries})


def _known(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(_read(path))
        _as_json(known)  # which halves of characters would not survive
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        raise StudioError(f"{path} is there already and can't be read as JSON.", "Mend it, or move it away.")
    return known


def _as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror}.", "Move it away.") from error
