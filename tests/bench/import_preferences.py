"""Import of a large preference file, beside `sqlite-utils insert` and `enable-fts` on the same columns.

    python tests/bench/import_preferences.py [ROWS] [ROUNDS]

Prints both times, their ratio, the peak memory of each process, and how long it took until the first
rows could be read from the project. `sqlite-utils` keeps the columns and an index of their words;
`studio import` keeps each row's own text with its line and hash, an index of all its words, and makes
an example, two responses, a pair and a verdict of it.
"""

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def sentences() -> list[str]:
    """Return the sentences of the shipped sample data."""
    text = (ROOT / "sample_data" / "support" / "emails.jsonl").read_text(encoding="utf-8")
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.extend(s for s in re.split(r"(?<=[.?!])\s+", value) if len(s) > 20)
        elif isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for line in text.splitlines():
        walk(json.loads(line))
    return list(dict.fromkeys(found))


def write_rows(path: Path, rows: int) -> None:
    """Write preference rows of about 1.1 kB, no two alike."""
    chance = random.Random(1)
    known = sentences()

    def text(least: int, most: int) -> str:
        return " ".join(chance.choices(known, k=chance.randint(least, most)))

    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            row = {"prompt": f"{text(1, 4)} (case {number})", "chosen": text(3, 9), "rejected": text(3, 9)}
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def run(command: list[str], watch: Path | None = None) -> tuple[float, float, float | None]:
    """Run a command; return its seconds, its peak memory in MiB, and when the first rows could be read."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = None
    while watch and first is None and process.poll() is None:
        if has_rows(watch):
            first = time.monotonic() - began
        time.sleep(0.01)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed with {status}")
    return time.monotonic() - began, usage.ru_maxrss / 1024, first


def has_rows(database: Path) -> bool:
    """Tell whether a reader sees records already."""
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT 1 FROM record LIMIT 1").fetchone() is not None
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def main(rows: int, rounds: int) -> None:
    """Run both by turns."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "pairs.jsonl"
        write_rows(data, rows)
        print(f"{rows:,} rows, {data.stat().st_size / 1e6:,.0f} MB")
        for number in range(rounds):
            theirs = Path(folder) / f"theirs-{number}.db"
            insert, memory_insert, _ = run(
                [str(BIN / "sqlite-utils"), "insert", str(theirs), "pairs", str(data), "--nl"]
            )
            columns = ["prompt", "chosen", "rejected"]
            index, memory_index, _ = run([str(BIN / "sqlite-utils"), "enable-fts", str(theirs), "pairs", *columns])
            theirs.unlink()
            project = Path(folder) / f"project-{number}"
            run([str(BIN / "studio"), "new", str(project)])
            command = [str(BIN / "studio"), "import", str(data), "--project", str(project)]
            ours, memory, first = run(command, project / "studio.db")
            size = sum(f.stat().st_size for f in project.rglob("*") if f.is_file())
            memory_theirs = max(memory_insert, memory_index)
            print(
                f"sqlite-utils {insert:.1f} + {index:.1f} = {insert + index:.1f} s, {memory_theirs:.0f} MiB"
                f"   studio {ours:.1f} s, {memory:.0f} MiB, first rows after {first or 0:.2f} s, {size / 1e6:,.0f} MB"
                f"   ratio {ours / (insert + index):.2f}"
            )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 200_000,
        int(sys.argv[2]) if len(sys.argv) > 2 else 1,
    )
