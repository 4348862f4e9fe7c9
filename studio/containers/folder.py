"""A folder as the data files in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from studio.errors import StudioError

_STATE = "state.json"
_SPLITS = "dataset_dict.json"
_ABOUT = {_STATE, _SPLITS, "dataset_info.json", "dataset_infos.json"}
_NO_DATA = (".manifest.json", ".md", ".rst", ".yaml", ".yml", ".toml", ".py", ".sh")
_PROSE = re.compile(r"(readme|licen[cs]e|notice|changelog)(\.|$)", re.IGNORECASE)


def expand(path: Path) -> list[Path]:
    """Return the files to import for a path: the data files of a folder in natural order, or the file itself.

    Raises:
        StudioError: the folder can't be read or holds no data file.
    """
    if not path.is_dir():
        return [path]
    try:
        files = list(_files(path, set()))
    except OSError as error:
        raise StudioError(f"{error.filename} can't be read: {error.strerror}.") from error
    if not files:
        raise StudioError(f"{path} holds no data files.", "Name a folder with JSON Lines, JSON, CSV, Parquet or text.")
    return files


def _files(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    status = folder.stat()
    place = (status.st_dev, status.st_ino)
    if place in seen:
        # Links may lead back, or to the same folder twice.
        return
    seen.add(place)
    if (folder / _STATE).is_file() and (shards := _listed(folder / _STATE, "_data_files")):
        yield from (_shard(folder, shard) for shard in shards)
        return
    if (folder / _SPLITS).is_file() and (splits := _listed(folder / _SPLITS, "splits")):
        entries = [folder / Path(str(split)).name for split in splits]
    else:
        entries = sorted(folder.iterdir(), key=_natural)
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith("."):
            yield from _files(entry, seen)
        elif entry.is_file() and _is_data(entry.name):
            yield entry


def _listed(path: Path, key: str) -> list[object]:
    """Return a list out of a description that `datasets` wrote; nothing where it is not one."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        return []
    listed = found.get(key) if isinstance(found, dict) else None
    return listed if isinstance(listed, list) else []


def _shard(folder: Path, shard: object) -> Path:
    name = str(shard.get("filename", "")) if isinstance(shard, dict) else ""
    path = folder / Path(name).name
    if not path.is_file():
        raise StudioError(f"{folder} lacks {name or 'a file'}, which its {_STATE} names.", "Save the data set again.")
    return path


def _is_data(name: str) -> bool:
    lower = name.lower()
    return not (name.startswith(".") or lower in _ABOUT or lower.endswith(_NO_DATA) or _PROSE.match(name))


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order names as people do: part-2 before part-10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if place % 2 else (-1, part.casefold()) for place, part in enumerate(parts)]
