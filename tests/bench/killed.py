"""kill -9 at random moments while the app labels: no verdict that was shown as taken is lost.

    python tests/bench/killed.py [--kills N] [--seed N]

Each round starts the real app in a pseudo-terminal of 80x24, looks that it opens at the next pair without a verdict,
judges a few, presses one key more and kills the app within the next 30 milliseconds. What had been shown as taken, and
what the terminal still holds of it, must be in the journal, at most the last key beside it, and the file must be whole.
"""

import argparse
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from labelling_terminal import KEYS, Labeller, make_project

from store import journal
from studio.project import Project

NO_REPEATS = '[[tasks]]\nname = "plain"\nrepeats = 0.0\nanchors = 0\n'
"""So that the next pair is always the first without a verdict."""

LATEST_KILL = 0.03
"""Seconds after the last key: it is written within them, and the next pair is painted or not."""


@dataclass
class Kills:
    """What was found over all rounds."""

    shown: list[tuple[int, str]] = field(default_factory=list)
    """Pairs and verdicts that were shown as taken, in order."""
    last: Counter[str] = field(default_factory=Counter)
    """What had become of the key before the kill: nothing, written, or shown."""
    wrong: list[str] = field(default_factory=list)


def kill_while_labelling(project: Project, kills: int, chance: random.Random) -> Kills:
    """Label and kill so many times; return what was found."""
    found = Kills()
    for _ in range(kills):
        last = _label_and_kill(project, chance, found)
        written = _written(project, found)
        state = (
            "shown" if found.shown[-1:] == [last] else "written" if last in written[len(found.shown) :] else "nothing"
        )
        found.last[state] += 1
        if written[: len(found.shown)] != found.shown or written[len(found.shown) :] not in ([], [last]):
            found.wrong.append(f"shown {found.shown[-3:]} and pressed {last}, but written is {written[-3:]}")
        found.shown = written
    return found


def _label_and_kill(project: Project, chance: random.Random, found: Kills) -> tuple[int, str]:
    """Judge a few pairs, then press one key more and kill; return what that key meant."""
    labeller = Labeller.run(project.folder)
    number = labeller.wait_for_a_pair()
    if number != len(found.shown) + 1:
        found.wrong.append(f"opened at pair {number} instead of {len(found.shown) + 1}")
    for _ in range(chance.randint(0, 4)):
        answer = labeller.answer(key := chance.choice(list(KEYS)))
        found.shown.append((number, KEYS[key]))
        if answer.after != number + 1:
            found.wrong.append(f"{key} on pair {number} led to pair {answer.after}")
        number = answer.after
    labeller.type(key := chance.choice(list(KEYS)))
    labeller.settle_until(chance.uniform(0, LATEST_KILL))
    labeller.kill()
    if labeller.number == number + 1:
        found.shown.append((number, KEYS[key]))
    return number, KEYS[key]


def _written(project: Project, found: Kills) -> list[tuple[int, str]]:
    with project.open_store() as store:
        whole = store.connection.execute("PRAGMA integrity_check").fetchone()[0]
        if whole != "ok":
            found.wrong.append(f"the file is damaged: {whole}")
        return [(entry.pair_id, str(entry.verdict)) for entry in journal.entries(store)]


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project", arguments.kills * 6, NO_REPEATS)
        found = kill_while_labelling(project, arguments.kills, random.Random(arguments.seed))
    print(
        f"{arguments.kills} kills, {len(found.shown):,} verdicts written; of the key before the kill"
        f" {found.last['shown']} were shown, {found.last['written']} written but not shown yet,"
        f" {found.last['nothing']} not written"
    )
    for line in found.wrong:
        print(f"WRONG: {line}")
    print(
        "nothing was lost, the file was whole and the app opened at the next pair each time" if not found.wrong else ""
    )
    raise SystemExit(bool(found.wrong))


if __name__ == "__main__":
    main()
