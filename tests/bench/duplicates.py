"""Search for duplicates in a project of preference rows of about 1.1 kB, one in twenty nearly the same as another.

    python tests/bench/duplicates.py [ROWS]

Prints seconds for 10,000 rows and the memory that the search takes beyond what the program has anyway.
"""

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from import_preferences import write_rows

from store.database import Store
from studio.duplicates import find, find_leaks
from studio.importing import import_file
from studio.project import create_project

REPEATED = 0.05


def add_repeats(path: Path) -> None:
    """Write some rows again with a word changed, another case and other punctuation."""
    chance = random.Random(2)
    with path.open(encoding="utf-8") as file:
        chosen = [line for line in file if chance.random() < REPEATED]
    with path.open("a", encoding="utf-8") as file:
        for line in chosen:
            row = json.loads(line)
            words = row["chosen"].split()
            words[chance.randrange(len(words))] = "otherwise"
            row.update(chosen=" ".join(words), prompt=row["prompt"].upper() + "!")
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def peak() -> float:
    """Return the most memory that the process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def measure(what: str, store: Store, rows: int, *, near: bool) -> None:
    """Search, and print what it took."""
    before, began = peak(), time.perf_counter()
    found = (find_leaks if what == "leaks" else find)(store, near=near)
    seconds = time.perf_counter() - began
    kind = f"{what}{' and near ones' if near else ''}"
    print(
        f"{kind:<24} {seconds:7.2f} s, {seconds / rows * 10_000:5.2f} s for 10,000 rows,"
        f" {peak() - before:5.0f} MB more, {found.groups:,} groups of {found.members:,}"
    )


def main(rows: int) -> None:
    """Make a project and search it."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.jsonl"
        write_rows(data, rows)
        add_repeats(data)
        project = create_project(Path(folder) / "project")
        with project.open_store() as store:
            count = import_file(project, store, data).records
            print(f"{count:,} rows, {data.stat().st_size / 1e6:,.0f} MB")
            for what in ("duplicates", "leaks"):
                for near in (False, True):
                    measure(what, store, count, near=near)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
