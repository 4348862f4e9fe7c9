"""Two apps label one project at once: nothing is lost, and neither waits long for the other.

    python tests/bench/two_instances.py [--keys N]

Each runs in a pseudo-terminal of 80x24 with a rater of its own; the keys come at random moments, many of them at the
same one. The same is measured with one app alone, so that the difference shows what the other costs. How long the
file itself makes one wait is measured without a screen: two processes write verdicts as fast as they can.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from labelling_terminal import KEYS, Answered, Labeller, make_project

from store import journal
from studio.project import Project

RATERS = ("Ada", "Ben")

WRITE = """
import sys, time
from pathlib import Path
from store import journal, pairs
from store.database import open_store
with open_store(Path(sys.argv[1])) as store:
    queue = [pairs.get(store, number) for number in range(1, 201)]
    print("ready", flush=True)
    sys.stdin.readline()
    for pair in queue:
        begun = time.perf_counter()
        journal.judge(store, pair, "left", rater=sys.argv[2])
        print((time.perf_counter() - begun) * 1000)
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for raters in (RATERS[:1], RATERS):
            project = make_project(Path(folder) / f"project-{len(raters)}", 20 * arguments.keys)
            answers = label_at_once(project, raters, arguments.keys)
            report(answers)
            lost = missing(project, answers)
            print(f"{len(raters)} at once: {lost} of {sum(map(len, answers.values()))} verdicts lost")
        report_writes(project)
    raise SystemExit(bool(lost))


def label_at_once(project: Project, raters: tuple[str, ...], keys: int) -> dict[str, list[tuple[str, Answered]]]:
    """Let each rater press keys in an app of their own; return what came of each key."""
    labellers = {rater: Labeller.run(project.folder, rater) for rater in raters}
    answers: dict[str, list[tuple[str, Answered]]] = {rater: [] for rater in raters}
    for labeller in labellers.values():
        labeller.wait_for_a_pair()
    threads = [
        threading.Thread(target=_label, args=(labeller, keys, answers[rater])) for rater, labeller in labellers.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for labeller in labellers.values():
        labeller.kill()
    return answers


def _label(labeller: Labeller, keys: int, answers: list[tuple[str, Answered]]) -> None:
    chance = random.Random(keys)  # the same for both, so that they often press at the same moment
    for _ in range(keys):
        time.sleep(chance.choice((0.0, 0.0, 0.1)))
        key = chance.choice(list(KEYS))
        answers.append((KEYS[key], labeller.answer(key)))


def missing(project: Project, answers: dict[str, list[tuple[str, Answered]]]) -> int:
    """Return how many verdicts that were shown as taken are not in the journal."""
    with project.open_store() as store:
        written = Counter((entry.rater, entry.pair_id, entry.verdict) for entry in journal.entries(store))
    told = Counter((rater, answer.before, verdict) for rater, given in answers.items() for verdict, answer in given)
    return sum((told - written).values())


def report(answers: dict[str, list[tuple[str, Answered]]]) -> None:
    """Print how long each app took from a key to the next pair."""
    for rater, given in answers.items():
        times = [answer.painted * 1000 for _, answer in given]
        print(
            f"{len(answers)} at once, {rater}: key to next pair p50 {statistics.median(times):.1f} ms,"
            f" p95 {statistics.quantiles(times, n=20, method='inclusive')[-1]:.1f}, longest {max(times):.1f}"
        )


def report_writes(project: Project) -> None:
    """Print how long a write waits while another process writes without a pause."""
    for raters in (RATERS[:1], RATERS):
        command = [sys.executable, "-c", WRITE, str(project.folder / "studio.db")]
        writers = [
            subprocess.Popen([*command, rater], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for rater in raters
        ]
        for writer in writers:
            writer.stdout.readline()
        for writer in writers:
            writer.stdin.write("\n")
            writer.stdin.flush()
        times = [float(line) for writer in writers for line in writer.communicate()[0].split()]
        print(
            f"{len(raters)} writing without a pause: a verdict takes p50 {statistics.median(times):.2f} ms,"
            f" p95 {statistics.quantiles(times, n=20, method='inclusive')[-1]:.2f}, longest {max(times):.2f}"
        )


if __name__ == "__main__":
    main()
