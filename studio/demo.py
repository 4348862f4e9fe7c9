"""The demo project: a small publisher's customer e-mails, from the data that ships with the program."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from store import pairs, records
from studio.importing import import_file
from studio.project import Project, create_project, is_project, open_project


@dataclass(frozen=True)
class DemoMade:
    """What is in a demo project that was just made."""

    project: Project
    records: int
    judged: int


def create_demo(folder: Path) -> DemoMade:
    """Make the demo project in a folder that holds none, or finish one whose making was broken off.

    Raises:
        StudioError: the folder holds another project, or can't be written.
    """
    sample = files("sample_data") / "support"
    settings = (sample / "studio.toml").read_text(encoding="utf-8")
    project = open_project(folder) if is_unfinished_demo(folder) else create_project(folder, settings)
    with project.open_store() as store, as_file(sample / "emails.jsonl") as path:
        report = import_file(project, store, path)
        counts = pairs.counts(store)
    judged = sum(n for name, n in counts.items() if name != "pairs")
    return DemoMade(project, report.records, judged)


def is_unfinished_demo(folder: Path) -> bool:
    """Tell whether a folder holds the demo project without its e-mails."""
    if not is_project(folder):
        return False
    settings = (files("sample_data") / "support" / "studio.toml").read_bytes()
    if (folder / "studio.toml").read_bytes() != settings:
        return False
    with open_project(folder).open_store() as store:
        return not records.sources(store)
