"""Chat's windows: system prompt, sampling, what is looked up, and a reply token by token."""

import threading
from pathlib import Path

import pytest
from chatting import Answers, add_run, opened, pane, say
from reading import screen_text, until
from textual.widgets import Input

from screens.chance_text import mark, percent
from screens.chat_raw import RawTurn
from screens.chat_windows import SamplingForm, SystemPrompt
from screens.evidence_window import EvidenceWindow
from screens.origins_window import OriginsWindow
from screens.widgets.safe_text_area import SafeTextArea
from screens.widgets.table import RecordTable
from screens.widgets.text_view import TextView
from store import examples, interface_state
from store.database import Store
from studio.chatting import keeping
from studio.chatting.conversation import Answer
from studio.project import Project


async def test_system_prompt_and_sampling_are_changed_in_their_windows(project: Project, answers: Answers) -> None:
    async with opened(project) as (pilot, screen):
        await pilot.press("y")
        assert isinstance(pilot.app.screen, SystemPrompt)
        pilot.app.screen.query_one(SafeTextArea).text = "Speak like a pirate."
        await pilot.press("f2", "s")
        form = pilot.app.screen
        assert isinstance(form, SamplingForm)
        for name, wrong, right in (("temperature", "hot", "0"), ("seed", "-1", "4294967295"), ("context", "9", "2048")):
            form.query_one(f"#{name}", Input).value = wrong
            await pilot.press("enter")
            assert pilot.app.screen is form
            assert name in str(form.problem.content)
            form.query_one(f"#{name}", Input).value = right
        await pilot.press("enter")
        await pilot.pause()
        assert "temperature 0," in screen_text(pilot.app)
        await say(pilot, screen, "x")
        # A large seed is read again as it was written.
        await pilot.press("s", "enter")
        assert len(pilot.app.screen_stack) == 1
    [prompt] = answers.prompts
    assert prompt.messages[0] == {"role": "system", "content": "Speak like a pirate."}
    assert (prompt.sampling.temperature, prompt.sampling.seed, prompt.context) == (0, 4294967295, 2048)


@pytest.mark.parametrize("size", [(40, 10), (80, 12)])
async def test_what_is_wrong_with_the_sampling_is_said_in_a_low_terminal_too(
    project: Project, answers: Answers, size: tuple[int, int]
) -> None:
    async with opened(project, size) as (pilot, _):
        await pilot.press("s", *["down"] * 8, "x", "enter")
        await until(pilot, lambda: "alternatives    5x" in screen_text(pilot.app))
        assert "alternatives must be a whole" in screen_text(pilot.app)


async def test_a_system_prompt_that_was_only_looked_at_stays_as_it_was(
    project: Project, store: Store, answers: Answers
) -> None:
    rules = "Be kind.\r\n\nSay when. \n"
    prompt = [{"role": "system", "content": rules}, {"role": "user", "content": "When?"}]
    examples.add(store, record_id=None, messages=prompt, split="test")
    async with opened(project) as (pilot, screen):
        await pilot.press("o")
        await until(pilot, lambda: not screen.busy)
        await pilot.press("y", "f2")
        await pilot.pause()
        await say(pilot, screen, "And then?")
    assert [messages[0]["content"] for _, messages in answers.asked] == [rules, rules]


async def test_a_system_prompt_that_was_written_is_not_left_without_a_question(
    project: Project, answers: Answers
) -> None:
    async with opened(project) as (pilot, screen):
        before = screen.chat.system
        await pilot.press("y", "escape")
        assert pilot.app.screen is screen
        await pilot.press("y", *"arr", "escape")
        assert "The system prompt is not kept." in screen_text(pilot.app)
        await pilot.press("escape", *"r", "ctrl+q")
        assert "The system prompt is not kept." in screen_text(pilot.app)
        await pilot.press("escape", "escape", "y")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert screen.chat.system == before


async def test_replies_are_not_taken_for_those_to_another_system_prompt(
    project: Project, store: Store, answers: Answers
) -> None:
    add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "x")
        await pilot.press("y")
        pilot.app.screen.query_one(SafeTextArea).text = "Speak like a pirate."
        await pilot.press("f2", "w")
        assert "no two replies" in screen_text(pilot.app)
        assert "you: x" not in pane(screen, 0)
        assert "system: Speak like a pirate." in pane(screen, 0)


