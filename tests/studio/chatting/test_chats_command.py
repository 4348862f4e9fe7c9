"""`studio chats` and `studio assistant` without a model: lists, finds, writes, renames, deletes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from store.database import Store
from studio.chatting import keeping
from studio.chatting.conversation import Answer
from studio.cli import cli
from studio.project import Project


def studio(project: Project, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.folder)], input=typed)


def printed(project: Project, *arguments: str) -> str:
    result = studio(project, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def chat(project: Project, store: Store) -> str:
    """The number of a chat with one answer."""
    talk = keeping.new_chat(project, ["smollm2"])
    question = keeping.ask(store, talk, "Which animal?")
    keeping.keep_answer(store, talk, question, 0, Answer("A red \x1b[31mfox", {"tokens": 4}))
    return str(talk.chat_id)


def test_chats_are_listed_found_and_shown(project: Project, chat: str) -> None:
    assert "Which animal?  (smollm2; 1 question)" in printed(project, "chats")
    (entry,) = json.loads(printed(project, "chats", "--json"))
    assert (entry["id"], entry["questions"], entry["models"]) == (int(chat), 1, ["smollm2"])
    assert "smollm2: A red" in printed(project, "chats", "search", "FOX", "red")
    assert json.loads(printed(project, "chats", "search", "owl", "--json")) == []
    assert "## smollm2\n\nA red" in printed(project, "chats", "show", chat)
    (row,) = json.loads(printed(project, "chats", "show", chat, "--json"))
    assert row["messages"][-1]["content"] == "A red \x1b[31mfox"


def test_a_chat_is_exported_by_the_name_of_the_file(project: Project, chat: str, tmp_path: Path) -> None:
    out = tmp_path / "chat.jsonl"
    assert str(out) in printed(project, "chats", "export", chat, str(out))
    assert json.loads(out.read_text())["model"] == "smollm2"
    printed(project, "chats", "export", chat, "--json")
    (made,) = project.exports.glob("chat-*.md")
    assert made.read_text().startswith("# Which animal?")


def test_a_chat_is_renamed_and_deleted_once_that_was_confirmed(project: Project, chat: str) -> None:
    printed(project, "chats", "rename", chat, "Foxes")
    assert "Foxes" in printed(project, "chats")
    assert studio(project, "chats", "delete", chat, typed="n\n").exit_code == 1
    assert "Foxes" in printed(project, "chats")
    printed(project, "chats", "delete", chat, "--yes")
    assert "no chats yet" in printed(project, "chats")
    missing = studio(project, "chats", "show", chat)
    assert "There is no chat" in str(missing.exception)


def test_the_assistants_system_prompt_is_shown(project: Project) -> None:
    assert "states no assistant" in printed(project, "assistant")
    path = project.folder / "studio.toml"
    path.write_text(path.read_text() + '[assistant]\nname = "Desk"\n')
    assert printed(project, "assistant") == "You are Desk.\n"
    assert json.loads(printed(project, "assistant", "--json")) == {"system": "You are Desk.", "tests": 0}


@pytest.mark.parametrize("wrong", [["--json"], ["--continue", "1", "smollm2"], ["--continue", "1", "-m", "a"]])
def test_what_does_not_go_together_is_wrong_usage(project: Project, wrong: list[str]) -> None:
    assert studio(project, "chat", *wrong).exit_code == 2
