"""Where a bundle is put together: a folder beside its place, which becomes it at once or is taken up by a later try."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from studio.errors import StudioError
from studio.process import only_one
from studio.sizes import size_in_words
from studio.training.elsewhere.packing import SUFFIX, mode_of, pack

SUMS = "SHA256SUMS"
MADE_OF = ".made-of"
"""Says what the folder's content comes from: of another state of the run nothing is taken up."""

SPARE = 1.02
"""Metadata and what a disk rounds up."""


@dataclass(frozen=True)
class Stage:
    """The folder, while a bundle is made in it."""

    out: Path
    folder: Path

    @property
    def is_archive(self) -> bool:
        """Whether one file is to come of it."""
        return self.out.name.endswith(SUFFIX)

    def copy(self, source: Path, name: str) -> None:
        """Put a file in, unless an earlier try did."""
        target = self.folder / name
        if target.is_file() and target.stat().st_size == source.stat().st_size:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        shutil.copyfile(source, part)
        part.rename(target)

    def write(self, name: str, content: str | bytes) -> None:
        """Put in what is said anew each time."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def files(self) -> list[str]:
        """Return what is in it, by path."""
        inside = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path) for path in inside if path.suffix != ".part" and path.name != MADE_OF)

    def check_room(self, needed: int) -> None:
        """Refuse to begin what the disk has no room for.

        Raises:
            StudioError: it has none.
        """
        there = sum((self.folder / name).stat().st_size for name in self.files())
        left = max(0, needed - there) + (needed if self.is_archive else 0)
        free = shutil.disk_usage(self.folder).free
        if left * SPARE > free:
            raise StudioError(
                f"The bundle takes {size_in_words(left)} more, and the disk of {self.out.parent} has "
                f"{size_in_words(free)} free.",
                "Name a place on another disk, or free some space.",
            )


@contextmanager
def staged(out: Path, made_of: str, say: Callable[[str], None]) -> Iterator[Stage]:
    """Give a stage, whose content takes its place when the block ends well; what was made stays for another try if not.

    Raises:
        StudioError: there is something at that place already, another makes it now, or it can't be written.
    """
    if out.exists():
        raise StudioError(f"{out} is there already.", "Name another file, or move that one away.")
    stage = Stage(out, out.with_name(f".{out.name}.bundling"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = out.with_name(f".{out.name}.lock")
        with only_one(lock) as is_free:
            if not is_free:
                raise StudioError(f"Another process makes {out} now.", "Wait for it.")
            try:
                _begin(stage, made_of)
                yield stage
                _finish(stage, say)
            finally:
                lock.unlink(missing_ok=True)
    except OSError as error:
        raise StudioError(
            f"{error.filename or out} can't be written: {error.strerror or error}.",
            f"What was made is kept in {stage.folder}; the same command goes on from there.",
        ) from error


def _begin(stage: Stage, made_of: str) -> None:
    mark = stage.folder / MADE_OF
    if stage.folder.is_dir() and (not mark.is_file() or mark.read_text(encoding="utf-8") != made_of):
        shutil.rmtree(stage.folder)
    stage.folder.mkdir(mode=0o700, exist_ok=True)
    mark.write_text(made_of, encoding="utf-8")


def _finish(stage: Stage, say: Callable[[str], None]) -> None:
    say("working out checksums")
    names = [name for name in stage.files() if name != SUMS]
    stage.write(SUMS, "".join(f"{_sha256(stage.folder / name)}  {name}\n" for name in names))
    for path in [path for path in stage.folder.rglob("*.part") if path.exists()]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if stage.is_archive:
        say("packing")
        pack({name: stage.folder / name for name in stage.files()}, stage.out)
        shutil.rmtree(stage.folder)
        return
    for name in stage.files():
        (stage.folder / name).chmod(mode_of(name))
    (stage.folder / MADE_OF).unlink()
    stage.folder.rename(stage.out)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
