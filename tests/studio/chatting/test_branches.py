"""Chats as trees: asking, answering again, editing, walking, and opening them as they were left."""

import gzip
from pathlib import Path

import pytest

from store import chats
from store.database import Store
from store.errors import MissingRowError, StoreError
from studio.chatting import keeping
from studio.chatting.conversation import Answer, Conversation, Question
from studio.chatting.settings import ChatSettings
from studio.errors import StudioError
from studio.inference.engine import Sampling
from studio.project import Project

MODELS = ["smollm2", "dpo-1"]


def asked(store: Store, chat: Conversation, text: str, *answers: str) -> Question:
    """Ask, and let each model answer."""
    question = keeping.ask(store, chat, text)
    for side, answer in enumerate(answers):
        keeping.keep_answer(store, chat, question, side, Answer(answer))
    return question


def branch(chat: Conversation) -> list[tuple[str | None, ...]]:
    """Return what is in sight: each question with its answers."""
    return [(e.question, *(answer.text if answer else None for answer in e.answers)) for e in chat.exchanges]


def said(chat: Conversation, side: int) -> list[str]:
    return [str(message["content"]) for message in chat.messages(side)]


def reopened(project: Project, store: Store, chat: Conversation) -> Conversation:
    assert chat.chat_id is not None
    return keeping.open_chat(project, store, chat.chat_id)


def test_each_side_follows_its_own_answers_and_none_of_its_failures(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    asked(store, chat, "one", "a1", "b1")
    asked(store, chat, "two", "a2")
    asked(store, chat, "three")
    assert said(chat, 0) == ["one", "a1", "two", "a2", "three"]
    assert said(chat, 1) == ["one", "b1", "three"]
    assert branch(chat) == [("one", "a1", "b1"), ("two", "a2", None), ("three", None, None)]


def test_a_question_that_could_not_be_written_was_not_asked(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    store.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError):
        keeping.ask(store, chat, "one")
    assert (chat.chat_id, chat.title, chat.exchanges) == (None, "", [])
    store.connection.execute("PRAGMA query_only=OFF")
    one = asked(store, chat, "one", "a1")
    store.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError):
        keeping.ask(store, chat, "two")
    assert chat.last is one
    store.connection.execute("PRAGMA query_only=OFF")
    assert branch(reopened(project, store, chat)) == branch(chat) == [("one", "a1", None)]


