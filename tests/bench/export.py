"""The export of pairs, beside a plain orjson loop over the same rows.

The loop reads the source JSONL line by line, parses each, builds the target's row, and writes it. Both are timed in
turn, so that a busy machine slows both, and both write the same bytes.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import orjson

from studio.exporting import export
from studio.importing import import_file
from studio.project import create_project

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


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    times: dict[str, list[float]] = {"export": [], "orjson loop": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_rows(folder / "rows.jsonl", arguments.rows)
        project = create_project(folder / "project")
        with project.open_store() as store:
            import_file(project, store, rows)
        with project.open_store() as store:
            for number in range(arguments.rounds):
                out, plain = folder / f"{number}.jsonl", folder / f"{number}.plain"
                begun = time.perf_counter()
                export(project, store, "trl-preference", out)
                between = time.perf_counter()
                loop(rows, plain)
                times["orjson loop"].append(time.perf_counter() - between)
                times["export"].append(between - begun)
                assert out.read_bytes() == plain.read_bytes()
                for path in (out, plain):
                    path.unlink()
    for what, values in times.items():
        print(
            f"{what:<12} median {statistics.median(values):.3f} s, fastest {min(values):.3f}, slowest {max(values):.3f}"
        )
    ratios = [ours / theirs for ours, theirs in zip(times["export"], times["orjson loop"], strict=True)]
    print(f"export / orjson loop = {statistics.median(ratios):.2f} (median of the rounds) for {arguments.rows:,} pairs")


def write_rows(path: Path, count: int) -> Path:
    """Write preference rows of about a thousand letters each."""
    chance = random.Random(1)
    with path.open("wb") as file:
        for number in range(count):
            texts = (" ".join(chance.choices(WORDS, k=length)) for length in (50, 80, 70))
            row = {name: f"{number} {text}" for name, text in zip(("prompt", "chosen", "rejected"), texts, strict=True)}
            file.write(orjson.dumps(row) + b"\n")
    return path


def loop(source: Path, out: Path) -> None:
    """Turn rows into TRL's explicit, conversational preferences."""
    with source.open("rb") as lines, out.open("wb") as file:
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
