"""Chat: what can be done without a model, what is kept, and with the small model a reply in full and one stopped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from reading import screen_text, until
from stored import current_verdicts
from textual.pilot import Pilot
from textual.widgets import Input

from screens.app import StudioApp
from screens.chat import ChatScreen
from screens.chat_windows import SamplingForm, SystemPrompt, TokensWindow
from screens.choose import ChooseLine
from screens.widgets.safe_text_area import SafeTextArea
from screens.widgets.text_view import TextView
from store import chats, examples, interface_state, pairs, responses, runs, snapshots
from store.database import Store
from store.snapshots import Snapshot
from studio.errors import StudioError
from studio.inference import pending
from studio.inference.conversation import Answer, Conversation, keep_preference, with_sampling
from studio.inference.engine import EngineError, Sampling
from studio.project import Project, open_project
from studio.training.folder import RunFolder

EQUAL = "equal: 40 texts, 812 tokens, none differs from llama.cpp's"
DIFFERENT = "DIFFERENT in 2 of 40 texts; first in example 1 at token 3"


def add_run(project: Project, store: Store, parity: str = EQUAL) -> str:
    """Leave a finished run whose adapter is only a name: nothing here loads it."""
    snapshots.save(store, Snapshot("abc", "preference", []))
    run_id = runs.add(store, method="dpo", base_model="smollm2", base_hash=None, snapshot_id="abc", recipe={})
    folder = RunFolder(project.runs / run_id)
    folder.path.mkdir(parents=True)
    folder.adapter_gguf.touch()
    runs.update(store, run_id, status="done", result={"parity": parity})
    return run_id


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for the model process: what each model says, or the error it ends with; and what it was given."""
    said: dict[str, Any] = {"asked": []}

    def run(
        self: Any, engine: Any, project: Any, model: str, messages: Any, sampling: Any, on_text: Any, store: Any
    ) -> Answer:
        said["asked"].append((model, messages))
        reply = said.get(model, f"I am {model} [/b] \x1b[31m")
        if isinstance(reply, StudioError):
            raise reply
        on_text(reply[:4])
        return Answer(reply, {"tokens": 5, "tokens_per_second": 42.0, "reason": "stop"})

    monkeypatch.setattr(pending.PendingReply, "run", run)
    return said


@asynccontextmanager
async def opened(project: Project, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], ChatScreen]]:
    with project.open_store() as store:
        interface_state.remember(store, "area", "chat")
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        yield pilot, screen


async def say(pilot: Pilot[None], text: str) -> None:
    await pilot.press("i", *text, "enter")
    await pilot.pause()


def pane(screen: ChatScreen, side: str) -> str:
    return screen.query_one(f"#{side}", TextView).plain


async def test_a_run_answers_beside_its_base_and_both_are_kept(
    project: Project, store: Store, answers: dict[str, Any]
) -> None:
    run_id = add_run(project, store)
    async with opened(project, (120, 30)) as (pilot, screen):
        await say(pilot, "hijklmo")
        await until(pilot, lambda: "42.0 tokens/s" in pane(screen, "first") and "42.0" in pane(screen, "second"))
        assert "you: hijklmo" in pane(screen, "first")
        assert "I am smollm2 [/b]" in pane(screen, "first")
        assert f"I am {run_id}" in pane(screen, "second")
        assert "\x1b" not in pane(screen, "second")
        assert "dpo-1: tokens proven equal: 40 texts" in screen_text(pilot.app)
        assert screen.query_one("#first").region.y == screen.query_one("#second").region.y
    chat_id = chats.latest(store)
    assert chat_id is not None
    kept = {(turn.role, turn.model) for turn in chats.turns(store, chat_id)}
    assert kept == {("user", None), ("assistant", "smollm2"), ("assistant", run_id)}


async def test_each_model_remembers_its_own_answers(project: Project, store: Store, answers: dict[str, Any]) -> None:
    run_id = add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, "a")
        await until(pilot, lambda: len(answers["asked"]) == 2 and not screen.busy)
        await pilot.press("b", "enter")
        await until(pilot, lambda: len(answers["asked"]) == 4 and not screen.busy)
    given = dict(answers["asked"][2:])
    assert [m["content"][:9] for m in given["smollm2"]] == ["a", "I am smol", "b"]
    assert [m["content"][:9] for m in given[run_id]] == ["a", "I am dpo-", "b"]


@pytest.mark.parametrize(
    ("parity", "badge"), [(DIFFERENT, "tokens DIFFER in 2 of 40 texts"), ("", "tokens not checked")]
)
async def test_a_proof_that_is_lacking_or_failed_is_said(
    project: Project, store: Store, parity: str, badge: str
) -> None:
    add_run(project, store, parity)
    async with opened(project) as (pilot, _):
        assert badge in screen_text(pilot.app)


