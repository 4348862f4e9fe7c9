"""The command line: what it prints where, and how it ends."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from store import pairs
from store.database import open_store
from studio.cli import cli
from studio.project import is_project
from tests.studio.commands.conftest import ROOT, assert_fails

HEAVY = ("torch", "transformers", "trl", "datasets", "peft", "llama_cpp", "textual")


def test_new_makes_a_project_and_says_what_comes_next(studio) -> None:
    made = studio("new", "letters")
    assert (made.status, made.err) == (0, "")
    assert "studio import FILE --project letters" in made.out
    assert is_project(Path("letters"))
    assert_fails(studio("new", "letters"), "letters holds a project already.")


@pytest.mark.parametrize(
    "name", ['a "good" one', "back\\slash", "new\nline", "caf\u00e9 \U0001f98a", "half \udcff", "{0}", "del\x7f"]
)
def test_any_folder_name_makes_a_project_that_opens(studio, name) -> None:
    assert studio("new", name).status == 0
    assert studio("runs", "--project", name).status == 0


def test_a_place_that_can_not_be_made_is_named(studio) -> None:
    Path("file").touch()
    assert_fails(studio("new", "file"), "file can't be made into a project")
    assert_fails(studio("new", "file/inside"), "file/inside can't be made into a project")


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The demo project, made by the command in a process of its own."""
    folder = tmp_path_factory.mktemp("demo") / "studio-demo"
    child = subprocess.run(
        [sys.executable, "-m", "studio", "demo", str(folder), "--no-open"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (child.stdout.count("\n"), child.stderr) == (1, "")
    assert "220 e-mails" in child.stdout
    assert "64 pairs judged" in child.stdout
    return folder


def test_the_demo_is_whole(demo) -> None:
    with open_store(demo / "studio.db") as store:
        counts = pairs.counts(store)
        problems = store.connection.execute("SELECT COUNT(*), COUNT(error), COUNT(problem) FROM record").fetchone()
        raters = store.connection.execute("SELECT DISTINCT rater FROM comparison").fetchall()
    assert counts.pop("pairs") == 220
    assert sum(counts.values()) == 64
    assert problems == (220, 0, 0)
    assert raters == [("Ruth",)]


def test_the_demo_is_made_once(studio, demo) -> None:
    before = (demo / "studio.db").read_bytes()
    again = studio("demo", demo, "--no-open")
    assert (again.status, again.err) == (0, "")
    assert "is a project already; it is left as it is." in again.out
    assert (demo / "studio.db").read_bytes() == before


def test_compare_sums_the_labels_up(studio, demo) -> None:
    shown = studio("compare", "--project", demo)
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith("Verdicts of everybody, all tasks\n\nPairs\n  pairs with a verdict: 64\n")
    labels = studio("compare", "--project", demo, "--json").document
    assert (labels["pairs"], labels["unjudged"], sum(labels["verdicts"].values())) == (220, 156, 64)
    assert labels["usable"] == labels["verdicts"]["left"] + labels["verdicts"]["right"]


def test_compare_counts_one_person_or_one_task(studio, demo) -> None:
    [rater] = studio("compare", "--project", demo, "--json").document["raters"]
    labels = studio("compare", "--project", demo, "--rater", rater.upper(), "--task", "Better Reply", "--json").document
    assert (labels["rater"], labels["task"], labels["verdicts"]) == (rater, "better reply", {})
    assert_fails(studio("compare", "--project", demo, "--rater", rater[:-1]), "no rater", f"Did you mean {rater}?")
    assert_fails(studio("compare", "--project", demo, "--task", "beter"), "no task 'beter'", "better reply")


def test_an_empty_project_has_nothing_to_compare(studio) -> None:
    studio("new", ".")
    assert_fails(studio("compare"), "no pairs to compare yet")
    assert studio("compare", "--json").document["pairs"] == 0


def test_an_empty_project_has_no_runs(studio) -> None:
    studio("new", ".")
    none = studio("runs")
    assert (none.status, none.out, none.err) == (0, "No runs yet. Start one with `studio train dpo`.\n", "")
    assert studio("runs", "--json").document == []
    for command in ("runs", "logs", "stop", "resume", "parity"):
        assert_fails(studio(command, "dpo-1"), "no run 'dpo-1'")


def test_doctor_looks_at_the_machine(studio) -> None:
    looked = studio("doctor", "--json")
    findings = looked.document
    assert looked.status == int(any(finding["level"] == "error" for finding in findings))
    assert {"python", "disk", "memory", "processor", "packages", "training", "inference", "model"} <= {
        finding["name"] for finding in findings
    }


def without_probes(*_: object, **__: object) -> "subprocess.CompletedProcess[str]":
    """Answer as a child process does that an illegal instruction ended."""
    return subprocess.CompletedProcess([], -4, "", "")


def test_doctor_says_what_is_wrong_with_a_project(studio, monkeypatch) -> None:
    monkeypatch.setattr("studio.doctor.subprocess.run", without_probes)
    studio("new", ".")
    Path("studio.db").write_text("not a database" * 100)
    looked = studio("doctor")
    assert (looked.status, looked.err) == (1, "")
    assert re.search(r"^error training +crashed with SIGILL$", looked.out, re.MULTILINE)
    assert re.search(r"^error project +studio\.db is not a usable database", looked.out, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["--nonsense"],
        ["new"],
        ["import"],
        ["export"],
        ["export", "trl-sft"],
        ["export", "trl-sft", "out.jsonl", "--split", "half"],
        ["import", "file", "--map", "prompt"],
        ["import", "file", "--verdict", "1"],
        ["import", "file", "--save-map", "m.toml"],
        ["train", "nonsense"],
        ["runs", "--lines"],
        ["logs", "dpo-1", "-n", "many"],
        ["logs", "dpo-1", "-n", "-4"],
        ["chat", "--max-tokens", "0"],
        ["formats", "extra"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(studio, arguments) -> None:
    ended = studio(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "Usage: studio" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [["import", "x"], ["export", "trl-sft", "o.jsonl"], ["compare", "--json"], ["runs"], ["train", "dpo"], ["chat"]],
    ids=" ".join,
)
def test_no_project_here_is_explained(studio, arguments) -> None:
    assert_fails(studio(*arguments), ". is not a Tuning Studio project.", "studio new")
    assert not list(Path().iterdir())


@pytest.mark.parametrize("arguments", [[], ["."], ["open"], ["demo", "made"]], ids=" ".join)
def test_the_app_needs_a_terminal(studio, arguments) -> None:
    ended = studio(*arguments)
    assert ended.status == 1
    assert ended.err.startswith("studio: The app needs a terminal.")


def root_pages(database: Path, *tables: str) -> list[int]:
    """Where in the file each table begins, in pages from 1."""
    with open_store(database) as store:
        pages = dict(store.connection.execute("SELECT name, rootpage FROM sqlite_master"))
    return [pages[table] for table in tables]


@pytest.mark.parametrize("harm", ["truncated", "middle", "newer", "settings"])
def test_a_damaged_project_is_explained(studio, preferences, monkeypatch, harm) -> None:
    monkeypatch.setattr("studio.doctor.subprocess.run", without_probes)
    studio("new", "old")
    studio("import", preferences, "--project", "old")
    database, settings = Path("old/studio.db"), Path("old/studio.toml")
    content = bytearray(database.read_bytes())
    if harm == "truncated":
        database.write_bytes(content[: len(content) // 2])
    elif harm == "middle":
        for page in root_pages(database, "source", "pair", "record", "run"):
            content[(page - 1) * 4096 : page * 4096] = os.urandom(4096)
        database.write_bytes(content)
    elif harm == "newer":
        content[60:64] = (99).to_bytes(4, "big")
        database.write_bytes(content)
    else:
        settings.write_text("[project\n")
    name = "studio.toml" if harm == "settings" else "studio.db"
    for command in ("compare", "runs"):
        assert_fails(studio(command, "--project", "old"), f"old/{name}")
    assert_fails(studio("import", preferences, "--project", "old"), f"old/{name}")
    looked = json.loads(studio("doctor", "--project", "old", "--json").out)
    assert [finding["level"] for finding in looked if finding["name"] == "project"] == ["error"]


def test_a_database_that_is_being_written_is_explained(studio, preferences, monkeypatch) -> None:
    monkeypatch.setattr("store.database.BUSY_TIMEOUT_MS", 10)
    studio("new", ".")
    with open_store(Path("studio.db")) as store, store.transaction():
        assert_fails(studio("import", preferences), "another process")


def test_help_and_version(studio) -> None:
    for flag in ("-h", "--help"):
        assert studio(flag).out.startswith("Usage: studio [OPTIONS] [COMMAND] [ARGS]...")
    assert re.fullmatch(r"studio, version \d+\.\d+\.\d+\n", studio("--version").out)


def test_every_listed_command_works_and_explains_itself(studio) -> None:
    listed = re.findall(r"^  ([a-z-]+)  ", studio("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert set(listed) == {name for name, command in cli.commands.items() if not command.hidden}
    assert len(listed) > 10
    for name in listed:
        shown = studio(name, "--help")
        assert (shown.status, shown.err) == (0, "")
        assert shown.out.startswith(f"Usage: studio {name}")
        assert len(shown.out.split("\n\n")) > 2, f"{name} has no explanation"


def test_texts_for_the_user_name_only_commands_that_there_are() -> None:
    named: dict[str, Path] = {}
    for package in ("store", "studio", "screens"):
        for path in (ROOT / package).rglob("*.py"):
            for word in re.findall(r"[`:]\s*studio ([a-z]+)\b(?!\.\w|[(=])", path.read_text(encoding="utf-8")):
                named[word] = path
    assert {"new", "runs"} <= set(named)
    unknown = {word: str(path.relative_to(ROOT)) for word, path in named.items() if word not in cli.commands}
    assert not unknown


def test_every_option_and_argument_is_explained() -> None:
    unexplained = [
        f"{name} {parameter.opts[0]}"
        for name, command in cli.commands.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help and not parameter.show_default
    ]
    assert unexplained == []


def test_a_light_command_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from studio.cli import main\n"
        "try:\n"
        "    main(['formats'])\n"
        "except SystemExit:\n"
        f"    print(*(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stderr == "\n"
    assert "trl-preference" in child.stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    child = subprocess.run(
        [sys.executable, "-m", "studio", "formats"], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (child.returncode, child.stderr) == (1, b"")
