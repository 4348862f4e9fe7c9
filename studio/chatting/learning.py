"""An answer that a person put right: an example to learn, and a pair in which the correction is the better one."""

import random
from typing import NamedTuple

from store import examples, journal, pairs, responses
from store.database import Store
from store.examples import Split, completion_of
from store.pairs import Verdict
from studio.chatting.conversation import Answer, Conversation, Question
from studio.chatting.preferences import keep_response
from studio.errors import StudioError
from studio.project import Project


class Learnt(NamedTuple):
    """What a correction became."""

    example_id: int
    pair_id: int
    split: Split
    """A prompt that is held out stays so: the example is then measured by, not learnt."""


def learn(project: Project, store: Store, chat: Conversation, question: Question, answer: Answer, text: str) -> Learnt:
    """Keep a corrected answer as an example, and as better than the model's own; all of it or nothing.

    Raises:
        StudioError: the text is empty, or is the model's own.
    """
    if not text.strip() or text == answer.text:
        what = "is empty" if not text.strip() else "says what the model said"
        raise StudioError(f"The corrected answer {what}, so nothing was saved.", "Write what it should have said.")
    corrected = [{"role": "assistant", "content": text}]
    with store.transaction():
        original = keep_response(project, store, chat, question, answer)
        example_id = original.example_id
        edited = responses.add(
            store,
            example_id,
            corrected,
            origin="human",
            author=project.rater,
            parameters={"chat": chat.chat_id, "turn": answer.id},
            parent_id=original.id,
        )
        _teach(store, question, example_id, corrected)
        number = pairs.add_pair(store, example_id, original.id, edited, seed=random.SystemRandom().getrandbits(31))
        pair = pairs.get(store, number)
        better: Verdict = "left" if pair.left_id == edited else "right"
        journal.judge(store, pair, better, rater=project.rater, purpose="edited")
    return Learnt(example_id, pair.id, examples.get(store, example_id).split)


def _teach(store: Store, question: Question, example_id: int, corrected: list[examples.Message]) -> None:
    """Let the example end with the correction, unless it came with an answer of its own, which stays."""
    example = examples.get(store, example_id)
    if completion_of(example.messages) and question.notes.get("example") != example_id:
        return
    examples.revise(store, example_id, [*examples.prompt_of(example.messages), *corrected])
    examples.set_status(store, example_id, "approved")
