"""The export of pairs, beside plain orjson loops over the same rows.

One loop reads the source JSONL line by line, the other the same rows from the project's own SQLite file; each parses
a row, builds the target's, and writes it. All three write the same bytes and are timed in turn, by the clock and in
the processor's time of all threads, which says the same on a busy machine as on an idle one.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterable
from operator import sub
from pathlib import Path

import orjson

from store.database import Store
from studio.exporting import export
from studio.importing import import_file
from studio.project import Project, create_project

WORDS = [
    "the",
    "parcel",
    "has",
    "not",
    "come",
    "to",
    "my",
    "house",
    "since",
    "last",
    "week",
    "and",
    "I",
    "would",
    "like",
]


CLOCKS = ("by the clock", "processor's time")


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_rows(folder / "rows.jsonl", arguments.rows)
        project = create_project(folder / "project")
        with project.open_store() as store:
            import_file(project, store, rows)
        with project.open_store() as store:
            rounds = [measure(project, store, rows, folder / str(number)) for number in range(arguments.rounds)]
    for place, clock in enumerate(CLOCKS):
        print(f"{clock}:")
        for what in rounds[0]:
            times = [each[what][place] for each in rounds]
            ratio = statistics.median(each["export"][place] / each[what][place] for each in rounds)
            spread = f"fastest {min(times):.3f}, slowest {max(times):.3f}"
            print(
                f"  {what:<32} median {statistics.median(times):.3f} s ({spread}); the export takes {ratio:.2f} of it"
            )


def measure(project: Project, store: Store, rows: Path, folder: Path) -> dict[str, tuple[float, ...]]:
    """Return the seconds of one export and of each loop, by each clock."""
    folder.mkdir()
    exported, from_file, from_store = (folder / name for name in ("rows.jsonl", "file", "store"))
    marks = [now()]
    export(project, store, "trl-preference", exported)
    marks.append(now())
    with rows.open("rb") as lines:
        loop(lines, from_file)
    marks.append(now())
    loop((raw for (raw,) in store.connection.execute("SELECT raw FROM record_text ORDER BY record_id")), from_store)
    marks.append(now())
    assert exported.read_bytes() == from_file.read_bytes() == from_store.read_bytes()
    for path in (exported, from_file, from_store):
        path.unlink()
    names = ("export", "orjson loop over the source file", "orjson loop over the SQLite file")
    spans = zip(names, marks, marks[1:], strict=False)
    return {name: tuple(map(sub, end, begun)) for name, begun, end in spans}


def now() -> tuple[float, ...]:
    """Return what each clock shows."""
    return time.perf_counter(), time.process_time()


def write_rows(path: Path, count: int) -> Path:
    """Write preference rows of about a thousand letters each."""
    chance = random.Random(1)
    with path.open("wb") as file:
        for number in range(count):
            texts = (" ".join(chance.choices(WORDS, k=length)) for length in (50, 80, 70))
            row = {name: f"{number} {text}" for name, text in zip(("prompt", "chosen", "rejected"), texts, strict=True)}
            file.write(orjson.dumps(row) + b"\n")
    return path


def loop(lines: Iterable[str | bytes], out: Path) -> None:
    """Turn rows into TRL's explicit, conversational preferences."""
    with out.open("wb") as file:
        for line in lines:
            row = orjson.loads(line)
            turned = {
                "prompt": [{"role": "user", "content": row["prompt"]}],
                "chosen": [{"role": "assistant", "content": row["chosen"]}],
                "rejected": [{"role": "assistant", "content": row["rejected"]}],
            }
            file.write(orjson.dumps(turned, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
