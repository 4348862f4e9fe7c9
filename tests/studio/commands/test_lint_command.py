"""`studio lint`: what it prints and does."""

import json

from click.testing import CliRunner, Result

from store import examples, records, responses
from store.records import NewRecord
from studio.cli import cli
from studio.lint.registry import CHECKS
from studio.project import Project
from tests.studio.lint.linted import GOOD, add


def lint(project: Project, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["lint", "--project", str(project.folder), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_findings_as_a_table_and_as_json(project, store) -> None:
    add(store, GOOD, "Ask [Your Name] about it, \x1b[31mplease.", "Write to [Your Name] there.")
    printed = lint(project).stdout
    assert "placeholder" in printed
    assert "3 examples" in printed
    document = json.loads(lint(project, "--json").stdout)
    assert document["outdated"] == 0
    (found,) = (each for each in document["findings"] if each["name"] == "placeholder")
    assert (found["rows"], found["kept"], found["kind"]) == (2, 2, "example")
    (narrowed,) = json.loads(lint(project, "--json", "--query", "write").stdout)["findings"]
    assert (narrowed["name"], narrowed["rows"]) == ("placeholder", 1)


def test_one_check_with_its_rows(project, store) -> None:
    ids = add(store, GOOD, "Ask [Your Name] about it, please.")
    printed = lint(project, "--check", "placeholder").stdout
    assert "[Your Name]" in printed
    assert printed.endswith("1 row.\n")
    (row,) = json.loads(lint(project, "--check", "placeholder", "--json").stdout)["rows"]
    assert row["id"] == ids[1]
    assert "[Your Name]" in row["details"][0]


def test_excluding_and_letting_in_again(project, store) -> None:
    add(store, GOOD, "Ask [Your Name] about it, please.")
    assert "studio lint --restore placeholder" in lint(project, "--exclude", "placeholder").stdout
    assert "(1 excluded)" in lint(project).stdout
    assert lint(project, "--restore", "placeholder").stdout == "1 row let in again.\n"


def test_a_fix_and_its_taking_back(project, store) -> None:
    add(store, GOOD, "Das Café liegt am Fluss, und die Tür ist für Gäste grün.".encode().decode("cp1252"))
    assert "studio lint --unfix mojibake" in lint(project, "--fix", "mojibake").stdout
    assert lint(project, "--unfix", "mojibake").stdout == "1 row brought back.\n"


def test_what_a_fix_left_is_said(project, store) -> None:
    broken = "Das Café liegt am Fluss, und die Tür ist für Gäste grün.".encode().decode("cp1252")
    (number,) = add(store, GOOD)
    responses.add(store, number, [{"role": "assistant", "content": broken}], origin="model")
    printed = lint(project, "--fix", "mojibake").stdout
    assert printed.startswith("0 rows mended.\n1 of the 1 found are not mended")
    assert responses.of_example(store, number)[0].messages[0]["content"] == broken


def test_what_was_not_searched_is_no_finding(project, store) -> None:
    add(store, GOOD)
    document = json.loads(lint(project, "--json").stdout)
    assert (document["not_searched"], document["findings"]) == (["near-duplicates", "near-leaks"], [])
    assert lint(project).stdout.endswith("Nothing was found in 1 examples and 0 rows.\n")


def test_names_of_files_and_authors_reach_no_terminal_as_commands(project, store) -> None:
    evil = "\x1b]0;owned\x07a\u202e.jsonl"
    source = records.add_source(store, name=evil, path="/a", container="jsonl", format="plain", size=1)
    records.add(store, source, [NewRecord(1, "{oops\x1b[2J", None, b"y" * 16, error="no \x1b[2JJSON")])
    records.add(store, source, [NewRecord(2, "{}", {}, b"z" * 16)])
    messages = [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Ask [Your \x1b[31mName]. \u202e"},
    ]
    examples.add(store, record_id=2, messages=messages, split="train")
    for arguments in (
        (),
        ("--check", "unreadable-row"),
        ("--check", "control-character"),
        ("--check", "hidden-character"),
    ):
        printed = lint(project, *arguments).output
        assert not {"\x1b", "\x07", "\u202e"} & set(printed)


def test_all_checks_are_listed(project) -> None:
    printed = lint(project, "--list").stdout
    assert all(f"{check.name} ({check.level}): {check.title}" in printed for check in CHECKS)
    assert len(json.loads(lint(project, "--list", "--json").stdout)) == len(CHECKS)


def test_one_thing_at_a_time(project) -> None:
    arguments = ["lint", "--project", str(project.folder), "--list", "--check", "placeholder"]
    assert CliRunner().invoke(cli, arguments).exit_code == 2
