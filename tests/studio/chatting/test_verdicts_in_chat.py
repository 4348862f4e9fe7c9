"""Answers of a chat judged: blind or not, of two or of several, and queued for Compare."""

from collections import Counter

import pytest

from store import chats, examples, journal, pairs, responses, runs, tags, tallies
from store.database import Store, now
from store.gathered import gathered
from studio.chatting import blind, keeping, preferences, standing
from studio.chatting.conversation import Answer, Conversation, Question
from studio.chatting.preferences import TAG, Outcome
from studio.chatting.settings import ChatSettings
from studio.errors import StudioError
from studio.labelling import judging
from studio.labelling.shown import Shown
from studio.project import Project
from studio.splits import split_of
from tests.studio.training.ended_runs import made

MODELS = ["smollm2", "dpo-1", "dpo-2", "dpo-3"]


def judged_chat(project: Project, store: Store, count: int, *, blind: bool) -> tuple[Conversation, Question]:
    """Return a chat whose models have answered one question."""
    chat = keeping.new_chat(project, MODELS[:count], ChatSettings(blind=blind))
    question = keeping.ask(store, chat, "Where is my order?")
    for side in range(count):
        keeping.keep_answer(store, chat, question, side, Answer(f"answer {side}", {"seed": 40 + side}))
    return chat, question


def texts(store: Store, pair_id: int) -> tuple[str, str]:
    """Return the better and the worse answer of a pair's verdict."""
    verdict = journal.current_verdict(store, pair_id)
    assert verdict is not None
    assert verdict.chosen_and_rejected is not None
    better, worse = (responses.get(store, each).messages[0]["content"] for each in verdict.chosen_and_rejected)
    return better, worse


def test_two_answers_become_a_pair_that_names_where_it_comes_from(project: Project, store: Store) -> None:
    run = made(project, store)
    chat = keeping.new_chat(project, ["smollm2", run.id])
    question = keeping.ask(store, chat, "Where is my order?")
    for side, text in enumerate(("on its way", "no idea")):
        keeping.keep_answer(store, chat, question, side, Answer(text, {"seed": 7}))
    judged = preferences.judge(project, store, chat, question, 0)
    pair = pairs.get(store, judged.pairs[0])
    assert texts(store, pair.id) == ("on its way", "no idea")
    kept = responses.of_example(store, pair.example_id)
    assert [(each.author, each.origin) for each in kept] == [("smollm2", "model"), (run.id, "run")]
    assert kept[1].parameters | {"seed": 7, "chat": chat.chat_id, "model": run.id} == kept[1].parameters
    turn = chats.turns(store, chat.chat_id or 0)[kept[1].parameters["turn"] - 1]
    assert turn.content == "no idea"
    example = examples.get(store, pair.example_id)
    group = examples.prompt_group(example.messages)
    assert example.split == split_of(group, project.settings.splits)
    assert tags.of_many(store, "example", [example.id]) == {example.id: [TAG]}
    entry = journal.current_verdict(store, pair.id)
    assert entry is not None
    # Not blind: it tells nothing of sides and pace.
    assert (entry.shown_at, entry.purpose, entry.verdict) == (None, "first", "left")


def test_another_verdict_on_the_same_answers_changes_the_pair(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 2, blind=False)
    first = preferences.judge(project, store, chat, question, 0)
    second = preferences.judge(project, store, chat, question, "both_bad")
    assert first.pairs == second.pairs
    entry = journal.current_verdict(store, first.pairs[0])
    assert entry is not None
    assert (entry.verdict, entry.purpose) == ("both_bad", "change")
    assert examples.count(store) == 1


def test_a_blind_verdict_is_written_as_the_answers_stood(project: Project, store: Store) -> None:
    seen = Counter[tuple[int, ...]]()
    for _ in range(12):
        chat, question = judged_chat(project, store, 2, blind=True)
        order = blind.order(chat, question)
        seen[order] += 1
        assert blind.is_hidden(question)
        shown = now()
        judged = preferences.judge(project, store, chat, question, 1, shown_at=shown)
        assert (judged.blind, blind.is_hidden(question)) == (True, False)
        assert texts(store, judged.pairs[0]) == (f"answer {order[1]}", f"answer {order[0]}")
        entry = journal.current_verdict(store, judged.pairs[0])
        assert entry is not None
        assert (entry.verdict, entry.shown_at) == ("right", shown)
        assert question.notes["verdict"] == order[1]
        assert blind.order(keeping.open_chat(project, store, chat.chat_id or 0), question) == order
    assert len(seen) == 2


