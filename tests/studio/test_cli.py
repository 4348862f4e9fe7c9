"""The command line: what it prints where, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from store import pairs, records
from store.database import open_store
from studio.cli import cli, main
from studio.project import is_project

ROOT = Path(__file__).resolve().parents[2]

HEAVY = ("torch", "transformers", "trl", "datasets", "peft", "llama_cpp", "textual")


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        assert self.err == ""
        return json.loads(self.out)


Studio = Callable[..., Outcome]


@pytest.fixture
def studio(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Studio:
    """A function that runs the command line in a folder of its own, as the `studio` script does."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def preferences(tmp_path: Path) -> Path:
    """A file of six judged pairs, one row that is no JSON and one that lacks an answer."""
    rows = [json.dumps({"prompt": f"Q{n}", "chosen": f"good {n}", "rejected": f"bad {n}"}) for n in range(6)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*rows, "{broken", json.dumps({"prompt": "Q", "chosen": "good"})]) + "\n")
    return path


def assert_fails(outcome: Outcome, *words: str, status: int = 1) -> None:
    """One sentence or two on standard error, nothing on standard output, no traceback."""
    assert (outcome.status, outcome.out) == (status, "")
    assert "Traceback" not in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("studio: ")
    for word in words:
        assert word in outcome.err


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


def test_import_counts_and_names_what_is_wrong(studio, preferences) -> None:
    studio("new", ".")
    done = studio("import", preferences)
    assert done.status == 0
    assert done.out == (
        "rows.jsonl: 8 rows as trl-preference (jsonl), 6 examples, 12 responses, 6 pairs, 6 verdicts,"
        " 1 row kept that can't be read.\n"
    )
    assert [line.split(": ")[0] for line in done.err.splitlines()] == [f"  {preferences}:7", f"  {preferences}:8"]
    assert "imported already" in studio("import", preferences).out


def test_import_as_json_is_one_document(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "more.csv").write_text("ask,reply\nWhy?,Because.\n")
    reports = studio("import", preferences, "more.csv", "--json").document
    assert [(r["name"], r["records"], r["rejected"], r["made"]["pairs"]) for r in reports] == [
        ("rows.jsonl", 8, 1, 6),
        ("more.csv", 1, 0, 0),
    ]
    assert len(reports[0]["problems"]) == 2


def test_import_with_a_mapping(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "more.csv").write_text("ask,reply\nWhy?,Because.\n")
    done = studio("import", "more.csv", "--map", "prompt=ask", "--map", "completion=reply")
    assert (done.status, done.err) == (0, "")
    assert "1 example" in done.out


def test_a_mapping_is_kept_and_used_again(studio, tmp_path) -> None:
    studio("new", ".")
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(f"ask,a,b,won\nWhy {name}?,Because.,So.,2\nHow {name}?,Thus.,So.,1\n")
    columns = ("prompt=ask", "response_a=a", "response_b=b", "verdict=won")
    maps = [option for column in columns for option in ("--map", column)]
    untold = studio("import", "one.csv", *maps)
    assert "verdict codes 1, 2 mean different things" in untold.out
    assert "--verdict 1=left --verdict 2=right" in untold.out
    told = studio("import", "one.csv", *maps, "--verdict", "1=first", "--verdict", "2=second", "--save-map", "m.toml")
    assert "2 examples, 4 responses, 2 pairs, 2 verdicts" in told.out
    assert "2 verdicts" in studio("import", "two.csv", "--map", "m.toml").out


def test_what_is_wrong_with_a_mapping_is_said(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "a.csv").write_text("ask\nWhy?\n")
    assert_fails(studio("import", "a.csv", "--map", "promt=ask"), "no field 'promt'", "Did you mean 'prompt'?")
    assert_fails(studio("import", "a.csv", "--map", "absent.toml"), "absent.toml can't be read")
    assert_fails(studio("import", "a.csv", "--verdict", "1=good"), "can't mean 'good'")


def test_a_folder_is_imported_file_by_file(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "data").mkdir()
    for number in (1, 2, 10):
        (tmp_path / "data" / f"part-{number}.csv").write_text(f"instruction,output\nQ{number},A\n")
    done = studio("import", "data")
    assert (done.status, done.err) == (0, "")
    assert [line.split(":")[0] for line in done.out.splitlines()] == [f"data/part-{n}.csv" for n in (1, 2, 10)]


def test_a_saved_data_set_gives_its_splits(studio, tmp_path) -> None:
    datasets = pytest.importorskip("datasets")
    studio("new", ".")
    rows = {"instruction": ["Q1", "Q2"], "output": ["A", "B"]}
    parts = {name: datasets.Dataset.from_dict(rows | {"instruction": [name, name * 2]}) for name in ("train", "test")}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    done = studio("import", "saved")
    assert done.status == 0
    assert done.out.count("as its data set says") == 2
    with open_store(tmp_path / "studio.db") as store:
        assert store.connection.execute("SELECT split, COUNT(*) FROM example GROUP BY 1 ORDER BY 1").fetchall() == [
            ("test", 2),
            ("train", 2),
        ]
    studio("new", "other")
    assert "as its data set says" not in studio("import", "saved", "--split", "validation", "--project", "other").out
    with open_store(tmp_path / "other" / "studio.db") as store:
        assert store.connection.execute("SELECT DISTINCT split FROM example").fetchall() == [("validation",)]


