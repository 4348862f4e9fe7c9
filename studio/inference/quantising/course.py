"""The course of quantising: the model merged in 16-bit floats, each type made of it, each tested against it."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

import orjson

from store.database import Store
from studio.checks.settings import Check
from studio.inference.chat import ChatModel, resolve_chat_model
from studio.inference.engine import Engine
from studio.inference.gguf.merged import hash_of, merge
from studio.inference.gguf.metadata import Metadata
from studio.inference.quantising import report as reports
from studio.inference.quantising.held_out import Question, digest, questions_for
from studio.inference.quantising.launch import Wanted
from studio.inference.quantising.making import make
from studio.inference.quantising.places import Place
from studio.inference.quantising.report import Report
from studio.inference.quantising.source import is_quantised_from, metadata_of
from studio.inference.quantising.testing import Trial
from studio.inference.quantising.types import FULL
from studio.project import Project

Tell = Callable[[str, str, float], None]
"""Told the type, what is done with it, and how much of all is done."""

MERGING, MAKING = 0.05, 0.3
"""Shares of the time, of all and of one type, as rough as a progress line needs them."""

FORM = 1
"""Raised when the same things are measured otherwise than before."""


@dataclass(frozen=True)
class Goal:
    """What is to be true of every type that is wanted."""

    place: Place
    made_from: str
    test_key: str
    """Identifies what they are to be measured on; empty where they are not to be."""

    def is_made(self, type_: str) -> bool:
        """Whether the file is there, made from this model."""
        return is_quantised_from(self.place.gguf(type_), self.made_from)

    def report(self, type_: str) -> Report | None:
        """What is known of the file, if it is whole and of this model."""
        found = reports.read(self.place, type_) if self.is_made(type_) else None
        is_whole = found is not None and found.bytes == self.place.gguf(type_).stat().st_size
        return found if found and is_whole and found.made_from == self.made_from else None

    def is_reached(self, type_: str) -> bool:
        """Whether nothing is left to do of a type."""
        found = self.report(type_)
        if found is None:
            return False
        is_tested = found.test is not None and found.test.key == self.test_key
        return not self.test_key or type_ == FULL or is_tested


def run(project: Project, store: Store, place: Place, wanted: Wanted, tell: Tell) -> None:
    """Make and test what is wanted; what is there already, made and measured from the same, is left as it is.

    Raises:
        StudioError: the model can't be merged, quantised or tested.
    """
    model = resolve_chat_model(project, store, place.ref, on_progress=lambda text: tell("", text, 0.0))
    metadata = metadata_of(store, place.ref, model.load_tokenizer().template)
    checks = project.settings.checks
    questions = questions_for(project, store, place.ref, wanted.examples) if wanted.test else []
    key = _test_key(questions, checks, wanted.reply_tokens) if wanted.test else ""
    goal = Goal(place, hash_of(model.gguf, model.adapter, metadata), key)
    missing = [name for name in wanted.types if not goal.is_reached(name)]
    _sweep(place, with_full=not missing)
    if not missing:
        return
    with ExitStack() as held:
        full = _full(goal, model, metadata, held, tell)
        log = held.enter_context(place.log.open("ab"))
        engine = held.enter_context(Engine(place.folder / "engine.log"))
        trial: Trial | None = None
        for number, name in enumerate(missing):
            step = _Step(goal, name, full, _part(tell, name, number, len(missing)))
            made = step.make(log)
            if wanted.test and name != FULL:
                trial = trial or _trial(engine, full, model, questions, checks, wanted.reply_tokens, key)
                step.test(made, trial)


@dataclass(frozen=True)
class _Step:
    """One type of the course."""

    goal: Goal
    type: str
    full: Path
    tell: Callable[[str, float], None]

    def make(self, log: IO[bytes]) -> Report:
        """Make the file, unless it is there, and note what came of it."""
        if found := self.goal.report(self.type):
            return found
        place = self.goal.place
        self.tell("quantising", 0.0)
        # What is known of a file that gives way is not known of the next.
        place.report(self.type).unlink(missing_ok=True)
        made = make(
            self.full, place.gguf(self.type), self.type, log, lambda done: self.tell("quantising", MAKING * done)
        )
        size = self.full.stat().st_size
        report = Report(self.type, self.goal.made_from, made.bytes, size, made.bits, made.fallbacks)
        reports.write(place, report)
        return report

    def test(self, made: Report, trial: Trial) -> None:
        """Test the file and note what it costs."""
        gguf = self.goal.place.gguf(self.type)
        test = trial.run(gguf, lambda doing, done: self.tell(doing, MAKING + (1 - MAKING) * done))
        reports.write(self.goal.place, replace(made, test=test))


def _full(goal: Goal, model: ChatModel, metadata: Metadata, held: ExitStack, tell: Tell) -> Path:
    """Return the model in 16-bit floats: the one that was kept, or one that goes when all is done."""
    if goal.is_made(FULL):
        return goal.place.gguf(FULL)
    full = goal.place.full
    held.callback(full.unlink, missing_ok=True)
    merge(
        model.gguf,
        model.adapter,
        full,
        metadata=metadata,
        on_progress=lambda done: tell("", "merging in 16-bit floats", MERGING * done),
    )
    return full


def _sweep(place: Place, *, with_full: bool) -> None:
    """Delete what one that was killed left half done; its merged model too, where nothing is to be made of it."""
    for path in (*place.folder.glob(".*.part"), *([place.full] if with_full else [])):
        path.unlink(missing_ok=True)


def _trial(
    engine: Engine,
    full: Path,
    model: ChatModel,
    questions: Sequence[Question],
    checks: Sequence[Check],
    reply_tokens: int,
    key: str,
) -> Trial:
    return Trial(engine, model.load_tokenizer(), engine.load(full), questions, checks, reply_tokens, key)


def _part(tell: Tell, name: str, number: int, of: int) -> Callable[[str, float], None]:
    return lambda doing, done: tell(name, doing, MERGING + (1 - MERGING) * (number + done) / of)


def _test_key(questions: Sequence[Question], checks: Sequence[Check], reply_tokens: int) -> str:
    asked = [FORM, digest(questions), [asdict(check) for check in checks], reply_tokens]
    return hashlib.sha256(orjson.dumps(asked)).hexdigest()[:16]
