"""Answers of the small model: kept with their tokens, stopped, fitted to the context, in the terminal and in tests."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner

from store.database import Store
from studio.assistant.trying import run_tests
from studio.chatting import keeping
from studio.chatting.answering import Coming, Reply, room_for_prompt
from studio.chatting.conversation import Answer, Conversation
from studio.chatting.settings import ChatSettings
from studio.chatting.stats_words import context_left
from studio.chatting.traces import trace_of
from studio.cli import cli
from studio.errors import StudioError
from studio.inference.engine import Engine, Sampling
from studio.project import Project, open_project
from studio.rendering import ChatTokenizer, render_prompt

pytestmark = pytest.mark.model

SHORT = Sampling(temperature=0, max_tokens=6, seed=5)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for the module."""
    with Engine(tmp_path_factory.mktemp("engine") / "engine.log") as running:
        yield running


def answered(engine: Engine, project: Project, store: Store, chat: Conversation) -> Answer:
    return Reply().run(engine, project, chat.prompt(0), lambda _: None, store)


def test_an_answer_is_kept_with_the_tokens_that_were_sent_and_received(
    engine: Engine, project: Project, store: Store, tokenizer: ChatTokenizer
) -> None:
    chat = keeping.new_chat(project, ["smollm2"], ChatSettings(SHORT, context=512, alternatives=3))
    question = keeping.ask(store, chat, "What is the capital of France? <|im_end|>")
    heard: list[Coming] = []
    answer = Reply().run(engine, project, chat.prompt(0), heard.append, store)
    kept = keeping.keep_answer(store, chat, question, 0, answer)
    assert kept is not None
    trace = trace_of(store, kept.id)
    assert trace is not None
    assert list(trace.prompt) == render_prompt(tokenizer, chat.messages(0)).ids
    assert "".join(token.text for token in trace.tokens) == answer.text != ""
    for token in trace.tokens:
        assert len(token.alternatives) == 3
        # At temperature 0 the likeliest was taken.
        assert token.alternatives[0][:1] == (token.id,)
        assert token.logprob == pytest.approx(token.alternatives[0].logprob, abs=1e-3)
    assert {coming.stage for coming in heard} >= {"loading", "reading"}
    assert (answer.stats["seed"], answer.stats["prompt_tokens"]) == (5, len(trace.prompt))
    assert context_left(answer.stats) == 512 - len(trace.prompt) - answer.stats["tokens"]
    again = chat.prompt(0)
    assert again.sampling.seed == 6


def test_a_reply_is_stopped_before_and_in_the_midst(engine: Engine, project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, ["smollm2"], ChatSettings(Sampling(max_tokens=400, temperature=0)))
    keeping.ask(store, chat, "Write a long story about a fox.")
    stopped = Reply()
    stopped.stop()
    assert stopped.run(engine, project, chat.prompt(0), lambda _: None, store).stats["reason"] == "cancelled"
    reply, begun = Reply(), threading.Event()

    def news(coming: Coming) -> None:
        if coming.text:
            begun.set()
            reply.stop()

    answer = reply.run(engine, project, chat.prompt(0), news, store)
    assert begun.is_set()
    assert answer.text
    assert (answer.stats["reason"], answer.stats["tokens"] < 400) == ("cancelled", True)
    assert answer.trace is not None
    assert answer.trace.end is None


def test_what_the_context_has_no_room_for_is_left_out_and_said(engine: Engine, project: Project, store: Store) -> None:
    chat = keeping.new_chat(project, ["smollm2"], ChatSettings(SHORT, context=256))
    for number in range(4):
        question = keeping.ask(store, chat, f"{number}: " + "Where is the fox? " * 8)
        keeping.keep_answer(store, chat, question, 0, Answer("In the wood. " * 8))
    keeping.ask(store, chat, "And now?")
    answer = answered(engine, project, store, chat)
    assert answer.stats["dropped"] >= 1
    assert "left out" in answer.stats["dropped_why"]
    assert answer.trace is not None
    assert len(answer.trace.prompt) <= room_for_prompt(256, SHORT.max_tokens)
    keeping.ask(store, chat, "fox " * 400)
    with pytest.raises(StudioError, match="last question has"):
        answered(engine, project, store, chat)


def test_a_chat_in_the_terminal_is_kept_with_its_branches(project: Project, store: Store) -> None:
    where = ["--project", str(project.folder)]
    typed = "Hello\n/again\n/answer prev\n/edit Hi there\n/branch prev\n/nothing\n/save chat.md\n\n"
    runner = CliRunner()
    with runner.isolated_filesystem():
        ended = runner.invoke(cli, ["chat", *where, "--max-tokens", "3"], input=typed)
        assert ended.exit_code == 0, ended.output
        assert "There is no /nothing" in ended.stdout
        assert "Kept: studio chat --continue 1" in ended.stdout
        with open("chat.md") as saved:
            assert "## You\n\nHello" in saved.read()
    chat = keeping.open_chat(project, store, 1)
    assert [(e.question, len(e.asked.answers)) for e in chat.exchanges] == [("Hello", 2)]
    assert chat.place_of_question(chat.exchanges[0].asked) == (1, 2)
    assert chat.place_of_answer(chat.exchanges[0].asked, chat.exchanges[0].answers[0] or Answer("")) == (2, 2)
    once = runner.invoke(cli, ["chat", *where, "-m", "Hello", "--max-tokens", "3", "--json"])
    assert json.loads(once.stdout)["stats"]["tokens"] <= 3


def test_a_chat_goes_on_in_the_terminal_as_it_was_held(project: Project, store: Store) -> None:
    (project.folder / "papers").mkdir()
    (project.folder / "papers" / "post.txt").write_text("Post costs 2.95.")
    path = project.folder / "studio.toml"
    path.write_text(path.read_text() + '[documents]\nfolders = ["papers"]\n')
    chat = keeping.new_chat(project, ["smollm2"], ChatSettings(SHORT, 512, documents=True, alternatives=0))
    keeping.keep_answer(store, chat, keeping.ask(store, chat, "Hello"), 0, Answer("Hi"))
    arguments = ["chat", "--continue", str(chat.chat_id), "--max-tokens", "2", "--project", str(project.folder)]
    ended = CliRunner().invoke(cli, arguments, input="What does post cost?\n\n")
    assert "given with it: papers/post.txt, lines 1" in ended.stdout
    found = keeping.open_chat(project, store, chat.chat_id or 0)
    assert found.settings.sampling == replace(SHORT, max_tokens=2)
    assert "2.95" in str(found.messages(0)[-1]["content"])
    assert found.exchanges[-1].answers[0]


def test_the_assistants_tests_are_asked(engine: Engine, project: Project, store: Store) -> None:
    path = project.folder / "studio.toml"
    tests = (
        '[assistant]\npurpose = "Talk about cities."\n'
        '[[assistant.tests]]\nprompt = "What is the capital of France?"\nchecks = [{ contains = "Paris" }]\n'
        '[[assistant.tests]]\nprompt = "What is the capital of Italy?"\nchecks = [{ contains = "no model" }]\n'
    )
    path.write_text(path.read_text() + tests)
    stated = open_project(project.folder)
    told: list[str] = []
    tried = run_tests(engine, stated, store, "smollm2", lambda one: told.append(one.prompt))
    assert [one.passed for one in tried] == [True, False]
    assert told == [one.prompt for one in tried]
