"""A verdict key in Compare: how soon the next pair is painted, how many bytes that takes, and what the disk takes.

    python tests/bench/verdict.py [--pairs N] [--keys N]

Drives the app in a pseudo-terminal of 80x24 over a project of N pairs (100,000 take a minute to make). A key is
pressed once the terminal is quiet, as by a person who reads. The time is that from the key to the byte which completes
the next pair's texts; what the verdict's commit takes of it is measured on the same file afterwards, with and without
waiting for the disk.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

from labelling_terminal import KEYS, Answered, Labeller, make_project

from store.database import Store, now
from studio.labelling import judging, shown
from studio.project import Project

WARM = 5
"""First keys that are not counted."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        project = make_project(Path(folder) / "project", arguments.pairs)
        print(f"{arguments.pairs:,} pairs made in {time.monotonic() - begun:.0f} s")
        answers = press(project, arguments.keys)
        times = [answer.painted * 1000 for answer in answers]
        written = [answer.written for answer in answers]
        longest = f"longest {max(times):.1f}"
        print(f"verdict key to next pair painted: {spread(times, '5.1f')}, {longest} ms; {len(times)} keys")
        print(f"bytes a verdict:                  {spread(written, '5.0f')}, most {max(written):,}")
        commit(project, statistics.median(times))


def press(project: Project, keys: int) -> list[Answered]:
    """Press verdict keys; return what came of each, the first few left out."""
    chance = random.Random(1)
    labeller = Labeller.run(project.folder)
    try:
        labeller.wait_for_a_pair()
        labeller.settle(1)
        answers = [labeller.answer(chance.choice(list(KEYS))) for _ in range(keys + WARM)]
    finally:
        labeller.kill()
    unmoved = [answer for answer in answers if answer.after in (0, answer.before)]
    if unmoved:
        raise SystemExit(f"{len(unmoved)} of {len(answers)} keys did not lead to another pair: {unmoved[0]}")
    return answers[WARM:]


def commit(project: Project, key: float) -> None:
    """Print what writing a verdict takes, with and without waiting for the disk."""
    with project.open_store() as store:
        waiting = milliseconds_to_judge(store)
        store.connection.execute("PRAGMA synchronous=OFF")
        not_waiting = milliseconds_to_judge(store)
    print(f"writing a verdict, fsync included: {spread(waiting, '5.2f')} ms; without: {spread(not_waiting, '5.2f')} ms")
    print(f"the commit's share of a key: {statistics.median(waiting) / key:.0%} at the median")


def milliseconds_to_judge(store: Store) -> list[float]:
    """Write verdicts on pairs that have none; return what each took."""
    rows = store.connection.execute("SELECT id FROM pair WHERE verdict IS NULL ORDER BY id DESC LIMIT 200").fetchall()
    taken = []
    for (pair_id,) in rows:
        pair = shown.read(store, pair_id).shown(pair_id)
        begun = time.perf_counter()
        judging.judge(store, pair, "left", rater="Ada", task="all pairs", shown_at=now())
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def spread(values: list[float] | list[int], form: str) -> str:
    """Return the middle and what 95 of 100 do not exceed."""
    high = statistics.quantiles(values, n=20, method="inclusive")[-1]
    return f"p50 {statistics.median(values):{form}}, p95 {high:{form}}"


if __name__ == "__main__":
    main()
