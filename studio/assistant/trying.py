"""Trying an assistant out: its tests, asked of a model under its system prompt, each answer held against its checks."""

from collections.abc import Callable
from dataclasses import dataclass

from store.database import Store
from store.examples import Message
from studio.assistant.settings import AssistantTest
from studio.assistant.system import system_of
from studio.checks.run import score
from studio.errors import StudioError
from studio.inference.chat import reply, resolve_chat_model
from studio.inference.engine import Engine, Sampling
from studio.lint.rows.phrases import phrase_in
from studio.project import Project

SAMPLING = Sampling(temperature=0, max_tokens=300)
"""A refusal is told by the beginning of an answer."""


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is as one thing asks."""

    name: str
    passed: bool


@dataclass(frozen=True)
class Tried:
    """A test with the answer that it got."""

    name: str
    prompt: str
    answer: str
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether the answer is as all asks."""
        return all(verdict.passed for verdict in self.verdicts)


def run_tests(
    engine: Engine, project: Project, store: Store, ref: str, on_done: Callable[[Tried], None] | None = None
) -> list[Tried]:
    """Ask a run or a model each of the assistant's tests, at temperature 0; blocks, telling each that is done.

    Raises:
        StudioError: there are no tests, there is no such model, or the engine refused or died.
    """
    tests = project.settings.assistant.tests
    if not tests:
        raise StudioError(
            "The assistant has no tests.",
            'Add one to studio.toml: [[assistant.tests]] with prompt = "..." and refuses = true.',
        )
    model = resolve_chat_model(project, store, ref)
    system, tried = system_of(project), []
    for test in tests:
        messages: list[Message] = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": test.prompt})
        generation = reply(engine, model, messages, SAMPLING, repeatable=True)
        tried.append(held_against(project, test, "".join(token.text for token in generation)))
        if on_done:
            on_done(tried[-1])
    return tried


def held_against(project: Project, test: AssistantTest, answer: str) -> Tried:
    """Return what a test says of an answer."""
    verdicts = [Verdict(check.name, score(check, answer, {}) >= 1) for check in test.checks]
    if test.refuses is not None:
        wanted = "refuses" if test.refuses else "does not refuse"
        verdicts.insert(0, Verdict(wanted, is_refusal(project, answer) == test.refuses))
    return Tried(test.name or test.prompt, test.prompt, answer, tuple(verdicts))


def is_refusal(project: Project, answer: str) -> bool:
    """Return whether an answer refuses: it has the assistant's own sentence, or a phrase that the linter knows."""
    own = project.settings.assistant.refusal.rstrip(".!").casefold()
    return bool(own and own in answer.casefold()) or bool(phrase_in(answer, project.settings.lint["refusals"]))
