"""From the key to what TRL reads: side, prompt and verdict to the letter, and what is no preference left out."""

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from stored import standing_verdicts
from textual.pilot import Pilot

import screens.compare_asked
from screens.app import StudioApp
from screens.compare import CompareScreen
from store import examples, interface_state, journal, pairs, responses
from store.database import Store
from studio.labelling import judging, shown
from studio.project import Project, open_project

HOSTILE = "\x1b]52;c;aGk=\x07 [b]bold[/b] \u202e\u00e4\U0001f600\n\n  <|im_end|> "
VERDICTS = {"h": "left", "l": "right", "t": "tie", "b": "both_bad", "s": "skip"}
LEFT_OUT = {"tie": "judged a tie", "both_bad": "judged both bad", "skip": "skipped"}
BEST = "Best! "

LOAD = """
import json, sys
from datasets import load_dataset
rows = load_dataset("json", data_files=sys.argv[1], cache_dir=sys.argv[2])["train"]
print(json.dumps([[row["prompt"], row["chosen"], row["rejected"]] for row in rows]))
"""

Label = tuple[str, str] | str
"""The better and the worse reply by name, or the verdict that names none."""


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens.compare_asked, "QUIET_SECONDS", 0.0)
    monkeypatch.setenv("TUNING_STUDIO_RATER", "Ada")


def fill(store: Store, prompts: int, replies: str, *, paired: bool) -> None:
    """Add prompts with a reply for each letter, the first two of them paired."""
    for number in range(prompts):
        example = examples.add(store, record_id=None, messages=prompt(number), split="train")
        made = [responses.add(store, example, reply(f"{letter}{number}"), origin="file") for letter in replies]
        if paired:
            pairs.add_pair(store, example, *made[:2], seed=number)
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)


def prompt(number: int) -> list[dict[str, str]]:
    system = [{"role": "system", "content": f"Be kind {HOSTILE}"}] if number % 3 else []
    return [*system, {"role": "user", "content": f"Question {number}: {HOSTILE}"}]


def reply(name: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": f"Reply {name}. {HOSTILE}"}]


def on_screen(screen: CompareScreen) -> tuple[str, str]:
    """Return the names of the replies that are on the left and on the right."""
    left, right = (re.search(r"Reply (\w\d+)\.", pane.plain) for pane in (screen.panes.left, screen.panes.right))
    assert left
    assert right
    assert f"Question {left[1][1:]}:" in screen.panes.prompt.plain
    return left[1], right[1]


def label(key: str, left: str, right: str) -> Label:
    return {"h": (left, right), "l": (right, left)}.get(key, VERDICTS[key])


async def edit(pilot: Pilot[None], to_the_right: bool) -> None:
    await pilot.press(*["tab"] * to_the_right, "e")
    await pilot.pause()
    await pilot.press("ctrl+home", *BEST, "f2")
    await pilot.pause()


def exported(project: Project, out: Path) -> tuple[list[Any], dict[str, Any]]:
    """Export as a user does, and load it as one does; return the rows and the report."""
    folder = str(project.folder)
    report = run("-m", "studio", "export", "trl-preference", str(out), "--project", folder, "--json")
    return run("-c", LOAD, str(out), str(out.parent / "cache")), report


def run(*arguments: str) -> Any:
    """Run Python in a process of its own; return the document that it prints."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def rows_of(labels: dict[int, Label], edited: dict[int, str]) -> list[Any]:
    """Return what must be exported."""
    rows = []
    for number, said in labels.items():
        if isinstance(said, tuple):
            better, worse = map(reply, said)
            rows.append([prompt(number), better, worse])
            if number in edited:
                best = [{"role": "assistant", "content": BEST + better[0]["content"]}]
                assert edited[number] == said[0]
                rows += [[prompt(number), best, better], [prompt(number), best, worse]]
    return rows


async def test_what_was_pressed_is_what_trl_reads(
    project: Project, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / "studio.toml").open("a").write('\n[[tasks]]\nname = "all"\nrepeats = 0.5\nanchors = 4\n')
    fill(store, 32, "AB", paired=True)
    labels: dict[int, Label] = {}
    with monkeypatch.context() as earlier:
        earlier.setattr(journal, "now", lambda: "2025-01-11T09:00:00.000000+00:00")
        for number in range(8):
            both = shown.read(store, number + 1).shown(0)
            judging.judge(store, both, "left", rater="Ada", task="all", shown_at="2025-01-11T08:59:50+00:00")
            labels[number] = (f"A{number}", f"B{number}")
    chance = random.Random(11)
    edited: dict[int, str] = {}
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=(100, 30)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        while not screen.nothing.display:
            left, right = on_screen(screen)
            number, is_new = int(left[1:]), int(left[1:]) not in labels
            if is_new and number % 9 == 4:
                to_the_right = chance.random() < 0.5
                await edit(pilot, to_the_right)
                labels[number] = (right, left) if to_the_right else (left, right)
                edited[number] = labels[number][0]
                continue
            if is_new and number % 5 == 1:
                await pilot.press("h")
                await pilot.pause()
                await pilot.press("u")
                await pilot.pause()
                assert on_screen(screen) == (left, right)
            key = chance.choice("hhlltbs")
            await pilot.press(key)
            await app.workers.wait_for_complete()
            await pilot.pause()
            if is_new:
                labels[number] = label(key, left, right)
    assert sorted(labels) == list(range(32))
    purposes = Counter(entry.purpose for entry in standing_verdicts(store))
    assert (purposes["edited"], purposes["implied"]) == (2 * len(edited), len(edited))
    assert purposes["anchor"] > 0
    assert purposes["repeat"] > 5
    rows, report = exported(project, tmp_path / "out.jsonl")
    assert in_order(rows) == in_order(rows_of(labels, edited))
    left_out = Counter(LEFT_OUT[said] for said in labels.values() if isinstance(said, str))
    assert len(left_out) == 3
    assert report["left_out"] == left_out


async def test_a_ranking_exports_every_pair(project: Project, store: Store, tmp_path: Path) -> None:
    (project.folder / "studio.toml").open("a").write('\n[[tasks]]\nname = "rank"\nranking = true\nrepeats = 0.0\n')
    fill(store, 3, "ABCD", paired=False)
    # Which of two is better in each prompt; in the last one, two are as good.
    orders = ("CADB", "DCBA", "B=CAD")
    app = StudioApp(open_project(project.folder))
    keys = 0
    async with app.run_test(size=(100, 30)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        while not screen.nothing.display:
            left, right = on_screen(screen)
            order = orders[int(left[1:])]
            same = {left[0], right[0]} == {"B", "C"} and "=" in order
            await pilot.press("t" if same else "h" if order.index(left[0]) < order.index(right[0]) else "l")
            await app.workers.wait_for_complete()
            await pilot.pause()
            keys += 1
    assert keys <= 15
    rows, report = exported(project, tmp_path / "out.jsonl")
    expected = []
    for number, order in enumerate(orders):
        letters = order.replace("=", "")
        for place, better in enumerate(letters):
            for worse in letters[place + 1 :]:
                if not ("=" in order and {better, worse} == {"B", "C"}):
                    expected.append([prompt(number), reply(f"{better}{number}"), reply(f"{worse}{number}")])
    assert in_order(rows) == in_order(expected)
    assert report["left_out"] == {LEFT_OUT["tie"]: 1}


def in_order(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=json.dumps)