def test_an_answer_to_a_chat_that_another_program_deleted_is_dropped(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    question = keeping.ask(store, chat, "one")
    with project.open_store() as other:
        chats.delete(other, chat.chat_id or 0)
        theirs = keeping.new_chat(project, MODELS)
        asked(other, theirs, "their own", "a1")
    assert keeping.keep_answer(store, chat, question, 0, Answer("lost")) is None
    with pytest.raises(StoreError, match="deleted meanwhile"):
        keeping.ask(store, chat, "and?")
    assert branch(reopened(project, store, theirs)) == [("their own", "a1", None)]


def test_a_question_is_on_the_disk_before_it_is_answered(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    keeping.ask(store, chat, "Where is\n my order? ")
    with project.open_store() as other:
        found = keeping.open_chat(project, other, chat.chat_id or 0)
    assert branch(found) == [("Where is\n my order? ", None, None)]
    assert found.title == "Where is my order?"


def test_an_edited_question_is_a_branch_beside_the_first(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    asked(store, chat, "one", "a1", "b1")
    two = asked(store, chat, "two", "a2", "b2")
    asked(store, chat, "three", "a3", "b3")
    edited = keeping.ask_instead(store, chat, two, "zwei")
    assert branch(chat) == [("one", "a1", "b1"), ("zwei", None, None)]
    assert chat.place_of_question(edited) == (2, 2)
    assert not keeping.step_question(store, chat, edited, 1)
    assert keeping.step_question(store, chat, edited, -1)
    assert [question for question, *_ in branch(chat)] == ["one", "two", "three"]
    assert branch(reopened(project, store, chat)) == branch(chat)
    first = keeping.ask_instead(store, chat, chat.exchanges[0].asked, "eins")
    assert (first.parent_id, branch(chat)) == (None, [("eins", None, None)])


def test_another_answer_moves_the_seed_and_stands_beside_the_first(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS, ChatSettings(Sampling(seed=2**32 - 1)))
    one = asked(store, chat, "one", "a1", "b1")
    asked(store, chat, "two", "a2", "b2")
    assert [chat.prompt(side).sampling.seed for side in (0, 1)] == [0, 0]
    keeping.go_to(store, chat, one)
    assert branch(chat) == [("one", "a1", "b1")]
    assert chat.prompt(0).messages == [{"role": "user", "content": "one"}]
    again = keeping.keep_answer(store, chat, one, 0, Answer("A1"))
    assert again is not None
    assert (branch(chat), chat.place_of_answer(one, again)) == ([("one", "A1", "b1")], (2, 2))
    asked(store, chat, "zwei", "A2")
    assert said(chat, 0) == ["one", "A1", "zwei"]


def test_walking_between_answers_shows_what_was_asked_after_each(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    one = asked(store, chat, "one", "a1", "b1")
    asked(store, chat, "two", "a2", "b2")
    keeping.go_to(store, chat, one)
    keeping.keep_answer(store, chat, one, 0, Answer("A1"))
    assert keeping.step_answer(store, chat, one, 0, -1)
    assert branch(chat) == [("one", "a1", "b1"), ("two", "a2", "b2")]
    assert keeping.step_answer(store, chat, one, 0, 1)
    assert branch(chat) == [("one", "A1", "b1")]
    assert branch(reopened(project, store, chat)) == branch(chat)
    assert not keeping.step_answer(store, chat, one, 0, 1)
    keeping.step_answer(store, chat, one, 0, -1)
    assert [question for question, *_ in branch(reopened(project, store, chat))] == ["one", "two"]


def test_an_older_answer_that_was_chosen_last_is_in_sight_again(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, ["smollm2"])
    one = asked(store, chat, "one", "a1")
    keeping.keep_answer(store, chat, one, 0, Answer("A1"))
    assert branch(chat) == [("one", "A1")]
    keeping.step_answer(store, chat, one, 0, -1)
    assert branch(reopened(project, store, chat)) == [("one", "a1")]
    assert chat.comparable() is False


def test_all_models_can_go_on_from_one_answer(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    one = asked(store, chat, "one", "a1", "b1")
    asked(store, chat, "two", "a2", "b2")
    assert not chat.comparable()
    keeping.continue_with(store, chat, one, 1)
    asked(store, chat, "zwei", "A2", "B2")
    assert said(chat, 0) == said(chat, 1) == ["one", "b1", "zwei"]
    assert chat.comparable()
    taken = reopened(project, store, chat).exchanges[0].answers[0]
    assert taken is not None
    assert chat.author_of(taken) == "dpo-1"


def test_a_question_that_failed_is_taken_back_as_if_it_had_not_been_asked(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    one = asked(store, chat, "one", "a1", "b1")
    keeping.keep_answer(store, chat, one, 0, Answer("A1"))
    keeping.step_answer(store, chat, one, 0, -1)
    two = keeping.ask(store, chat, "two")
    assert chat.place_of_question(two) == (1, 1)
    assert keeping.withdraw(store, chat, two)
    assert branch(chat) == branch(reopened(project, store, chat)) == [("one", "a1", "b1")]
    assert not keeping.withdraw(store, chat, one)
    assert keeping.keep_answer(store, chat, two, 0, Answer("late")) is None
    assert chat.place_of_question(keeping.ask_instead(store, chat, one, "eins")) == (2, 2)


def test_a_chat_whose_only_question_failed_is_none(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    failed = keeping.ask(store, chat, "one")
    keeping.withdraw(store, chat, failed)
    assert keeping.keep_answer(store, chat, failed, 0, Answer("late")) is None
    assert (chats.all_chats(store), chat.chat_id, chat.exchanges) == ([], None, [])
    one = asked(store, chat, "two", "a2", "b2")
    assert keeping.keep_answer(store, chat, failed, 0, Answer("late")) is None
    keeping.withdraw(store, chat, keeping.ask_instead(store, chat, one, "zwei"))
    assert branch(chat) == branch(reopened(project, store, chat)) == [("two", "a2", "b2")]


def test_an_answer_to_a_chat_that_is_gone_is_dropped(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS)
    question = keeping.ask(store, chat, "one")
    chats.delete(store, chat.chat_id or 0)
    assert keeping.keep_answer(store, chat, question, 0, Answer("late")) is None
    with pytest.raises(MissingRowError):
        reopened(project, store, chat)


def test_a_chat_opens_with_its_settings_opening_and_what_was_noted(project: Project, store: Store) -> None:
    settings = ChatSettings(Sampling(temperature=0.1, seed=9), context=512, examples=2)
    chat = keeping.new_chat(project, MODELS)
    chat.set_system("Be brief.")
    chat.opening += [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    question = asked(store, chat, "one", "a1")
    keeping.change_settings(store, chat, settings)
    keeping.note(store, question, sent=[{"role": "user", "content": "Passage. one"}])
    keeping.rename(store, chat, "  Two\nwords ")
    found = reopened(project, store, chat)
    assert (found.settings, found.title, found.models) == (settings, "Two words", MODELS)
    assert said(found, 0) == ["Be brief.", "Hi", "Ho", "Passage. one"]
    assert [m["content"] for m in found.messages(0, plain=True)][-1] == "one"


def test_a_chat_of_an_earlier_version_opens(project: Project) -> None:
    fixture = Path(__file__).parents[2] / "store" / "fixtures" / "schema-5.db.gz"
    project.database.write_bytes(gzip.decompress(fixture.read_bytes()))
    with project.open_store() as old:
        both, _ = (keeping.open_chat(project, old, chat.id) for chat in chats.all_chats(old))
        assert (both.models, both.system, both.settings) == (["smollm2", "dpo-2"], "Be kind.", ChatSettings())
        answered = [text for question in ("One?", "Two? \U0001f98a") for text in said_of(question)]
        assert said(both, 1) == ["Be kind.", *answered, "Three, unanswered?"]
        keeping.keep_answer(old, both, both.exchanges[-1].asked, 0, Answer("now"))
        assert branch(both)[-1] == ("Three, unanswered?", "now", None)


def said_of(question: str) -> list[str]:
    """Return a question of the fixture with what its second model said."""
    return [question, f"{question} by dpo-2"]


@pytest.mark.parametrize("models", [[], ["a"] * 5])
def test_a_chat_has_one_to_four_models(project: Project, models: list[str]) -> None:
    with pytest.raises(StudioError, match="one to 4"):
        keeping.new_chat(project, models)
