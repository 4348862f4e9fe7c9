"""New replies from the screen: said before it is begun, agreed to before it is sent, watched, stopped, gone on with."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from chat_server import ChatServer, chat_server, said_by_seed
from reading import screen_text, until
from textual.pilot import Pilot
from textual.widgets import Input

from screens.app import StudioApp
from screens.dialogs import Confirm
from screens.generate_window import GenerateForm, heats_of, names_of
from screens.jobs_window import JobsWindow
from store import examples, interface_state, jobs, responses
from store.database import Store
from studio.errors import StudioError
from studio.generating.wanted import wanted
from studio.project import Project, open_project

NO_PROCESS = 2**22 + 1


@pytest.fixture
def server(project: Project, store: Store) -> Iterator[ChatServer]:
    """An endpoint, and five prompts for it."""
    for number in range(5):
        messages = [{"role": "user", "content": f"What is {number}?"}]
        examples.add(store, record_id=None, messages=messages, split="train")

    def answer(request: dict[str, Any]) -> Any:
        time.sleep(0.05)
        return said_by_seed(request)

    with chat_server(answer) as serving:
        serving.configure(project.folder)
        yield serving


@asynccontextmanager
async def opened(project: Project, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    with project.open_store() as store:
        interface_state.remember(store, "area", "examples")
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield pilot


async def form_of(pilot: Pilot[None]) -> GenerateForm:
    await until(pilot, lambda: "What is 0" in screen_text(pilot.app))
    await pilot.press("c")
    await until(pilot, lambda: isinstance(pilot.app.screen, GenerateForm))
    await until(pilot, lambda: "Not begun" in screen_text(pilot.app))
    form = pilot.app.screen
    assert isinstance(form, GenerateForm)
    return form


async def write(pilot: Pilot[None], form: GenerateForm, name: str, text: str) -> None:
    form.query_one(f"#{name}", Input).value = text
    await pilot.press("enter")


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (200, 50)])
async def test_the_form_says_what_it_comes_to(project: Project, server: ChatServer, size: tuple[int, int]) -> None:
    async with opened(project, size) as pilot:
        form = await form_of(pilot)
        text = screen_text(pilot.app)
        assert "New replies to 1 chosen" in text
        assert "1 prompt, 2 each from smollm2: 2 replies." in text
        assert "esc: leave" in text
        await write(pilot, form, "temperatures", "0.5 1.0")
        await until(pilot, lambda: "one model at two temperatures" in screen_text(pilot.app))
        await pilot.press("f3", "f3", "f3")
        assert "different models" not in str(form.said.content)
        await pilot.press("enter")
        await until(pilot, lambda: "Pairs to compare: one model at two" in screen_text(pilot.app))
        await write(pilot, form, "n", "many")
        await until(pilot, lambda: "n must be a whole number, not 'many'" in screen_text(pilot.app))


async def test_nothing_is_sent_before_the_question_is_answered(
    project: Project, store: Store, server: ChatServer
) -> None:
    async with opened(project) as pilot:
        form = await form_of(pilot)
        await write(pilot, form, "models", "endpoint:parrot")
        await until(pilot, lambda: "Something leaves this machine" in screen_text(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        assert "This sends 1 prompt (example 1" in " ".join(screen_text(pilot.app).replace("│", " ").split())
        await pilot.press("escape")
        await pilot.pause()
        assert jobs.standings(store) == []
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsWindow))
        await until(pilot, lambda: "2 replies made" in screen_text(pilot.app))
        await until(pilot, lambda: "done" in screen_text(pilot.app))
    assert len(server.asked) == 2
    assert len(responses.of_example(store, 1)) == 2


async def test_a_job_is_stopped_and_goes_on(project: Project, store: Store, server: ChatServer) -> None:
    async with opened(project) as pilot:
        await until(pilot, lambda: "What is 0" in screen_text(pilot.app))
        await pilot.press("A")
        form = await form_of(pilot)
        form.query_one("#n", Input).value = "5"
        await write(pilot, form, "models", "endpoint:parrot")
        await until(pilot, lambda: "25 replies" in screen_text(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsWindow))
        await until(pilot, lambda: jobs.get(store, 1).made >= 2)
        await pilot.press("s")
        await until(pilot, lambda: "stopped" in screen_text(pilot.app))
        kept = jobs.get(store, 1).made
        assert 2 <= kept < 25
        await pilot.press("r")
        await until(pilot, lambda: jobs.get(store, 1).made > kept)
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("c")
        # One goes on: its progress is what is asked for.
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsWindow) or jobs.get(store, 1).state == "done")
        await until(pilot, lambda: jobs.get(store, 1).state == "done")
    assert jobs.get(store, 1).made == 25


async def test_a_job_that_died_is_shown_as_failed_with_its_reason(
    project: Project, store: Store, server: ChatServer
) -> None:
    asked = wanted(("endpoint:parrot",), (1, 2), seed=1, n=8, send=True)
    job_id = jobs.add(store, "candidates", asked.as_request())
    jobs.started(store, job_id, pid=NO_PROCESS, pid_started=1.0)
    jobs.progressed(store, job_id, done=3, total=16, made=2, facts={})
    (project.folder / "jobs").mkdir()
    (project.folder / "jobs" / "1.log").write_text("[b]last words[/] \x1b[31mred\n")
    async with opened(project, (100, 40)) as pilot:
        await until(pilot, lambda: "What is 0" in screen_text(pilot.app))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsWindow))
        await until(pilot, lambda: "failed" in screen_text(pilot.app))
        await until(pilot, lambda: "[b]last words[/]" in screen_text(pilot.app))
        assert "ended without a word" in " ".join(screen_text(pilot.app).replace("│", " ").split())
        await pilot.press("s")
        assert "This job is not going on." in screen_text(pilot.app)


async def test_what_each_job_was_asked_for_is_shown_under_the_cursor(project: Project, store: Store) -> None:
    for number, made in ((3, 1), (4, 2)):
        request = wanted(("endpoint:parrot",), (1,), seed=number, send=True)
        job_id = jobs.add(store, "candidates", request.as_request())
        jobs.progressed(store, job_id, done=2, total=2, made=made, facts={"counts": {"duplicates": 2 - made}})
        jobs.ended(store, job_id, "done")
    async with opened(project, (100, 40)) as pilot:
        pilot.app.push_screen(JobsWindow())
        await until(pilot, lambda: "seed 4" in screen_text(pilot.app))
        assert "2 replies made" in screen_text(pilot.app)
        await pilot.press("j")
        await until(pilot, lambda: "seed 3" in screen_text(pilot.app))
        assert "1 reply made" in screen_text(pilot.app)
        assert "1 reply dropped" in screen_text(pilot.app)
        await pilot.press("k")
        assert "seed 4" in screen_text(pilot.app)


async def test_a_model_is_chosen_from_the_list(project: Project, server: ChatServer) -> None:
    async with opened(project) as pilot:
        form = await form_of(pilot)
        form.models.value = "endpoint:parrot"
        await pilot.press("f4")
        await until(pilot, lambda: "smollm2 alone" in screen_text(pilot.app))
        await pilot.press("1")
        await pilot.pause()
        assert names_of(form.models.value) == ("endpoint:parrot", "smollm2")


def test_names_and_temperatures_are_read_as_they_are_written() -> None:
    assert names_of("smollm2 'my models/a b.gguf'") == ("smollm2", "my models/a b.gguf")
    assert heats_of("0.5, 1 1.2") == (0.5, 1.0, 1.2)
    with pytest.raises(StudioError, match="quote is not closed"):
        names_of("'a")
    with pytest.raises(StudioError, match="must be numbers"):
        heats_of("warm")