async def test_letters_in_the_line_trigger_nothing_and_esc_leaves_it(project: Project) -> None:
    async with opened(project) as (pilot, screen):
        await pilot.press("enter", *"most3q?")
        assert screen.query_one("#composer", Input).value == "most3q?"
        assert pilot.app.screen is screen
        await pilot.press("escape")
        assert screen.focused is screen.query_one("#first")
        await pilot.press("t")
        assert "nothing was sent yet" in screen_text(pilot.app)


async def test_an_engine_that_dies_is_one_sentence_and_the_question_is_kept(
    project: Project, answers: dict[str, Any]
) -> None:
    answers["smollm2"] = EngineError(
        "The llama.cpp process was killed by SIGKILL.", "Its last words are in engine.log."
    )
    async with opened(project, (120, 30)) as (pilot, screen):
        await say(pilot, "hello")
        await until(pilot, lambda: not screen.busy)
        await until(pilot, lambda: "was killed by SIGKILL" in screen_text(pilot.app))
        assert screen.query_one("#composer", Input).value == "hello"
        answers["smollm2"] = "here again"
        await pilot.press("enter")
        await until(pilot, lambda: "here again" in pane(screen, "first"))
    assert [len(messages) for _, messages in answers["asked"]] == [1, 1]


async def test_a_held_out_prompt_is_sent_again_letter_by_letter(
    project: Project, store: Store, answers: dict[str, Any]
) -> None:
    asked = "Dear all,\n\n\twhere is it?\x07\nAda\n"
    examples.add(store, record_id=None, messages=[{"role": "user", "content": asked}], split="test")
    answers["smollm2"] = EngineError("The llama.cpp process was killed by SIGKILL.")
    async with opened(project) as (pilot, screen):
        await pilot.press("o")
        await until(pilot, lambda: not screen.busy and bool(screen.query_one("#composer", Input).value))
        answers["smollm2"] = "here again"
        await pilot.press("i", "enter")
        await until(pilot, lambda: "here again" in pane(screen, "first"))
    assert [messages[-1]["content"] for _, messages in answers["asked"]] == [asked, asked]


async def test_a_system_prompt_that_was_only_looked_at_stays_as_it_was(
    project: Project, store: Store, answers: dict[str, Any]
) -> None:
    rules = "Be kind.\r\n\nSay when. \n"
    prompt = [{"role": "system", "content": rules}, {"role": "user", "content": "When?"}]
    examples.add(store, record_id=None, messages=prompt, split="test")
    async with opened(project) as (pilot, screen):
        await pilot.press("o")
        await until(pilot, lambda: not screen.busy)
        await pilot.press("y", "f2")
        await pilot.pause()
        await say(pilot, "And then?")
        await until(pilot, lambda: not screen.busy)
    assert [messages[0]["content"] for _, messages in answers["asked"]] == [rules, rules]


async def test_held_out_prompts_come_one_after_the_other(
    project: Project, store: Store, answers: dict[str, Any]
) -> None:
    for split in ("train", "validation", "test"):
        turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": f"from {split}"}]
        examples.add(store, record_id=None, messages=turns, split=split)
    async with opened(project) as (pilot, screen):
        for split in ("validation", "test", "validation"):
            await pilot.press("o")
            await until(pilot, lambda: not screen.busy)
            assert f"you: from {split}" in pane(screen, "first")
            assert "system: Be kind." in pane(screen, "first")
    assert [len(messages) for _, messages in answers["asked"]] == [2, 2, 2]


async def test_the_better_reply_becomes_a_judged_pair(project: Project, store: Store, answers: dict[str, Any]) -> None:
    run_id = add_run(project, store)
    async with opened(project) as (pilot, screen):
        await pilot.press("w")
        assert "no two replies" in screen_text(pilot.app)
        await say(pilot, "which")
        await until(pilot, lambda: not screen.busy)
        await pilot.press("escape", "w")
        assert isinstance(pilot.app.screen, ChooseLine)
        await pilot.press("2")
        await pilot.pause()
    [entry] = current_verdicts(store)
    assert entry.chosen_and_rejected is not None
    chosen, rejected = (responses.get(store, i) for i in entry.chosen_and_rejected)
    assert (chosen.origin, chosen.author) == ("run", run_id)
    assert (rejected.origin, rejected.author) == ("model", "smollm2")
    assert chosen.parameters["temperature"] == 0.7
    assert examples.get(store, chosen.example_id).messages == [{"role": "user", "content": "which"}]