def test_after_the_names_were_shown_a_verdict_is_not_blind(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 2, blind=True)
    blind.reveal(store, chat, question)
    reopened = keeping.open_chat(project, store, chat.chat_id or 0)
    assert not blind.is_hidden(reopened.questions[question.id])
    judged = preferences.judge(project, store, chat, question, "tie", shown_at=now())
    entry = journal.current_verdict(store, judged.pairs[0])
    assert entry is not None
    assert (judged.blind, entry.shown_at, entry.verdict) == (False, None, "tie")


def test_panes_keep_their_models_until_the_names_are_known(project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, MODELS, ChatSettings(blind=True))
    one = keeping.ask(store, chat, "one")
    two = keeping.ask(store, chat, "two")
    assert blind.order(chat, one) == blind.order(chat, two)
    blind.reveal(store, chat, two)
    three = keeping.ask(store, chat, "three")
    assert three.notes["blind"] != two.notes["blind"]
    keeping.change_settings(store, chat, ChatSettings())
    assert blind.order(chat, keeping.ask(store, chat, "four")) == (0, 1, 2, 3)


@pytest.mark.parametrize("how", ["judged", "revealed"])
def test_names_that_came_out_at_one_question_are_known_at_those_shown_alike(
    project: Project, store: Store, how: str
) -> None:
    chat, first = judged_chat(project, store, 2, blind=True)
    keeping.continue_with(store, chat, first, 0)
    keeping.go_to(store, chat, first, {0: first.answers[0].id, 1: first.answers[1].id})
    keeping.continue_with(store, chat, first, 0)
    second = keeping.ask(store, chat, "And now?")
    for side in range(2):
        keeping.keep_answer(store, chat, second, side, Answer(f"later {side}"))
    assert blind.is_hidden(first)
    if how == "judged":
        preferences.judge(project, store, chat, second, 0, shown_at=now())
    else:
        blind.reveal(store, chat, second)
    reopened = keeping.open_chat(project, store, chat.chat_id or 0)
    assert not blind.is_hidden(first)
    assert not blind.is_hidden(reopened.questions[first.id])


def test_who_is_better_is_told_by_verdicts_without_names_alone(project: Project, store: Store) -> None:
    for is_blind in (True, False, True):
        chat, question = judged_chat(project, store, 2, blind=is_blind)
        best = blind.order(chat, question).index(1)
        preferences.judge(project, store, chat, question, best, shown_at=now())
    with gathered(store) as of:
        (met,) = tallies.meetings(of)
    assert (met.first, met.first_won, met.second_won) == ("dpo-1", 2, 0)
    most = tallies.most_met(store, task="", rater=project.rater)
    assert most is not None
    assert (most.won, most.lost) == (2, 0)


def test_answers_that_say_the_same_are_not_judged(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 3, blind=False)
    keeping.continue_with(store, chat, question, 1)
    with pytest.raises(StudioError, match="say the same"):
        preferences.judge(project, store, chat, question, 0)
    with pytest.raises(StudioError, match="say the same"):
        preferences.queue_pairs(project, store, chat, question)
    assert pairs.counts(store).get("pairs", 0) == 0
    keeping.keep_answer(store, chat, question, 2, Answer("another"))
    keeping.go_to(store, chat, question, {2: question.answers[-1].id})
    assert len(preferences.judge(project, store, chat, question, 1).pairs) == 1


@pytest.mark.parametrize("count", [3, 4])
def test_the_best_of_several_is_better_than_each_other(project: Project, store: Store, count: int) -> None:
    chat, question = judged_chat(project, store, count, blind=True)
    best = blind.order(chat, question)[1]
    judged = preferences.judge(project, store, chat, question, 1, shown_at=now())
    others = {f"answer {side}" for side in range(count) if side != best}
    found = [texts(store, pair) for pair in judged.pairs]
    assert ({better for better, _ in found}, {worse for _, worse in found}) == ({f"answer {best}"}, others)
    assert len(found) == count - 1
    entries = [journal.current_verdict(store, pair) for pair in judged.pairs]
    assert [entry and (entry.purpose, entry.shown_at is None) for entry in entries] == [
        ("first", False),
        *[("first", True)] * (count - 2),
    ]
    # One look, one undo.
    journal.undo(store, rater=project.rater)
    assert [journal.current_verdict(store, pair) for pair in judged.pairs] == [None] * (count - 1)


def test_another_best_takes_back_what_was_said_of_the_others(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 3, blind=False)
    before = preferences.judge(project, store, chat, question, 0)
    after = preferences.judge(project, store, chat, question, 1)
    (left_over,) = set(before.pairs) - set(after.pairs)
    entry = journal.current_verdict(store, left_over)
    assert entry is not None
    assert entry.verdict == "skip"
    assert {texts(store, pair)[0] for pair in after.pairs} == {"answer 1"}
    journal.undo(store, rater=project.rater)
    assert {texts(store, pair)[0] for pair in before.pairs} == {"answer 0"}


