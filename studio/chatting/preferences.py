"""Which answer is better: a chat's answers as responses to one prompt, and a verdict on them as pairs."""

import random
from itertools import combinations
from typing import Literal, NamedTuple

from store import examples, journal, pairs, responses, splits, tags
from store.database import Store
from store.errors import MissingRowError
from store.examples import Message, Split, prompt_group, prompt_of
from store.pairs import Pair, Verdict
from studio.chatting import blind
from studio.chatting.conversation import Answer, Conversation, Question
from studio.chatting.keeping import note
from studio.chatting.origin import origin_of, parameters_of
from studio.errors import StudioError
from studio.project import Project
from studio.splits import split_of

TAG = "chat"

Outcome = int | Literal["tie", "both_bad", "skip"]
"""The place of the best answer as they are shown, counted from 0; or none is better, or all are bad, or who knows."""


_UNSAID: Verdict = "skip"


class Judged(NamedTuple):
    """What a verdict wrote."""

    pairs: tuple[int, ...]
    """The pair that was judged; with three or four answers the one that stands for the look, then the others."""
    blind: bool


def judge(
    project: Project,
    store: Store,
    chat: Conversation,
    question: Question,
    outcome: Outcome,
    *,
    shown_at: str | None = None,
) -> Judged:
    """Write a verdict on the answers in sight; of the best of several, as that one better than each other.

    Args:
        project: its rater signs.
        store: all is on the disk when this returns.
        chat: whose answers.
        question: the one that they answer.
        outcome: what was said. Without a winner it is said of every two.
        shown_at: when the answers were complete on the screen; kept where they were blind.

    Raises:
        StudioError: there are no two answers to the very same conversation, or they say the same.
    """
    answers = _shown(chat, question)
    hidden = blind.is_hidden(question)
    chance = random.SystemRandom()
    compared = _different(answers, _compared(len(answers), outcome, chance))
    with store.transaction():
        kept = _responses(project, store, chat, question, answers)
        told = [(_pair(store, kept, left, right, chance), _verdict(outcome, left)) for left, right in compared]
        judged = [pair.id for pair, _ in told]
        # What an earlier verdict said of others does not hold any more.
        left_over = [pairs.get(store, number) for number in question.notes.get("pairs", ()) if number not in judged]
        head: int | None = None
        for pair, verdict in [*told, *((pair, _UNSAID) for pair in left_over)]:
            line = journal.judge(
                store,
                pair,
                verdict,
                rater=project.rater,
                purpose=journal.purpose_of(store, pair.id, project.rater),
                # One look gave all: one line stands for it, and one undo takes back what follows from it.
                shown_at=shown_at if hidden and head is None else None,
                implied_by=head,
            )
            head = line if head is None else head
        said = outcome if isinstance(outcome, str) else blind.order(chat, question)[outcome]
        note(store, question, verdict=said, pairs=judged)
        blind.reveal(store, chat, question)
    return Judged(tuple(judged), hidden)


def queue_pairs(project: Project, store: Store, chat: Conversation, question: Question) -> tuple[int, ...]:
    """Put the answers in sight into Compare, every two of them, to be judged there; return the pairs.

    Of a single model they are all that it answered to the question.

    Raises:
        StudioError: there are no two answers to the very same conversation, or they say the same.
    """
    answers = _shown(chat, question) if len(chat.models) > 1 else question.answers_of(0)
    if len(answers) < 2:
        raise StudioError("There is one answer only.", "Have the question answered again, or chat with two models.")
    chance = random.SystemRandom()
    two = _different(answers, list(combinations(range(len(answers)), 2)))
    with store.transaction():
        kept = _responses(project, store, chat, question, answers)
        return tuple(
            pairs.add_pair(store, kept[i].example_id, kept[i].id, kept[j].id, seed=chance.getrandbits(31))
            for i, j in two
        )


class KeptResponse(NamedTuple):
    """An answer among the responses to its prompt."""

    id: int
    example_id: int


def keep_response(
    project: Project, store: Store, chat: Conversation, question: Question, answer: Answer
) -> KeptResponse:
    """Keep an answer as a response to its prompt, once; the prompt becomes an example where it is none."""
    return _responses(project, store, chat, question, [answer])[0]