def test_a_file_that_fails_keeps_no_other_out(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "more.csv").write_text("instruction,output\nQ,A\n")
    done = studio("import", "absent.jsonl", preferences, "empty.jsonl", "more.csv")
    assert done.status == 1
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["rows.jsonl", "more.csv"]
    failures = [line for line in done.err.splitlines() if line.startswith("studio: ")]
    assert [words in line for words, line in zip(("absent.jsonl", "empty.jsonl", "2 of 4"), failures, strict=True)] == [
        True,
        True,
        True,
    ]


def test_only_the_first_problems_are_named(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a", "completion": "b"}\n' * 100 + "{broken\n" * 30)
    done = studio("import", "bad.jsonl")
    assert len(done.err.splitlines()) == 21
    assert "10 more; `studio search has:problem` lists all of them" in done.err


def test_ctrl_c_stops_after_whole_batches_and_the_same_command_goes_on(studio, tmp_path) -> None:
    total = 60_000
    studio("new", ".")
    (tmp_path / "many.jsonl").write_text(
        "".join(f'{{"prompt": "Question {n}", "completion": "Answer"}}\n' for n in range(total))
    )
    command = [sys.executable, "-m", "studio", "import", "many.jsonl", "--project", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with open_store(tmp_path / "studio.db") as store:
        while child.poll() is None and not records.count(store):
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert child.returncode == 130
        assert "It was stopped: import the file again to go on from there." in out
        assert "ctrl-C again ends at once" in err
        assert 0 < records.count(store) < total
        assert "It went on after the" in studio("import", "many.jsonl").out
        assert records.count(store) == total


def test_a_file_that_can_not_be_read_imports_nothing(studio, tmp_path) -> None:
    studio("new", ".")
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    assert_fails(studio("import", "absent.jsonl"), "absent.jsonl")
    assert_fails(studio("import", "empty.jsonl"), "empty.jsonl")
    assert_fails(studio("import", "folder"), "folder")
    assert_fails(studio("import", "data.csv", "--format", "nonsense"), "nonsense")
    assert_fails(studio("import", "data.csv", "--map", "prompt=absent"), "no column 'absent'")
    with open_store(tmp_path / "studio.db") as store:
        assert store.connection.execute("SELECT COUNT(*) FROM source").fetchone()[0] == 0


def test_export_writes_rows_and_a_manifest(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    studio("import", preferences)
    done = studio("export", "trl-preference", "out.jsonl")
    assert (done.status, done.err) == (0, "")
    assert "out.jsonl: 6 of 6 rows as trl-preference" in done.out
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 6
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "good 0"}]
    report = studio("export", "trl-preference", "out.jsonl", "--json").document
    assert (report["rows"], report["replaced"]) == (6, True)


def test_a_dry_run_shows_the_first_row_and_a_snapshot_can_be_had_again(studio, preferences, tmp_path) -> None:
    studio("new", ".")
    studio("import", preferences)
    tried = studio("export", "trl-preference", "out.jsonl", "--dry-run", "--query", "id:1")
    assert (tried.status, tried.err) == (0, "")
    first, _, _ = tried.out.partition("\n}\n")
    assert set(json.loads(first + "}")) == {"prompt", "chosen", "rejected"}
    assert "nothing was written" in tried.out
    assert not (tmp_path / "out.jsonl").exists()
    done = studio("export", "trl-preference", "out.jsonl", "--query", "id:1", "--json").document
    assert done["rows"] == 1
    again = studio("export", "trl-preference", "again.jsonl", "--snapshot", done["snapshot"])
    assert again.status == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()
    wrong = studio("export", "trl-preference", "x.jsonl", "--snapshot", done["snapshot"], "--query", "id:1")
    assert (wrong.status, "--snapshot is exported whole" in wrong.err) == (2, True)


def test_an_export_that_can_not_be_is_explained(studio, preferences) -> None:
    studio("new", ".")
    assert_fails(studio("export", "trl-preference", "out.jsonl"), "no pairs with a better side")
    studio("import", preferences)
    assert_fails(studio("export", "nonsense", "out.jsonl"), "nonsense")
    assert_fails(studio("export", "trl-preference", "out.txt"), "out.txt")
    assert_fails(studio("export", "trl-preference", preferences), "rows.jsonl is there already")
    assert_fails(studio("export", "trl-preference", "absent/out.jsonl"), "absent")
    assert not Path("out.jsonl").exists()


def test_formats_are_listed_with_what_can_be_done(studio) -> None:
    listed = studio("formats")
    assert (listed.status, listed.err) == (0, "")
    known = studio("formats", "--json").document
    assert [line.split()[0] for line in listed.out.splitlines()] == [info["name"] for info in known]
    assert {"trl-preference", "trl-sft"} <= {info["name"] for info in known if info["reads"] and info["writes"]}


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
    assert studio("runs") == Outcome(0, "No runs yet. Start one with `studio train dpo`.\n", "")
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
