"""Chats: what is kept of them is what was really said."""

from store import examples, responses
from store.database import Store
from studio.inference.conversation import Answer, Conversation, from_held_out, keep_preference
from studio.inference.engine import Sampling
from studio.project import Project


def test_answers_to_a_changed_prompt_make_no_pair_of_the_unchanged_one(project: Project, store: Store) -> None:
    question = {"role": "user", "content": "Where is my order?"}
    example = examples.add(store, record_id=None, messages=[question], split="test")
    chat = from_held_out(store, Conversation(["smollm2", "dpo-1"]), example)
    assert chat is not None
    for side, text in enumerate("ab"):
        chat.answer(side, Answer(text))
    keep_preference(project, store, chat, "left", Sampling())
    assert len(responses.of_example(store, example)) == 2
    chat.set_system("Answer in rhyme.")
    keep_preference(project, store, chat, "left", Sampling())
    assert len(responses.of_example(store, example)) == 2
    made = examples.get(store, example + 1)
    assert (made.messages, made.split) == ([{"role": "system", "content": "Answer in rhyme."}, question], "test")
