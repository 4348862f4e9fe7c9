"""Searches in a large project: how soon the first rows come, how long all of them take, and their number.

    python tests/bench/search.py [ROWS | PROJECT]

Makes a project of ROWS preference rows (200,000), or takes the one in the folder PROJECT. Prints a line for
each of the searches, made for records and for examples, and then how the times are spread.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from import_preferences import BIN, write_rows

from store import find
from store.database import Store, open_store

QUERIES = [
    *("the ", "the", "book", "bo", "co", "12", "zebra", '"case 1234"', '"one flight of rather', "don't"),
    *("the book and ", "book -the", "-book", "zebra OR okapi", "book OR letter", "(book OR letter) steep stairs"),
    *("prompt:book ", "prompt:zebra", "chosen:1234", 'rejected:"the word journey"', "chosen:book prompt:book "),
    *("split:test", "split:test book", "status:approved", "status:draft", "verdict:left", "verdict:none"),
    *("-verdict:left book ", "has:flag", "has:problem", "has:duplicate", "has:tag", "is:excluded", "len>1500"),
    *("len>1500 book ", "line:1234", "id:77", "source:pairs", "author:model", "len<300 -verdict:left"),
]


def measure(store: Store, kind: find.Kind, text: str) -> tuple[float, float, float, int]:
    """Return the milliseconds to the first rows, to all of them and to their number, and the number."""
    began = time.perf_counter()
    chunks = find.ids(store, kind, text)
    found = len(next(chunks, ()))
    first = time.perf_counter()
    found += sum(map(len, chunks))
    last = time.perf_counter()
    counted = find.count(store, kind, text)
    end = time.perf_counter()
    if counted != found:
        sys.exit(f"{text!r} finds {found} {kind}s and counts {counted}")
    return (first - began) * 1000, (last - began) * 1000, (end - last) * 1000, found


def spread(name: str, times: list[float]) -> str:
    """Return the middle of the times and what 95 of 100 do not exceed."""
    return f"{name}: p50 {statistics.median(times):.1f} ms, p95 {statistics.quantiles(times, n=20)[-1]:.1f} ms"


def run(project: Path) -> None:
    """Search, and print the figures."""
    with open_store(project / "studio.db") as store:
        source = store.connection.execute("SELECT name FROM source").fetchone()[0]
        queries = [query.replace("source:pairs", f"source:{source}") for query in QUERIES]
        kinds: list[find.Kind] = ["record", "example"]
        for kind in kinds:
            print(f"{kind:30} {'first':>9} {'all':>9} {'count':>9} {'found':>10}")
            figures = []
            for query in queries:
                first, whole, counted, found = measure(store, kind, query)
                figures.append((first, whole, counted))
                print(f"{query:30} {first:9.1f} {whole:9.1f} {counted:9.1f} {found:10,}", flush=True)
            for name, times in zip(("first rows", "all rows", "count"), zip(*figures, strict=True), strict=True):
                print(spread(f"{kind}s, {name}", list(times)))


def make(folder: Path, rows: int) -> Path:
    """Make a project of so many rows."""
    data, project = folder / "pairs.jsonl", folder / "project"
    write_rows(data, rows)
    subprocess.run([BIN / "studio", "new", project], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([BIN / "studio", "import", data, "--project", project], check=True, stdout=subprocess.DEVNULL)
    return project


def main(argument: str) -> None:
    """Take a project or make one."""
    if not argument.isdecimal():
        run(Path(argument))
        return
    with tempfile.TemporaryDirectory() as folder:
        run(make(Path(folder), int(argument)))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "200000")
