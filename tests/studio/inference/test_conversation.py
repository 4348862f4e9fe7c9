"""Chats: what is kept of them is what was really said."""

import pytest

from store import examples, responses, runs
from store.database import Store
from studio.errors import StudioError
from studio.inference.chat import check_can_chat
from studio.inference.conversation import Answer, Conversation, from_held_out, keep_preference
from studio.inference.engine import Sampling
from studio.project import Project
from tests.studio.training.ended_runs import made


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


@pytest.mark.parametrize(
    ("status", "what_to_do"), [("queued", "Wait"), ("stopped", "resume"), ("done", "transformers")]
)
def test_a_run_without_anything_to_chat_with_says_what_to_do(
    project: Project, store: Store, status: runs.RunStatus, what_to_do: str
) -> None:
    run = made(project, store)
    check_can_chat(project, run)
    (project.runs / run.id / "adapter.gguf").unlink()
    runs.update(store, run.id, status=status)
    with pytest.raises(StudioError) as refused:
        check_can_chat(project, runs.get(store, run.id))
    assert what_to_do in (refused.value.hint or "")
