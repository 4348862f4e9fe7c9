"""What was said is found again in its branch, and leaves the project whole."""

import json

import pytest

from store.database import Store
from studio.chatting import keeping
from studio.chatting.conversation import Answer, Conversation
from studio.chatting.exporting import as_jsonl, as_markdown, write_export
from studio.chatting.finding import excerpt, go_to_turn, search
from studio.chatting.stats_words import context_left, stats_words
from studio.errors import StudioError
from studio.project import Project

NUMBERS = {"tokens": 2, "tokens_per_second": 40.0, "first_token_seconds": 0.2, "reason": "stop"}


@pytest.fixture
def chat(project: Project, store: Store) -> Conversation:
    """A chat with two models: a question answered twice by the first, a question after each answer, one edited."""
    chat = keeping.new_chat(project, ["smollm2", "dpo-1"])
    chat.set_system("Be brief.")
    one = keeping.ask(store, chat, "Which animal?")
    keeping.keep_answer(store, chat, one, 0, Answer("A red fox", NUMBERS))
    keeping.keep_answer(store, chat, one, 1, Answer("A badger"))
    two = keeping.ask(store, chat, "And its prey?")
    keeping.keep_answer(store, chat, two, 0, Answer("Mice"))
    keeping.go_to(store, chat, one)
    keeping.keep_answer(store, chat, one, 0, Answer("An owl"))
    three = keeping.ask(store, chat, "Does it fly?")
    keeping.keep_answer(store, chat, three, 0, Answer("Yes"))
    return chat


def in_sight(chat: Conversation) -> list[str | None]:
    return [text for e in chat.exchanges for text in (e.question, e.answers[0].text if e.answers[0] else None)]


def test_what_was_said_is_found_and_shown_where_it_was_said(store: Store, chat: Conversation) -> None:
    (found,) = search(store, "FOX red")
    assert (found.title, found.who, found.excerpt) == ("Which animal?", "smollm2", "A red fox")
    assert found.turn_id is not None
    go_to_turn(store, chat, found.turn_id)
    assert in_sight(chat) == ["Which animal?", "A red fox", "And its prey?", "Mice"]
    (found,) = search(store, "owl")
    assert found.turn_id is not None
    go_to_turn(store, chat, found.turn_id)
    assert in_sight(chat) == ["Which animal?", "An owl", "Does it fly?", "Yes"]
    assert [hit.who for hit in search(store, "which")] == ["title", "you"]
    assert search(store, "fox owl") == search(store, " ") == []


def test_an_answer_that_was_put_aside_is_shown(store: Store, chat: Conversation) -> None:
    keeping.go_to(store, chat, chat.exchanges[0].asked)
    again = keeping.keep_answer(store, chat, chat.exchanges[0].asked, 0, Answer("A wolf"))
    assert again is not None
    keeping.step_answer(store, chat, chat.exchanges[0].asked, 0, -1)
    go_to_turn(store, chat, again.id)
    assert in_sight(chat) == ["Which animal?", "A wolf"]


def test_an_excerpt_is_one_line_around_the_first_word() -> None:
    text = "a " * 100 + "needle\nwith \x1b[31m" + "b " * 200
    found = excerpt(text, ["missing", "NEEDLE"])
    assert found.startswith("... a")
    assert "needle" in found
    assert found.endswith(" ...")
    assert "\x1b" not in found
    assert "\n" not in found


def test_the_branch_in_sight_is_exported_with_models_settings_and_numbers(chat: Conversation, store: Store) -> None:
    rows = [json.loads(line) for line in as_jsonl(chat).splitlines()]
    assert [row["model"] for row in rows] == ["smollm2", "dpo-1"]
    said = [[m["content"] for m in row["messages"]] for row in rows]
    assert said == [
        ["Be brief.", "Which animal?", "An owl", "Does it fly?", "Yes"],
        ["Be brief.", "Which animal?", "A badger"],
    ]
    assert rows[0]["settings"]["sampling"]["temperature"] == 0.7
    text = as_markdown(chat)
    assert "A red fox" not in text
    go_to_turn(store, chat, chat.questions[min(chat.questions)].answers[0].id)
    text = as_markdown(chat)
    assert "## smollm2\n\nA red fox\n\n*2 tokens, 40.0 tokens/s, first after 0.2 s*" in text
    assert "# Which animal?\n\n- Models: smollm2, dpo-1" in text


def test_every_branch_is_exported(project: Project, chat: Conversation) -> None:
    rows = [json.loads(line) for line in as_jsonl(chat, every_branch=True).splitlines()]
    ends = [[m["content"] for m in row["messages"]][-2:] for row in rows]
    assert ends == [["And its prey?", "Mice"], ["Does it fly?", "Yes"]]
    text = as_markdown(chat, every_branch=True)
    assert text.count("# Branch ") == 2
    assert "Mice" in text
    assert "Yes" in text
    path = write_export(project, chat, "jsonl", every_branch=True)
    assert path.parent == project.exports
    assert path.stat().st_mode & 0o077 == 0
    assert path.read_text() == as_jsonl(chat, every_branch=True)
    with pytest.raises(StudioError, match="Nothing was asked"):
        write_export(project, keeping.blank_copy(chat), "markdown")


def test_how_an_answer_came_about_is_said_in_words() -> None:
    stats = {**NUMBERS, "reason": "length", "dropped_why": "2 earlier exchanges were left out"}
    assert stats_words(stats).endswith("2 earlier exchanges were left out, cut at the longest length")
    assert stats_words({"from_side": 1}) == "taken over from another model"
    assert context_left({"context": 100, "prompt_tokens": 60, "tokens": 30}) == 10
    assert context_left({}) is None
