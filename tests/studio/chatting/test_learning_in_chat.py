"""An answer that is put right becomes an example and a pair; held-out prompts stay held out."""

import pytest

from store import examples, journal, pairs, responses, tags
from store.database import Store
from studio.chatting import keeping
from studio.chatting.conversation import Answer, Conversation, Question
from studio.chatting.held_out import from_held_out
from studio.chatting.learning import learn
from studio.errors import StudioError
from studio.project import Project
from studio.snapshots import Wanted, select


def answered(store: Store, chat: Conversation, text: str) -> tuple[Question, Answer]:
    question = keeping.ask(store, chat, text)
    answer = keeping.keep_answer(store, chat, question, 0, Answer("I refuse.", {"seed": 3}))
    assert answer is not None
    return question, answer


def test_a_corrected_answer_is_learnt_from(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, ["smollm2"])
    chat.set_system("Be kind.")
    question, answer = answered(store, chat, "Where is my order?")
    learnt = learn(project, store, chat, question, answer, "It left today.")
    example = examples.get(store, learnt.example_id)
    assert [m["content"] for m in example.messages] == ["Be kind.", "Where is my order?", "It left today."]
    assert (example.status, example.split) == ("approved", learnt.split)
    assert tags.of_many(store, "example", [example.id]) == {example.id: ["chat"]}
    entry = journal.current_verdict(store, learnt.pair_id)
    assert entry is not None
    assert entry.chosen_and_rejected is not None
    edited, original = (responses.get(store, each) for each in entry.chosen_and_rejected)
    assert (edited.messages[0]["content"], original.messages[0]["content"]) == ("It left today.", "I refuse.")
    assert (edited.origin, edited.parent_id, edited.parameters["turn"]) == ("human", original.id, answer.id)
    assert (entry.purpose, entry.shown_at) == ("edited", None)
    for kind in ("sft", "preference"):
        rows = [row for block in select(store, Wanted(kind)) for row in block.rows]
        assert len(rows) == 1, kind


def test_a_second_correction_is_another_revision_and_both_are_better(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, ["smollm2"])
    question, answer = answered(store, chat, "Where?")
    first = learn(project, store, chat, question, answer, "Here.")
    second = learn(project, store, chat, question, answer, "There.")
    assert (first.example_id, first.pair_id != second.pair_id) == (second.example_id, True)
    assert examples.get(store, first.example_id).messages[-1]["content"] == "There."
    assert pairs.counts(store)["pairs"] == 2


def test_a_held_out_example_keeps_its_own_answer(project: Project, store: Store) -> None:
    prompt = [{"role": "user", "content": "Where?"}]
    own = [*prompt, {"role": "assistant", "content": "As the data says."}]
    held_out = examples.add(store, record_id=None, messages=own, split="test")
    found = from_held_out(store, keeping.new_chat(project, ["smollm2"]), held_out)
    assert found is not None
    chat, text = found
    question, answer = answered(store, chat, text)
    learnt = learn(project, store, chat, question, answer, "Here.")
    assert (learnt.example_id, learnt.split) == (held_out, "test")
    assert examples.get(store, held_out).messages == own
    chat.set_system("Rhyme.")
    question, answer = answered(store, keeping.blank_copy(chat), text)


def test_passages_are_learnt_as_they_were_sent_and_do_not_move_the_split(project: Project, store: Store) -> None:
    prompt = [{"role": "user", "content": "Where?"}]
    examples.add(store, record_id=None, messages=prompt, split="test")
    chat = keeping.new_chat(project, ["smollm2"])
    question = keeping.ask(store, chat, "Where?")
    keeping.note(store, question, sent=[{"role": "user", "content": "[1] Maps. Where?"}])
    answer = keeping.keep_answer(store, chat, question, 0, Answer("No."))
    assert answer is not None
    learnt = learn(project, store, chat, question, answer, "There.")
    assert learnt.split == "test"
    assert examples.get(store, learnt.example_id).messages[0]["content"] == "[1] Maps. Where?"


@pytest.mark.parametrize(("text", "why"), [("I refuse.", "what the model said"), (" \n", "empty")])
def test_nothing_is_saved_where_nothing_was_put_right(project: Project, store: Store, text: str, why: str) -> None:
    chat = keeping.new_chat(project, ["smollm2"])
    question, answer = answered(store, chat, "Where?")
    with pytest.raises(StudioError, match=why):
        learn(project, store, chat, question, answer, text)
    assert examples.count(store) == 0