def _shown(chat: Conversation, question: Question) -> list[Answer]:
    """Return the answers in sight as they stand on the screen, where they can be compared."""
    if not chat.comparable(question.id):
        raise StudioError(
            "There are no two answers to the very same conversation.",
            "Ask all models first; after different answers, let all go on with one of them.",
        )
    answers = chat.in_sight(question)
    return [answer for side in blind.order(chat, question) if (answer := answers[side])]


def _compared(count: int, outcome: Outcome, chance: random.Random) -> list[tuple[int, int]]:
    """Return the two places of each pair, as they stood; the first is the one that stands for the look."""
    if not isinstance(outcome, int):
        two = list(combinations(range(count), 2))
    else:
        two = [(min(outcome, other), max(outcome, other)) for other in range(count) if other != outcome]
    # By chance: the neighbour would stand on the right more often than on the left.
    chance.shuffle(two)
    return two


def _different(answers: list[Answer], two: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return those of some pairs of places whose answers differ: nothing is better than itself."""
    found = [(one, other) for one, other in two if answers[one].text != answers[other].text]
    if not found:
        raise StudioError("These answers say the same, word for word.", "Ask for another one, or go on.")
    return found


def _verdict(outcome: Outcome, left: int) -> Verdict:
    if isinstance(outcome, int):
        return "left" if outcome == left else "right"
    return outcome


def _pair(store: Store, kept: list[KeptResponse], left: int, right: int, chance: random.Random) -> Pair:
    one, other = kept[left], kept[right]
    number = pairs.add_pair(store, one.example_id, one.id, other.id, seed=2 * chance.getrandbits(30))
    pair = pairs.get(store, number)
    # It may be there from before, with the sides the other way round.
    return pair._replace(seed=2 * (pair.seed // 2) + (pair.first_id != one.id))


def _responses(
    project: Project, store: Store, chat: Conversation, question: Question, answers: list[Answer]
) -> list[KeptResponse]:
    with store.transaction():
        example_id = _example(project, store, chat, question, answers[0].side)
        known = {(r.parameters.get("turn"), r.messages[-1].get("content")): r.id for r in _of(store, example_id)}
        kept = []
        for answer in answers:
            response_id = known.get((answer.id, answer.text)) or responses.add(
                store,
                example_id,
                [{"role": "assistant", "content": answer.text}],
                origin=origin_of(store, chat.author_of(answer)),
                author=chat.author_of(answer),
                parameters=parameters_of(chat, answer),
            )
            kept.append(KeptResponse(response_id, example_id))
    return kept


def _example(project: Project, store: Store, chat: Conversation, question: Question, side: int) -> int:
    """Return the example with exactly this prompt that the question came from or became, or make it."""
    prompt = chat.messages(side, question.id)
    known = [question.notes.get("example"), chat.example_id if question.parent_id is None else None]
    for example_id in known:
        if example_id is not None and _asks(store, example_id, prompt):
            return int(example_id)
    # What was looked up for a question changes nothing about which split it belongs to.
    group = prompt_group(chat.messages(side, question.id, plain=True))
    split = splits.of_group(store, group) or _split_of_first(project, store, chat, question, side)
    made = examples.add(store, record_id=None, messages=prompt, split=split, group=group)
    tags.change(store, "example", [made], add=[TAG])
    note(store, question, example=made)
    return made


def _split_of_first(project: Project, store: Store, chat: Conversation, question: Question, side: int) -> Split:
    """Return the split of the first question of a branch, which all later ones have in their prompts."""
    first = chat.path(question.id)[0].asked
    group = prompt_group(chat.messages(side, first.id, plain=True))
    return splits.of_group(store, group) or split_of(group, project.settings.splits)


def _of(store: Store, example_id: int) -> list[responses.Response]:
    return [each for each in responses.of_example(store, example_id) if each.messages]


def _asks(store: Store, example_id: int, prompt: list[Message]) -> bool:
    try:
        return prompt_of(examples.get(store, example_id).messages) == prompt
    except MissingRowError:
        return False
