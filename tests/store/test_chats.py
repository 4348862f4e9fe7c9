"""Chats as they are stored: branches, what is noted of turns, and finding what was said."""

import pytest

from store import chats
from store.chats import ChatTurn, Hit
from store.database import Store
from store.errors import MissingRowError


def test_questions_and_answers_keep_their_places(store: Store) -> None:
    chat = chats.start(store, "Fox", models=["smollm2", "dpo-1"], settings={"blind": True})
    chats.add_turn(store, chat, "system", "Be brief.", opening=True)
    asked = chats.add_turn(store, chat, "user", "Hello?", stats={"blind": 7})
    answers = [
        chats.add_turn(store, chat, "assistant", text, model=model, parent_id=asked, side=side, trace=b"\0x")
        for side, (model, text) in enumerate([("smollm2", "Hi"), ("dpo-1", "Ho")])
    ]
    then = chats.add_turn(store, chat, "user", "And?", parent_id=asked, follows=answers)
    assert chats.turns(store, chat) == [
        ChatTurn(1, "system", "Be brief.", opening=True),
        ChatTurn(asked, "user", "Hello?", stats={"blind": 7}),
        ChatTurn(answers[0], "assistant", "Hi", "smollm2", parent_id=asked, side=0),
        ChatTurn(answers[1], "assistant", "Ho", "dpo-1", parent_id=asked, side=1),
        ChatTurn(then, "user", "And?", parent_id=asked, follows=tuple(answers)),
    ]
    assert chats.trace(store, answers[0]) == b"\0x"
    assert chats.trace(store, then) is None
    kept = chats.get(store, chat)
    assert (kept.models, kept.settings, kept.questions) == (("smollm2", "dpo-1"), {"blind": True}, 2)


def test_the_chat_in_which_something_was_said_last_stands_first(store: Store) -> None:
    first, second = chats.start(store, "one"), chats.start(store, "two")
    chats.add_turn(store, second, "user", "a")
    chats.add_turn(store, first, "user", "b")
    empty = chats.start(store, "three")
    assert [chat.id for chat in chats.all_chats(store)] == [empty, first, second]
    assert [chat.id for chat in chats.all_chats(store, limit=1)] == [empty]


def test_a_chat_is_renamed_and_taken_away_whole(store: Store) -> None:
    chat, other = chats.start(store, "old"), chats.start(store, "stays")
    asked = chats.add_turn(store, chat, "user", "a")
    answer = chats.add_turn(store, chat, "assistant", "b", parent_id=asked, side=0)
    chats.add_turn(store, chat, "user", "c", parent_id=asked, follows=[answer])
    chats.rename(store, chat, "new")
    assert chats.get(store, chat).title == "new"
    chats.delete(store, chat)
    assert chats.turns(store, chat) == []
    assert chats.get(store, other).title == "stays"
    with pytest.raises(MissingRowError, match="no chat"):
        chats.get(store, chat)


def test_no_number_of_what_was_deleted_is_given_again(store: Store) -> None:
    first = chats.start(store, "old")
    asked = chats.add_turn(store, first, "user", "a")
    chats.delete(store, first)
    second = chats.start(store, "new")
    again = chats.add_turn(store, second, "user", "b")
    assert (second > first, again > asked) == (True, True)
    assert chats.remove_unanswered(store, again)
    assert chats.add_turn(store, second, "user", "c") > again
    with pytest.raises(MissingRowError, match="deleted meanwhile"):
        chats.add_turn(store, first, "user", "d")
    with pytest.raises(MissingRowError, match="deleted meanwhile"):
        chats.add_turn(store, second, "assistant", "d", parent_id=again)


def test_only_a_question_that_nothing_came_of_can_be_taken_back(store: Store) -> None:
    chat = chats.start(store)
    asked = chats.add_turn(store, chat, "user", "a")
    chats.add_turn(store, chat, "assistant", "b", parent_id=asked, side=0)
    unanswered = chats.add_turn(store, chat, "user", "c", parent_id=asked)
    assert not chats.remove_unanswered(store, asked)
    assert chats.remove_unanswered(store, unanswered)
    assert [turn.content for turn in chats.turns(store, chat)] == ["a", "b"]


def test_words_are_found_in_any_order_and_case(store: Store) -> None:
    chat = chats.start(store, "The red fox")
    question = chats.add_turn(store, chat, "user", "Is 100% of ÄRGER fox_like?")
    chats.add_turn(store, chat, "assistant", "A fox is red.", model="dpo-1", parent_id=question, side=0)
    other = chats.start(store, "Else")
    chats.add_turn(store, other, "user", "red only")

    def found(*words: str) -> list[tuple[int, int | None]]:
        return [(hit.chat_id, hit.turn_id) for hit in chats.search(store, words)]

    assert found("FOX", "red") == [(chat, None), (chat, 2)]
    assert found("ärger") == [(chat, question)]
    assert found("100%", "x_l") == [(chat, question)]
    assert found("x%") == []
    assert found() == []
    assert chats.search(store, ["a fox is"])[0] == Hit(chat, 2, "assistant", "dpo-1", "A fox is red.")