async def test_a_reply_is_shown_token_by_token_with_its_chances(
    project: Project, store: Store, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.said["smollm2"] = "Well it is so"
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "x")
        await pilot.press("t")
        window = pilot.app.screen
        assert isinstance(window, RawTurn)
        await until(pilot, lambda: len(window.query_one(RecordTable).ids) == 5)
        text = screen_text(pilot.app)
        assert "5 tokens, 1 below 50 %" in text
        assert "8.2 %" in text
        assert "99.0 %  ##########" in text
        assert "<|im_end|>" in text
        await pilot.press("G", "N")
        assert window.query_one(RecordTable).cursor == 0
        assert ">" in window.query_one(TextView).plain
        await pilot.press("v")
        assert "Well!|it|is|so|<|im_end|>'|" in window.query_one(TextView).plain


async def test_that_a_replys_tokens_were_not_kept_is_said_whole_once_it_is_known(
    project: Project, store: Store, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = keeping.new_chat(project, ["smollm2"])
    question = keeping.ask(store, chat, "x")
    keeping.keep_answer(store, chat, question, 0, Answer("It is.", {"reason": "stop", "tokens": 3}))
    interface_state.remember(store, "chat.open", chat.chat_id)
    is_looked_up = threading.Event()

    def trace_of(store: Store, turn_id: int) -> None:
        is_looked_up.wait(10)

    monkeypatch.setattr("screens.chat_raw.trace_of", trace_of)
    async with opened(project) as (pilot, _):
        await pilot.press("t")
        assert "reading ..." in screen_text(pilot.app)
        assert "not kept" not in screen_text(pilot.app)
        is_looked_up.set()
        await until(pilot, lambda: "reading ..." not in screen_text(pilot.app))
        assert "it is of an earlier version, or was cut short." in " ".join(
            screen_text(pilot.app).replace("│", "").split()
        )
        assert "enter open" not in screen_text(pilot.app)


@pytest.mark.parametrize(
    ("logprob", "words", "sign"),
    [(0.0, "100.0 %", ""), (-0.5, "60.7 %", "'"), (-2.0, "13.5 %", "?"), (-9.0, "0.01 %", "!"), (None, "-", "")],
)
def test_chances_are_told_without_colour(logprob: float | None, words: str, sign: str) -> None:
    assert (percent(logprob), mark(logprob)) == (words, sign)


async def test_evidence_and_origins_are_those_of_the_pane_in_focus(
    project: Project, store: Store, answers: Answers
) -> None:
    run_id = add_run(project, store)
    async with opened(project) as (pilot, screen):
        await say(pilot, screen, "x")
        await pilot.press("tab", "p")
        assert isinstance(pilot.app.screen, EvidenceWindow)
        await until(pilot, lambda: f"Evidence: {run_id}" in screen_text(pilot.app))
        await pilot.press("escape", "O")
        assert isinstance(pilot.app.screen, OriginsWindow)
        await pilot.press("escape")
        assert pilot.app.screen is screen


async def test_passages_go_with_a_question_and_are_shown(project: Project, answers: Answers) -> None:
    folder = project.folder / "documents"
    folder.mkdir()
    (folder / "faq.md").write_text("# Returns\n\nBooks can be returned within thirty days.\n", encoding="utf-8")
    _with_documents(project.folder / "studio.toml")
    async with opened(project, (120, 30)) as (pilot, screen):
        await pilot.press("d", "2")
        await say(pilot, screen, "returned books")
        await until(pilot, lambda: "faq.md" in pane(screen, 0))
        assert "documents" in screen_text(pilot.app)
    assert "thirty days" in answers.asked[0][1][-1]["content"]


async def test_what_cannot_be_looked_up_costs_no_question(project: Project, answers: Answers) -> None:
    async with opened(project, (120, 30)) as (pilot, screen):
        await pilot.press("d", "2", "i", *"why", "enter")
        await until(pilot, lambda: screen.composer.text == "why" and not screen.busy)
    assert answers.asked == []


def _with_documents(settings: Path) -> None:
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f'{text}\n[documents]\nfolders = ["documents"]\n', encoding="utf-8")
