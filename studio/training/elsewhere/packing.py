"""A folder of files as one archive (`.tar.zst`), and back."""

import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.errors import StudioError

SUFFIX = ".tar.zst"

Content = Path | bytes
"""A file to copy, or what a new one says."""


def pack(files: Mapping[str, Content], out: Path) -> None:
    """Write files, given by their path inside, into a new folder or archive; it is there whole or not at all.

    Raises:
        StudioError: there is something of that name already, or it can't be written.
    """
    if out.exists():
        raise StudioError(f"{out} is there already.", "Name another file, or move that one away.")
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.name.endswith(SUFFIX):
            _write_archive(files, part, out.name.removesuffix(SUFFIX))
        else:
            _write_folder(files, part)
        part.rename(out)
    except OSError as error:
        raise StudioError(f"{out} can't be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive into a folder; return the one folder that it holds, or else the folder.

    Raises:
        StudioError: it is no archive of that kind, or is cut short.
    """
    import zstandard

    try:
        with (
            archive.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            # Neither links nor paths that lead out of the folder.
            tar.extractall(folder, filter="data")
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as error:
        raise StudioError(f"{archive} can't be unpacked: {error}.", "Copy it again.") from error
    except OSError as error:
        raise StudioError(f"{archive} can't be unpacked: {error.strerror or error}.") from error
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def tree(folder: Path, inside: str, leave: tuple[str, ...] = ()) -> Iterator[tuple[str, Content]]:
    """Yield the files of a folder by their path inside a bundle, but for hidden ones and some at its top."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and parts[0] not in leave and not parts[0].startswith("."):
            yield "/".join((inside, *parts)), path


def _write_folder(files: Mapping[str, Content], folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content)
        path.chmod(mode_of(name))


def _write_archive(files: Mapping[str, Content], part: Path, root: str) -> None:
    import zstandard

    with part.open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as packed:
        part.chmod(0o600)
        with tarfile.open(fileobj=packed, mode="w|") as tar:
            for name, content in files.items():
                _add(tar, f"{root}/{name}", content)


def _add(tar: tarfile.TarFile, name: str, content: Content) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = mode_of(name)
    if isinstance(content, bytes):
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
        return
    with content.open("rb") as file:
        entry.size, entry.mtime = (state := os.fstat(file.fileno())).st_size, int(state.st_mtime)
        tar.addfile(entry, file)


def mode_of(name: str) -> int:
    """Return the mode of a file of a bundle: its owner's alone, scripts to be run."""
    return 0o700 if name.endswith(".sh") else 0o600
