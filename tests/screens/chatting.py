"""A chat screen whose models are played, and what its tests look at."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from reading import until
from textual.pilot import Pilot

from screens.app import StudioApp
from screens.chat import ChatScreen
from store import interface_state, runs, snapshots
from store.database import Store
from store.examples import Message
from store.snapshots import Snapshot
from studio.chatting.answering import Coming, Reply
from studio.chatting.conversation import Answer, Prompt
from studio.chatting.traces import Likely, Received, Trace
from studio.errors import StudioError
from studio.inference.asked import EngineError
from studio.project import Project, open_project
from studio.training.folder import RunFolder

EQUAL = "equal: 40 texts, 812 tokens, none differs from llama.cpp's"
DIFFERENT = "DIFFERENT in 2 of 40 texts; first in example 1 at token 3"


class Answers:
    """Stands in for the model process: what each model says, or the error it ends with; and what it was given."""

    def __init__(self) -> None:
        self.said: dict[str, str | StudioError] = {}
        self.prompts: list[Prompt] = []
        self.waits = False
        """Whether a reply begins, and ends only when it is stopped."""
        self.breaks_off = False
        """Whether the process dies once a reply has begun."""

    @property
    def asked(self) -> list[tuple[str, list[Message]]]:
        """Who was asked, and with which messages."""
        return [(prompt.model, prompt.messages) for prompt in self.prompts]

    @property
    def run(self) -> Callable[..., Answer]:
        """What takes the place of `Reply.run`."""

        def run(reply: Reply, engine: Any, project: Any, prompt: Prompt, on_news: Any, store: Any) -> Answer:
            self.prompts.append(prompt)
            text = self.said.get(prompt.model, f"I am {prompt.model} [/b] \x1b[31m {prompt.sampling.seed}")
            if isinstance(text, StudioError):
                raise text
            on_news(Coming("writing", 1.0, text[:4]))
            if self.breaks_off:
                raise EngineError("The llama.cpp process was killed by SIGKILL.", "Its last words are in engine.log.")
            if self.waits:
                reply._stopped.wait(10)
                return Answer(text[:4], {"reason": "cancelled", "tokens": 1})
            stats = {"tokens": 5, "prompt_tokens": 100, "context": 4096, "tokens_per_second": 42.0, "reason": "stop"}
            return Answer(text, {**stats, "seed": prompt.sampling.seed}, trace=trace_of(text))

        return run


def trace_of(text: str) -> Trace:
    """Return what would be kept of a text of which each word is a token, the first of them a surprise."""
    words = text.split(" ")
    likely = (Likely(1, "sure", -0.01), Likely(2, "else", -4.6))
    tokens = [Received(n, word, -2.5 if n == 0 else -0.01, likely) for n, word in enumerate(words)]
    return Trace((1, 9906, 2), tuple(tokens), Received(2, "<|im_end|>", -0.2, likely))


def add_run(project: Project, store: Store, parity: str = EQUAL) -> str:
    """Leave a finished run whose adapter is only a name: nothing here loads it."""
    snapshots.save(store, Snapshot("abc", "preference", []))
    run_id = runs.add(store, method="dpo", base_model="smollm2", base_hash=None, snapshot_id="abc", recipe={})
    folder = RunFolder(project.runs / run_id)
    folder.path.mkdir(parents=True)
    folder.adapter_gguf.touch()
    runs.update(store, run_id, status="done", result={"parity": parity})
    return run_id


@asynccontextmanager
async def opened(project: Project, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], ChatScreen]]:
    """Open the app in Chat."""
    with project.open_store() as store:
        interface_state.remember(store, "area", "chat")
    app = StudioApp(open_project(project.folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        yield pilot, screen


async def say(pilot: Pilot[None], screen: ChatScreen, text: str) -> None:
    """Ask, wait for all replies, and go to the panes."""
    await pilot.press("i", *text, "enter")
    await pilot.pause()
    await until(pilot, lambda: not screen.busy)
    await pilot.pause()
    # The first esc may take an error away.
    while screen.focused is screen.composer:
        await pilot.press("escape")


def pane(screen: ChatScreen, number: int) -> str:
    """Return what a pane shows under its heading."""
    return screen.panes.pane(number).turns.plain