def test_a_verdict_in_compare_leaves_the_others_of_a_chat_alone(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 3, blind=False)
    judged = preferences.judge(project, store, chat, question, 0)
    pair = pairs.get(store, judged.pairs[0])
    left, right = (responses.get(store, each) for each in (pair.left_id, pair.right_id))
    shown = Shown(pair, chat.messages(0), left, right, flagged=False)
    judging.judge(store, shown, "both_bad", rater=project.rater, task="all pairs", shown_at=None)
    assert texts(store, judged.pairs[1])[0] == "answer 0"


def test_without_a_best_it_is_said_of_every_two(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 3, blind=False)
    judged = preferences.judge(project, store, chat, question, "both_bad")
    entries = [journal.current_verdict(store, pair) for pair in judged.pairs]
    assert [entry and entry.verdict for entry in entries] == ["both_bad"] * 3


def test_what_follows_a_question_that_is_held_out_is_held_out(project: Project, store: Store) -> None:
    first = [{"role": "user", "content": "Where is my order?"}]
    examples.add(store, record_id=None, messages=first, split="test")
    chat, question = judged_chat(project, store, 1, blind=False)
    for number in range(8):
        then = keeping.ask_instead(store, chat, keeping.ask(store, chat, "?"), f"And number {number}?")
        answer = keeping.keep_answer(store, chat, then, 0, Answer("one"))
        assert answer is not None
        kept = preferences.keep_response(project, store, chat, then, answer)
        assert examples.get(store, kept.example_id).split == "test"
        keeping.go_to(store, chat, question)


def test_answers_to_different_conversations_make_no_pair(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 2, blind=False)
    then = keeping.ask(store, chat, "And?")
    with pytest.raises(StudioError, match="no two answers"):
        preferences.judge(project, store, chat, then, 0)
    for side in range(2):
        keeping.keep_answer(store, chat, then, side, Answer("same"))
    with pytest.raises(StudioError, match="no two answers"):
        preferences.judge(project, store, chat, then, 0)
    assert preferences.judge(project, store, chat, question, 0).pairs


def test_answers_wait_in_compare(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 3, blind=False)
    queued = preferences.queue_pairs(project, store, chat, question)
    assert len(set(queued)) == 3
    assert pairs.counts(store) == {"pairs": 3}
    assert preferences.queue_pairs(project, store, chat, question) == queued


def test_what_one_model_answered_twice_can_be_compared(project: Project, store: Store) -> None:
    chat, question = judged_chat(project, store, 1, blind=True)
    with pytest.raises(StudioError, match="one answer only"):
        preferences.queue_pairs(project, store, chat, question)
    keeping.keep_answer(store, chat, question, 0, Answer("again"))
    (pair,) = preferences.queue_pairs(project, store, chat, question)
    kept = {responses.get(store, each).messages[0]["content"] for each in pairs.get(store, pair)[2:4]}
    assert kept == {"answer 0", "again"}


def test_a_run_that_is_named_with_a_quantisation_is_a_run(project: Project, store: Store) -> None:
    from studio.chatting.origin import origin_of

    run = made(project, store)
    assert runs.get(store, run.id)
    assert [origin_of(store, name) for name in (run.id, f"{run.id}@Q4_K_M", "smollm2")] == ["run", "run", "model"]


@pytest.mark.parametrize("is_blind", [False, True])
@pytest.mark.parametrize(("count", "outcome"), [(2, 0), (2, 1), (2, "tie"), (2, "both_bad"), (4, 2), (3, "both_bad")])
def test_what_stands_is_what_was_said_until_it_is_undone(
    project: Project, store: Store, count: int, outcome: Outcome, is_blind: bool
) -> None:
    chat, question = judged_chat(project, store, count, blind=is_blind)
    preferences.judge(project, store, chat, question, outcome)
    said = question.notes["verdict"]
    assert not standing.look_again(store, chat)
    journal.undo(store, rater=project.rater)
    assert standing.look_again(store, chat)
    assert question.notes["verdict"] is None
    assert not blind.is_hidden(question)
    journal.redo(store, rater=project.rater)
    assert standing.look_again(store, keeping.open_chat(project, store, chat.chat_id or 0))
    [exchange] = keeping.open_chat(project, store, chat.chat_id or 0).exchanges
    assert exchange.asked.notes["verdict"] == said
