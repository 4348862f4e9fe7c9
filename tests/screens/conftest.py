"""A small project with tame and hostile records."""

import pytest
from chatting import Answers
from labelling import UNRULY
from letters import HOSTILE, add_source, new_record, turns

import screens.compare_asked
from store import examples, interface_state, journal, pairs, records, responses
from store.database import Store
from studio.chatting import answering
from studio.project import Project


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a row be laid out at once, so that tests need not wait."""
    monkeypatch.setattr("screens.list_detail.REST", 0)


@pytest.fixture
def filled(project: Project, store: Store) -> Project:
    """A project with twelve letters, an unreadable row, hostile rows, and two judged replies."""
    letters = add_source(store, "letters.jsonl")
    rows = [new_record(n, {"subject": f"Order {n}", "body": f"Where is my book {n}?\nThanks"}) for n in range(1, 13)]
    rows.append(new_record(13, None, raw=b'{"subject": "cut', error="the row ends inside a text"))
    ids = records.add(store, letters, rows)
    for number, record_id in enumerate(ids[:12], start=1):
        examples.add(
            store,
            record_id=record_id,
            messages=turns(f"Where is my book {number}?", f"It is on its way, number {number}."),
            split=("train", "train", "validation", "test")[number % 4],
        )
    prompt = examples.add(store, record_id=ids[0], messages=turns("Can I return it?"), split="train")
    good = responses.add(store, prompt, [{"role": "assistant", "content": "Yes, within 30 days."}], origin="file")
    bad = responses.add(store, prompt, [{"role": "assistant", "content": "No."}], origin="model", author="base")
    pair = pairs.get(store, pairs.add_pair(store, prompt, good, bad, seed=2))
    journal.judge(store, pair, "left", rater="ann")
    hostile = add_source(store, "hostile.jsonl")
    for number, (name, text) in enumerate(HOSTILE.items(), start=1):
        [record_id] = records.add(store, hostile, [new_record(number, {"name": name, "text": text})])
        examples.add(store, record_id=record_id, messages=turns(text, text), split="train")
    return project


@pytest.fixture
def waiting_pairs(project: Project, store: Store) -> Project:
    """A project with four pairs that wait for a verdict, open at Compare."""
    for number in range(4):
        prompt = [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": f"Question {number} {UNRULY}"},
        ]
        example = examples.add(store, record_id=None, messages=prompt, split="train")
        answers = [
            responses.add(
                store,
                example,
                [{"role": "assistant", "content": f"Answer {letter}{number}. {UNRULY} " + "word " * 400}],
                origin="file",
                author=f"author-{letter}",
            )
            for letter in "AB"
        ]
        pairs.add_pair(store, example, *answers, seed=number)
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)
    return project


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pilot presses faster than any hand: let it, once the pair is painted."""
    monkeypatch.setattr(screens.compare_asked, "QUIET_SECONDS", 0.0)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Stand in for the model process."""
    said = Answers()
    monkeypatch.setattr(answering.Reply, "run", said.run)
    return said
