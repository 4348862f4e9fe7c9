"""From the project to a file in a known shape, with a manifest beside it that says where it came from."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast, get_args

from store import snapshots
from store.database import Store, now
from store.examples import Split
from studio import __version__, formats, tables
from studio.atomic import write_private
from studio.errors import StudioError
from studio.formats.row import RowError
from studio.formats.shape import Fields, Format
from studio.project import Project
from studio.snapshots import Built, build

MANIFEST = ".manifest.json"
"""What a manifest's name adds to the name of the file that it is about."""

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote and what it left out."""

    format: str
    path: str
    manifest: str
    snapshot: str
    considered: int
    """Examples (for conversations) or pairs (for preferences) that the project holds."""
    rows: int
    splits: dict[str, int]
    left_out: dict[str, int]
    """How many were left out for which reason; with `rows` they add up to `considered`."""
    replaced: bool
    """Whether an earlier export of the same name gave way."""
    note: str = ""

    def summary(self) -> str:
        """Return the report in a few sentences."""
        splits = ", ".join(f"{name} {number:,}" for name, number in self.splits.items())
        lines = [f"{self.path}: {self.rows:,} of {self.considered:,} rows as {self.format} ({splits})."]
        if self.left_out:
            reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(self.left_out.items()))
            lines.append(f"Left out: {reasons}.")
        if self.replaced:
            lines.append("It replaces the earlier export of that name.")
        lines.append(f"Manifest: {self.manifest}.")
        return "\n".join([*lines, self.note] if self.note else lines)


def export(project: Project, store: Store, format: str, out: Path, *, split: str | None = None) -> ExportReport:
    """Write what can be used now, in one shape, to a file whose suffix says how the rows lie in it.

    Raises:
        StudioError: the format is not known or not written, no row can be said in it, the suffix
            does not fit, or the file is there and is no earlier export.
    """
    shape = formats.to_write(format)
    _check_suffix(out)
    replaces = _replaces_own_export(out)
    assert shape.kind is not None
    built = build(project, store, shape.kind, split=cast(Split | None, split))
    rows, splits, unsaid = _said(shape, built)
    if not rows:
        raise _nothing(shape, built, unsaid)
    content = _content(shape, rows, out)
    left_out = dict(Counter(built.left_out) + unsaid)
    snapshots.save(store, built.snapshot)
    report = ExportReport(
        shape.name,
        str(out),
        str(manifest_of(out)),
        built.snapshot.id,
        len(rows) + sum(left_out.values()),
        len(rows),
        {name: splits[name] for name in get_args(Split) if splits[name]},
        left_out,
        replaces,
        shape.note.replace("FILE", out.name),
    )
    write_private(out, content)
    write_private(manifest_of(out), _manifest(project, report, split, content))
    return report


def manifest_of(out: Path) -> Path:
    """Return where the manifest of an exported file stands."""
    return out.with_name(out.name + MANIFEST)


def _said(shape: Format, built: Built) -> tuple[list[Fields], Counter[str], Counter[str]]:
    """Return the rows in a shape, how many each split has, and why others can't be said in it."""
    rows: list[Fields] = []
    splits: Counter[str] = Counter()
    unsaid: Counter[str] = Counter()
    for item, row in built.rows:
        try:
            rows.append(shape.write(row))
            splits[item.split] += 1
        except RowError as reason:
            unsaid[str(reason)] += 1
    return rows, splits, unsaid


def _nothing(shape: Format, built: Built, unsaid: Counter[str]) -> StudioError:
    reasons = Counter(built.left_out) + unsaid
    why = ", ".join(f"{reason} {number:,}" for reason, number in reasons.most_common())
    what = "examples that end with an answer" if shape.kind == "sft" else "pairs with a better side"
    return StudioError(
        f"There are no {what} to write as {shape.name}" + (f" (left out: {why})." if why else "."),
        "Import or write answers first." if shape.kind == "sft" else "Judge pairs in Compare (3) first.",
    )


def _check_suffix(out: Path) -> None:
    if out.suffix.lower() not in SUFFIXES:
        raise StudioError(f"{out} does not say how the rows shall lie.", f"End its name in {', '.join(SUFFIXES)}.")


def _replaces_own_export(out: Path) -> bool:
    """Tell whether an earlier export stands there; a file of any other origin is never overwritten.

    Raises:
        StudioError: such a file stands there.
    """
    if not out.exists():
        return False
    try:
        recorded = json.loads(manifest_of(out).read_bytes())["sha256"]
        is_own = recorded == hashlib.sha256(out.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        is_own = False
    if not is_own:
        raise StudioError(
            f"{out} is there already and is no unchanged export.", "Name another file, or move that one away."
        )
    return True


def _content(shape: Format, rows: list[Fields], out: Path) -> bytes:
    suffix = out.suffix.lower()
    if suffix == ".jsonl":
        return b"".join(_lines(rows))
    if suffix == ".json":
        return b"[\n" + b",\n".join(line.rstrip(b"\n") for line in _lines(rows)) + b"\n]\n"
    return tables.csv_bytes(shape.name, rows) if suffix == ".csv" else tables.parquet_bytes(shape.name, rows)


def _lines(rows: list[Fields]) -> Iterable[bytes]:
    return (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _manifest(project: Project, report: ExportReport, split: str | None, content: bytes) -> bytes:
    counts: dict[str, Any] = {
        "rows_in": report.considered,
        "rows_out": report.rows,
        "splits": report.splits,
        "left_out": report.left_out,
    }
    manifest = {
        "format": report.format,
        "file": Path(report.path).name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "project": project.settings.name,
        "snapshot": report.snapshot,
        "split": split,
        **counts,
        "split_settings": asdict(project.settings.splits),
        "studio_version": __version__,
        "written_at": now(),
    }
    return json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"
