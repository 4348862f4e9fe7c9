"""The manifest beside an exported file: what is in it, where that came from, and what was left out and why."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store import records
from store.database import SCHEMA_VERSION, Store, now
from studio import __version__
from studio.companions import Placed
from studio.errors import StudioError
from studio.project import Project

if TYPE_CHECKING:
    from studio.exporting import ExportReport

MANIFEST = ".manifest.json"
"""What a manifest's name adds to the name of the file that it is about."""


def manifest_of(out: Path) -> Path:
    """Return where the manifest of an exported file stands."""
    return out.with_name(out.name + MANIFEST)


def describe(project: Project, store: Store, report: "ExportReport", used: Counter[int | None]) -> dict[str, Any]:
    """Return a manifest but for its files; `used` has how many rows came from each source, None for none."""
    return {
        "format": report.format,
        "snapshot": report.snapshot,
        "rows_in": report.considered,
        "rows_used": report.used,
        "rows_out": report.rows,
        "splits": report.splits,
        "left_out": report.left_out,
        "project": project.settings.name,
        "sources": _sources(store, used),
        "rows_of_no_source": used[None],
        "split_settings": asdict(project.settings.splits),
        "studio_version": __version__,
        "schema_version": SCHEMA_VERSION,
        "written_at": now(),
    }


def with_files(described: dict[str, Any], out: Path, sha256: str, companion: Placed | None) -> bytes:
    """Return a manifest as it is written."""
    files: dict[str, Any] = {"file": out.name, "sha256": sha256}
    if companion:
        files["companion"] = {"file": companion.path.name, "sha256": companion.sha256}
    return json.dumps({**files, **described}, ensure_ascii=True, indent=2).encode() + b"\n"


def earlier(out: Path) -> dict[str, Any] | None:
    """Return the manifest of the export that stands at `out` unchanged; None where nothing stands there.

    Raises:
        StudioError: a file of any other origin is there, which is never overwritten.
    """
    if not out.exists():
        return None
    try:
        manifest = json.loads(manifest_of(out).read_bytes())
        with out.open("rb") as file:
            is_own = manifest["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        is_own = False
    if not is_own:
        raise StudioError(
            f"{out} is there already and is no unchanged export.", "Name another file, or move that one away."
        )
    return dict(manifest)


def _sources(store: Store, used: Counter[int | None]) -> list[dict[str, Any]]:
    return [
        {"name": s.name, "path": s.path, "sha256": s.sha256, "format": s.format, "rows_used": used[s.id]}
        for s in records.sources(store)
        if used[s.id]
    ]