def test_a_preference_on_a_held_out_prompt_stays_with_its_example(project: Project, store: Store) -> None:
    prompt = [{"role": "user", "content": "held out"}]
    example_id = examples.add(store, record_id=None, messages=prompt, split="test")
    chat = Conversation(["smollm2", "other"], example_id=example_id)
    chat.ask("held out").answers[:] = [Answer("a"), Answer("b")]
    assert chat.comparable
    pair = pairs.get(store, keep_preference(project, store, chat, "tie", Sampling()))
    assert pair.example_id == example_id


async def test_system_prompt_and_sampling_are_changed_in_their_windows(
    project: Project, answers: dict[str, Any]
) -> None:
    async with opened(project) as (pilot, screen):
        await pilot.press("y")
        assert isinstance(pilot.app.screen, SystemPrompt)
        pilot.app.screen.query_one(SafeTextArea).text = "Speak like a pirate."
        await pilot.press("f2", "s")
        form = pilot.app.screen
        assert isinstance(form, SamplingForm)
        form.query_one("#temperature", Input).value = "hot"
        await pilot.press("enter")
        assert pilot.app.screen is form
        form.query_one("#temperature", Input).value = "0"
        await pilot.press("enter")
        await pilot.pause()
        assert "temperature 0," in screen_text(pilot.app)
        await say(pilot, "x")
        await until(pilot, lambda: not screen.busy)
    [(_, messages)] = answers["asked"]
    assert messages[0] == {"role": "system", "content": "Speak like a pirate."}


async def test_a_new_chat_leaves_the_replies_that_come_to_the_former_one(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(self: pending.PendingReply, *_: object) -> Answer:
        self._stopped.wait(10)
        return Answer("cut short", {"reason": "cancelled"})

    monkeypatch.setattr(pending.PendingReply, "run", run)
    async with opened(project) as (pilot, screen):
        await say(pilot, "x")
        former = chats.latest(store)
        assert former is not None
        await pilot.press("ctrl+n")
        assert not screen.busy
        await until(pilot, lambda: len(chats.turns(store, former)) == 2)
        assert "cut short" not in pane(screen, "first")


async def test_a_new_chat_keeps_the_system_prompt_and_no_other_turn(
    project: Project, store: Store, answers: dict[str, Any]
) -> None:
    turns = [{"role": role, "content": role} for role in ("user", "assistant", "user")]
    examples.add(store, record_id=None, messages=turns, split="test")
    async with opened(project) as (pilot, screen):
        await pilot.press("o")
        await until(pilot, lambda: len(answers["asked"]) == 1 and not screen.busy)
        await pilot.press("ctrl+n")
        await say(pilot, "x")
        await until(pilot, lambda: len(answers["asked"]) == 2 and not screen.busy)
    assert answers["asked"][1][1] == [{"role": "user", "content": "x"}]


async def test_replies_are_not_taken_for_those_to_another_system_prompt(
    project: Project, store: Store, answers: dict[str, Any]
) -> None:
    add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, "x")
        await until(pilot, lambda: len(answers["asked"]) == 2 and not screen.busy)
        await pilot.press("escape", "y")
        pilot.app.screen.query_one(SafeTextArea).text = "Speak like a pirate."
        await pilot.press("f2", "w")
        assert "no two replies" in screen_text(pilot.app)
        assert "you: x" not in pane(screen, "first")


async def test_a_preference_names_the_sampling_that_its_replies_were_made_with(
    project: Project, store: Store, answers: dict[str, Any]
) -> None:
    add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, "x")
        await until(pilot, lambda: len(answers["asked"]) == 2 and not screen.busy)
        await pilot.press("escape", "s")
        pilot.app.screen.query_one("#temperature", Input).value = "0"
        await pilot.press("enter", "w", "1")
        await pilot.pause()
    [entry] = current_verdicts(store)
    assert entry.chosen_and_rejected is not None
    assert responses.get(store, entry.chosen_and_rejected[0]).parameters["temperature"] == 0.7


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [({"top_p": "0"}, "top_p"), ({"max_tokens": "1.5"}, "max_tokens"), ({"seed": "-1"}, "seed")],
)
def test_sampling_out_of_range_is_refused(changes: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        with_sampling(Sampling(), changes)


@pytest.mark.model
@pytest.mark.xdist_group("training")
async def test_the_small_model_answers_is_stopped_and_shows_its_tokens(
    project: Project, store: Store, base_model: object
) -> None:
    async with opened(project) as (pilot, screen):
        await say(pilot, "Count from one to nine hundred in words.")
        await until(pilot, lambda: "smollm2: ..." not in pane(screen, "first") and screen.busy, 120)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.busy, 30)
        assert "stopped]" in pane(screen, "first")
        await pilot.press("escape", "t")
        window = pilot.app.screen
        assert isinstance(window, TokensWindow)
        view = window.query_one(TextView)
        await until(pilot, lambda: "<|im_start|>/1|" in view.plain)
