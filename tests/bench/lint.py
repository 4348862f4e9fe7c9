"""Checks of a project of preference rows of about 1.1 kB: the first time, again without a change, after ten edits.

    python tests/bench/lint.py [ROWS | FILE]

Prints seconds as `studio lint` takes them, with the start of the program (its modules compiled, as Python keeps them
unless told not to), the later runs also as a share of the first, and the most memory that one of its processes had.
FILE is any file that `studio import` reads.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from import_preferences import write_rows

from store import examples
from store.database import Store
from studio.importing import import_file
from studio.project import Project, create_project

EDITS = 10


def seconds(project: Project) -> float:
    """Run all checks in a process of their own, and return how long that took."""
    began = time.perf_counter()
    command = [sys.executable, "-P", "-m", "studio", "lint", "--project", str(project.folder)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(project.folder / "compiled")}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - began


def edit(store: Store, count: int) -> None:
    """Change a word of examples here and there."""
    step = max(1, count // EDITS)
    for number, example in examples.get_many(store, list(range(1, count + 1, step))[:EDITS]).items():
        first, *others = example.messages
        examples.revise(store, number, [{**first, "content": f"{first['content']} Again."}, *others])


def main(given: str) -> None:
    """Make a project and run the checks on it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.jsonl" if given.isdigit() else Path(given)
        if given.isdigit():
            write_rows(data, int(given))
        project = create_project(Path(folder) / "project")
        with project.open_store() as store:
            import_file(project, store, data)
            count = examples.count(store)
        print(f"{count:,} examples, {data.stat().st_size / 1e6:,.0f} MB")
        first = seconds(project)
        print(f"first run           {first:7.2f} s, {first / max(count, 1) * 100_000:5.1f} s for 100,000 examples")
        _print_later("nothing changed", seconds(project), first)
        with project.open_store() as store:
            edit(store, count)
        _print_later(f"after {EDITS} edits", seconds(project), first)
    print(f"the largest process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000:7.0f} MB")


def _print_later(what: str, took: float, first: float) -> None:
    print(f"{what:<19} {took:7.2f} s, {took / first:6.1%} of the first")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "100000")
