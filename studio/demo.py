"""The demo project: a small publisher's customer e-mails, from the data that ships with the program."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from store import pairs
from studio.importing import import_file
from studio.project import Project, create_project


@dataclass(frozen=True)
class DemoMade:
    """What is in a demo project that was just made."""

    project: Project
    records: int
    judged: int


def create_demo(folder: Path) -> DemoMade:
    """Make the demo project in a folder that holds none.

    Raises:
        StudioError: the folder holds a project, or can't be written.
    """
    sample = files("sample_data") / "support"
    project = create_project(folder, (sample / "studio.toml").read_text(encoding="utf-8"))
    with project.open_store() as store, as_file(sample / "emails.jsonl") as path:
        report = import_file(project, store, path)
        counts = pairs.counts(store)
    judged = sum(n for name, n in counts.items() if name != "pairs")
    return DemoMade(project, report.records, judged)
