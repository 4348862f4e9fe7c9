"""An answer that is coming: what is left of it where the program ends before it does."""

from typing import Any

import pytest

from store import chats
from store.database import Store
from studio.chatting import begun, keeping
from studio.chatting.answering import Coming, Reply
from studio.chatting.begun import Begun
from studio.chatting.conversation import Answer, Conversation, Question
from studio.chatting.stats_words import stats_words
from studio.chatting.terminal import TerminalChat
from studio.inference.asked import EngineError
from studio.inference.engine import Engine
from studio.project import Project


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[Conversation, Question]:
    monkeypatch.setattr(begun, "EVERY_SECONDS", 0.0)
    chat = Conversation(["smollm2"])
    return chat, keeping.ask(store, chat, "why")


def test_what_has_come_is_there_when_the_program_was_killed(
    project: Project, store: Store, asked: tuple[Conversation, Question]
) -> None:
    chat, question = asked
    coming = Begun(chat, question, 0)
    for text in ("", "Be", "Because"):
        coming.grow(store, text)
    assert chat.chat_id is not None
    [exchange] = keeping.open_chat(project, store, chat.chat_id).exchanges
    assert exchange.answers[0] is not None
    assert exchange.answers[0].text == "Because"
    assert stats_words(exchange.answers[0].stats) == "broken off"


def test_an_answer_at_its_end_is_kept_once(
    project: Project, store: Store, asked: tuple[Conversation, Question]
) -> None:
    chat, question = asked
    coming = Begun(chat, question, 0)
    coming.grow(store, "Be")
    keeping.keep_answer(store, chat, question, 0, Answer("Because.", {"tokens": 2}), begun=coming.turn_id)
    assert chat.chat_id is not None
    [exchange] = keeping.open_chat(project, store, chat.chat_id).exchanges
    assert exchange.asked.answers == question.answers
    assert [(answer.text, answer.stats) for answer in question.answers] == [("Because.", {"tokens": 2})]


def test_a_short_answer_is_written_once(store: Store) -> None:
    chat = Conversation(["smollm2"])
    question = keeping.ask(store, chat, "why")
    coming = Begun(chat, question, 0)
    coming.grow(store, "Be")
    assert (coming.text, coming.turn_id) == ("Be", None)


def test_a_chat_that_was_deleted_meanwhile_gets_no_answer(store: Store, asked: tuple[Conversation, Question]) -> None:
    chat, question = asked
    coming = Begun(chat, question, 0)
    coming.grow(store, "Be")
    assert chat.chat_id is not None
    chats.delete(store, chat.chat_id)
    coming.grow(store, "Because")
    assert keeping.keep_answer(store, chat, question, 0, Answer("Because."), begun=coming.turn_id) is None
    late = Begun(chat, question, 0)
    late.grow(store, "Because")
    assert late.turn_id is None


def test_in_a_terminal_what_broke_off_is_kept_and_said(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(begun, "EVERY_SECONDS", 0.0)
    kept_meanwhile: list[str] = []

    def run(_reply: Reply, _engine: Any, _project: Any, _prompt: Any, on_news: Any, used: Store) -> Answer:
        on_news(Coming("writing", 1.0, "Because"))
        kept_meanwhile.extend(turn.content for turn in chats.turns(used, chat.chat_id or 0) if turn.role == "assistant")
        raise EngineError("The llama.cpp process was killed by SIGKILL.")

    monkeypatch.setattr(Reply, "run", run)
    chat, written = Conversation(["smollm2"]), list[str]()
    terminal = TerminalChat(project, store, Engine(project.folder / "log"), chat, written.append, lambda _: None)
    assert terminal.take("why")
    assert kept_meanwhile == ["Because"]
    assert "killed by SIGKILL" in written[-1]
    [exchange] = keeping.open_chat(project, store, chat.chat_id or 0).exchanges
    assert exchange.answers[0] is not None
    assert (exchange.answers[0].text, exchange.answers[0].stats["reason"]) == ("Because", "broken")
