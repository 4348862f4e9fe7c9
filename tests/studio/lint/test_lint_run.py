"""Running the checks: only what changed is looked at, nothing is lost or left over, whatever ends a run."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import duplicates, examples, find, findings, findings_writing, journal, pairs, records, repeats, responses
from store.query import QueryError
from store.records import NewRecord
from studio.errors import StudioError
from studio.lint import registry, team
from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.report import read_report
from studio.lint.run import Cancelled, LintProgress, lint
from studio.lint.worker import found_by
from studio.project import Project, open_project
from studio.settings import read_settings
from tests.studio.lint.linted import GOOD, add, looked_at, of, rows, say


def with_settings(project: Project, text: str) -> Project:
    path = project.folder / "studio.toml"
    path.write_text(path.read_text() + text)
    return open_project(project.folder)


def test_only_what_changed_is_looked_at_again(project, store) -> None:
    ids = add(store, GOOD, "", GOOD, "I am [Your Name] and live there.")
    assert read_report(store) is None
    assert looked_at(project, store) == 4
    assert rows(store, "placeholder") == [ids[3]]
    assert looked_at(project, store) == 0

    examples.revise(store, ids[3], say(GOOD))
    examples.revise(store, ids[0], say("Ask {{ name }} about it, please, who knows."))
    sides = [responses.add(store, ids[2], say(text)[1:], origin="model") for text in ("a river", "a hill")]
    report = read_report(store)
    assert report is not None
    assert report.outdated == 3
    assert looked_at(project, store) == 3
    assert rows(store, "placeholder") == [ids[0]]
    assert read_report(store).outdated == 0

    pair = pairs.get(store, pairs.add_pair(store, ids[2], *sides, seed=0))
    assert looked_at(project, store) == 1
    journal.judge(store, pair, "left", rater="me")
    assert looked_at(project, store) == 1
    journal.undo(store, rater="me")
    assert looked_at(project, store) == 1
    examples.set_status(store, ids[2], "approved")
    assert looked_at(project, store) == 0


def test_several_processes_find_what_one_does(project, store, monkeypatch) -> None:
    monkeypatch.setattr(team, "CHUNK", 7)
    ids = add(store, *(GOOD if n % 3 else "Write to [Your Name] about it, please." for n in range(60)))
    assert looked_at(project, store, workers=3) == 60
    assert rows(store, "placeholder") == ids[::3]
    found = of(store, "placeholder")
    assert found is not None
    assert (found.rows, found.kept) == (20, 20)
    assert [sample.row_id for sample in found.samples] == ids[:15:3]


def test_settings_of_single_examples_begin_anew_and_others_do_not(project, store) -> None:
    add(store, GOOD, "Ask [Your Name] about it, please.")
    assert looked_at(project, store) == 2
    assert looked_at(with_settings(project, '\n[lint]\noff = ["small-held-out"]\n'), store) == 0
    assert of(store, "small-held-out") is None
    path = project.folder / "studio.toml"
    path.write_text(path.read_text().replace('"small-held-out"', '"placeholder"'))
    assert looked_at(open_project(project.folder), store) == 2
    assert of(store, "placeholder") is None
    assert rows(store, "placeholder") == []


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("offf = []", "no setting 'offf'"),
        ("max_length = -1", "lint.max_length must be a whole number"),
        ("labels = [1]", "lint.labels must be a list of texts"),
        ("schema = true", "lint.schema must be a text"),
    ],
)
def test_wrong_settings_are_named(project, line, part) -> None:
    path = project.folder / "studio.toml"
    path.write_text(path.read_text() + f"\n[lint]\n{line}\n")
    with pytest.raises(StudioError, match=part):
        read_settings(path)


@pytest.mark.parametrize(
    ("line", "part"), [('off = ["nonesuch"]', "which is no check"), ('schema = "absent.json"', "can't be read")]
)
def test_settings_that_name_what_is_not_there(project, store, line, part) -> None:
    with pytest.raises(StudioError, match=part):
        lint(with_settings(project, f"\n[lint]\n{line}\n"), store)


def test_rows_without_examples_and_repeated_ones(project, store) -> None:
    source = records.add_source(store, name="a.jsonl", path="/a", container="jsonl", format="plain", size=1)
    new = [NewRecord(n, "{}", {"a": "same"}, b"x" * 16) for n in (1, 2)]
    new.append(NewRecord(3, "{oops", None, b"y" * 16, error="no JSON"))
    records.add(store, source, new)
    repeats.mark_duplicates(store)
    records.set_problem(store, 1, "no prompt in it")
    lint(project, store)
    assert rows(store, "unreadable-row") == [3]
    assert rows(store, "row-with-a-problem") == [1]
    assert rows(store, "exact-duplicates") == [2]
    assert findings.details_of(store, "record", 2) == [("exact-duplicates", "the same bytes as a.jsonl:1")]
    assert "studio duplicates --near" in of(store, "near-duplicates").note

    duplicates.replace(store, "near", [[(1, 0.9), (2, 0.9)]])
    duplicates.replace(store, "leak", [])
    lint(project, store)
    assert rows(store, "near-duplicates") == [2]
    assert of(store, "near-duplicates").note == ""
    assert of(store, "near-leaks") is None


def test_one_thing_is_said_once(project, store) -> None:
    source = records.add_source(store, name="a.jsonl", path="/a", container="jsonl", format="plain", size=1)
    digests = {1: b"x" * 16, 2: b"x" * 16, 3: b"y" * 16, 4: b"z" * 16, 5: b"w" * 16}
    records.add(store, source, [NewRecord(n, "{}", {"a": "b"}, digest) for n, digest in digests.items()])
    repeats.mark_duplicates(store)
    for row_id, problem in ((3, "odd"), (4, "answer 1 is empty"), (5, "chosen and rejected do not share their prompt")):
        records.set_problem(store, row_id, problem)
    ids = [
        examples.add(store, record_id=n, messages=say("" if n == 4 else GOOD, asked), split=split)
        for n, asked, split in (
            *((1, "Where?", "train"), (2, "Where?", "train"), (3, "where", "train")),
            *((4, "How?", "train"), (5, "how", "test")),
        )
    ]
    sides = [responses.add(store, ids[3], [{"role": "assistant", "content": ""}], origin="model")]
    assert sides
    duplicates.replace(store, "leak", [[(ids[0], 0.9), (ids[3], 0.9), (ids[4], 0.9)]])
    lint(project, store)
    assert (rows(store, "exact-duplicates"), rows(store, "repeated-example")) == ([2], [ids[2]])
    assert (rows(store, "leaked-prompt"), rows(store, "near-leaks")) == ([ids[3]], [ids[0]])
    assert (rows(store, "row-with-a-problem"), rows(store, "different-prompts")) == ([3], [5])
    assert rows(store, "empty-answer") == [ids[3]]


def test_checks_of_all_are_run_again_only_when_what_they_look_at_changed(project, store) -> None:
    ids = add(store, *[GOOD] * 40)
    lint(project, store)
    assert of(store, "small-held-out") is not None

    def forget() -> None:
        with closing(sqlite3.connect(store.path.with_name("findings.db"), isolation_level=None)) as file:
            file.execute("UPDATE checked SET note = '' WHERE name = 'small-held-out'")

    forget()
    lint(project, store)
    assert of(store, "small-held-out") is None
    for change in (
        lambda: examples.revise(store, ids[0], say("It lies by the lake, in the north.", "Where is it now?")),
        lambda: examples.set_excluded(store, ids[1], True),
        lambda: with_settings(project, "\n[lint]\nimbalance = 6.0\n"),
    ):
        forget()
        change()
        lint(open_project(project.folder), store)
        assert of(store, "small-held-out") is not None


def test_what_is_found_about_the_whole_is_kept_in_full(project, store) -> None:
    openings = ("It lies far down in", "He would rather go to", "They say that it is in")
    for n in range(90):
        answer = f"{openings[n % 3]} the valley number {n}, where nobody else has ever been before now, and so on."
        examples.add(store, record_id=None, messages=say(answer, f"Question {n}?"), split="train")
    lint(project, store)
    lines = of(store, "same-ends").note.splitlines()
    assert len(lines) == 4
    assert all(line.endswith(".") for line in lines)
    with findings_writing.writing(store) as file:
        findings_writing.replace(file, "example", "same-ends", [], "word " * 2000)
    assert len(of(store, "same-ends").note) == 4000
    assert of(store, "same-ends").note.endswith(" ...")


def test_what_was_not_searched_yet_is_no_error(project, store) -> None:
    add(store, GOOD)
    lint(project, store)
    found = of(store, "near-leaks")
    assert (found.check.level, found.rows, found.is_unsearched) == ("info", 0, True)


def test_queries_find_findings_of_both_kinds(project, store) -> None:
    with pytest.raises(QueryError, match="no check was run"):
        list(find.ids(store, "example", "finding:placeholder"))
    source = records.add_source(store, name="a.jsonl", path="/a", container="jsonl", format="plain", size=1)
    records.add(store, source, [NewRecord(n, "{}", {"a": "b"}, bytes([n] * 16)) for n in (1, 2, 3)])
    records.set_problem(store, 3, "odd")
    for record_id, answer in ((1, GOOD), (2, "Ask [Your Name] about it, please."), (3, GOOD)):
        examples.add(store, record_id=record_id, messages=say(answer), split="train")
    lint(
        with_settings(project, '\n[lint]\noff = ["conflicting-answers", "repeated-example", "repeated-prompt"]\n'),
        store,
    )

    def found(kind: str, text: str) -> list[int]:
        ids = [number for chunk in find.ids(store, kind, text) for number in chunk]
        assert find.count(store, kind, text) == len(ids)
        return ids

    for kind in ("record", "example"):
        assert found(kind, "finding:placeholder") == [2]
        assert found(kind, "finding:row-with-a-problem") == [3]
        assert found(kind, "has:finding") == [2, 3]
        assert found(kind, "-has:finding") == [1]
        assert found(kind, "-finding:placeholder") == [1, 3]
    with pytest.raises(QueryError, match="did you mean placeholder"):
        found("example", "finding:placholder")


def test_it_goes_on_where_it_was_stopped(project, store, monkeypatch) -> None:
    monkeypatch.setattr(team, "CHUNK", 5)
    add(store, *[GOOD] * 60)
    seen: list[LintProgress] = []
    with pytest.raises(Cancelled):
        lint(project, store, workers=1, on_progress=seen.append, cancelled=lambda: bool(seen) and seen[-1].done > 9)
    assert 9 < seen[-1].done < 60
    left = looked_at(project, store)
    # What was given to a process and not kept yet is looked at again.
    assert 60 - seen[-1].done - 5 <= left <= 60 - seen[-1].done


def test_a_killed_run_leaves_nothing_behind(project, store) -> None:
    add(store, *[GOOD] * 600)
    command = [sys.executable, "-P", "-m", "studio", "lint", "--project", str(project.folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with closing(sqlite3.connect(store.path.with_name("findings.db"))) as file:
        while process.poll() is None and not file.execute("SELECT COUNT(*) FROM looked").fetchone()[0]:
            time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert looked_at(project, store) < 600
    assert read_report(store).examples == 600


def test_two_at_once(project, store) -> None:
    add(store, GOOD)

    def second(_: LintProgress) -> None:
        with project.open_store() as other, pytest.raises(StudioError, match="already"):
            lint(project, other)

    lint(project, store, on_progress=second)


@pytest.mark.parametrize("damage", ["deleted", "overwritten", "broken inside"])
def test_findings_can_be_lost_at_any_time(project, store, damage) -> None:
    ids = add(store, GOOD, "Ask [Your Name] about it, please.")
    lint(project, store)
    path = store.path.with_name("findings.db")
    if damage == "broken inside":
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(8192)
            file.write(os.urandom(size - 8192))
    else:
        for name in ("findings.db", "findings.db-wal", "findings.db-shm"):
            path.with_name(name).unlink(missing_ok=True)
        if damage == "overwritten":
            path.write_text("no database")
    store.close()
    with project.open_store() as again:
        assert looked_at(project, again) == 2
        assert rows(again, "placeholder") == [ids[1]]


def test_a_check_that_fails_does_not_end_the_run() -> None:
    def look(subject: Subject, context: Context) -> Iterator[str]:
        yield "first"
        raise ZeroDivisionError("oops")

    check = OfRow(Check("broken", "t", "w", "info"), look)
    subject = Subject(1, 1, None, "", "train", [], [], [])
    found = list(found_by(check, subject, Context(None, 10, {})))
    assert found == [("broken", "first"), ("failed-check", "broken: ZeroDivisionError: oops")]


def test_what_is_excluded_for_a_check_of_all_keeps_its_finding(project, store) -> None:
    from studio.lint import acting

    ids = [
        examples.add(store, record_id=None, messages=say(answer), split="train")
        for answer in (GOOD, "It lies in the north of the country, in a wide plain by the sea.")
    ]
    lint(project, store)
    assert rows(store, "conflicting-answers") == ids
    assert acting.exclude(store, "conflicting-answers") == 2
    lint(project, store)
    found = of(store, "conflicting-answers")
    assert (found.rows, found.kept) == (2, 0)
    assert acting.restore(store, "conflicting-answers") == 2
    lint(project, store)
    assert of(store, "conflicting-answers").kept == 2


def test_names_are_words_and_are_used_once() -> None:
    names = [check.name for check in registry.CHECKS]
    assert len(names) == len(set(names))
    assert all(name.replace("-", "").isalpha() and name == name.lower() for name in names)
    assert all(check.title and check.why.endswith(".") for check in registry.CHECKS)


HEAVY = ("torch", "transformers", "ftfy", "tokenizers", "numpy", "pyarrow", "phonenumbers", "py3langid", "scipy")


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("studio.lint.run, studio.lint.acting", HEAVY),
        ("studio.lint.registry, studio.lint.report", (*HEAVY, "jinja2", "jsonschema", "rapidfuzz", "stdnum")),
    ],
)
def test_the_caller_imports_nothing_heavy(modules, heavy) -> None:
    code = f"import {modules}, sys; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path.cwd(), check=True)
    assert done.stdout.strip() == "[]"


def test_the_documentation_names_all_checks() -> None:
    text = Path(__file__).parents[3].joinpath("docs", "linting.md").read_text(encoding="utf-8")
    table = text.partition("## Checks")[2]
    said = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| `")]
    assert said == [[f"`{check.name}`", check.level, check.title, check.fix] for check in registry.CHECKS]
