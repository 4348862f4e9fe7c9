"""The process that plans a run: `python -m studio.training.plan.worker PROJECT`, a question on standard input."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.project import open_project
from studio.rendering import ChatTokenizer
from studio.training.elsewhere.accelerate import processes
from studio.training.folder import SPLITS, RunFolder
from studio.training.plan import findings, fitting
from studio.training.plan.architecture import Architecture, read_architecture
from studio.training.plan.asking import serve
from studio.training.plan.facts import Finding, Memory, Plan, Rows, Timed
from studio.training.plan.free import has_4bit, machine_of
from studio.training.plan.gathering import Gathered, gather
from studio.training.plan.load import load_of
from studio.training.plan.memory import Machine, estimate, is_fast
from studio.training.plan.question import Question
from studio.training.plan.room import room_of
from studio.training.plan.sampled import Sampled, learnt_of, sample, tokens_of
from studio.training.recipe import Recipe, as_table
from studio.training.rows.data import load_rows
from studio.training.trainer import hardware as hardware_here
from studio.training.trainer.hardware import Hardware
from studio.training.trainer.one_gpu import one_gpu
from studio.training.trainer.steps import steps_of


def answer(project_folder: Path, asked: dict[str, Any]) -> Mapping[str, Any]:
    """Plan the run that is asked for."""
    question = Question.of(asked)
    project = open_project(project_folder)
    with project.open_store() as store:
        gathered = gather(project, store, question)
        found = [*gathered.problems, *findings.of_checks(store, gathered.built)]
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place))
        gathered.write(folder)
        with one_gpu(gathered.recipe.device):
            return asdict(_Planned.of(gathered, folder).plan(question, found))


@dataclass(frozen=True)
class _Planned:
    """A run's rows as tokens, and where they would be trained on."""

    gathered: Gathered
    folder: RunFolder
    hardware: Hardware
    train: Sampled
    held_out: Sampled

    @classmethod
    def of(cls, gathered: Gathered, folder: RunFolder) -> "_Planned":
        """Make the rows into tokens."""
        tokenizer = ChatTokenizer.load(folder.tokenizer)
        train, held_out = (_split(tokenizer, gathered.recipe, folder, name) for name in SPLITS)
        return cls(gathered, folder, hardware_here.choose(gathered.recipe), train, held_out)

    def plan(self, question: Question, found: list[Finding]) -> Plan:
        """Say all that is asked."""
        recipe, rows = self.gathered.recipe, self._rows()
        plan = Plan(
            method=recipe.method,
            model=self.gathered.base.name,
            parent=question.parent,
            overrides=question.overrides,
            recipe=as_table(recipe),
            device=self.hardware.name,
            dtype=self.hardware.dtype_name,
            rows=rows,
            findings=findings.blocking_first([*found, *findings.of_rows(recipe, rows)]),
            effective_batch=recipe.batch_size * recipe.gradient_accumulation * processes(),
        )
        if not self.train.longest or not self.held_out.typical.rows:
            return plan
        plan = self._reckoned(replace(plan, steps=steps_of(recipe, rows.packed or rows.kept)))
        return replace(plan, timed=self._timed(plan)) if question.timed else plan

    def _reckoned(self, plan: Plan) -> Plan:
        try:
            shape = read_architecture(self.gathered.base.folder)
        except StudioError as error:
            finding = Finding("warns", error.message, error.hint)
            return replace(plan, findings=findings.blocking_first([*plan.findings, finding]))
        machine = machine_of(self.hardware)

        def memory_of(recipe: Recipe) -> Memory:
            return self._memory(recipe, shape, replace(machine, is_bf16=machine.is_bf16 or recipe.dtype == "bf16"))

        recipe = self.gathered.recipe
        has_smaller = machine.device == "cuda" and not machine.is_bf16
        ways = fitting.changes(recipe, memory_of, has_4bit=has_4bit(self.hardware), has_smaller=has_smaller)
        room = room_of(recipe, shape, from_adapter=self.gathered.parent_adapter is not None)
        found = [*plan.findings, *findings.of_room(room, self.gathered.runs)]
        return replace(plan, findings=findings.blocking_first(found), memory=memory_of(recipe), changes=ways)

    def _memory(self, recipe: Recipe, shape: Architecture, machine: Machine) -> Memory:
        fast = is_fast(recipe, shape)
        load = load_of(recipe, self.train.longest, fast=fast)
        return estimate(recipe, shape, load, machine, rows=self.train.rows, fast=fast)

    def _timed(self, plan: Plan) -> Timed:
        from studio.training.plan.timing import Course, Given, time_steps

        gathered, rows = self.gathered, plan.rows
        tokens = rows.tokens / max(1, rows.packed or rows.kept) * plan.effective_batch
        given = Given(
            gathered.recipe,
            self.folder,
            self.hardware,
            gathered.base.folder,
            gathered.parent_adapter,
            self.train,
            self.held_out.typical,
        )
        timed = time_steps(given, Course(plan.steps, tokens, rows.kept, rows.held_out))
        rendering = self.train.seconds_for_all + self.held_out.seconds_for_all
        return replace(timed, parts=(("rendering the rows", rendering), *timed.parts))

    def _rows(self) -> Rows:
        counts, train = self.gathered.built.snapshot.counts, self.train
        tokens = sum(map(tokens_of, train.typical.rows))
        return Rows(
            train=train.rows,
            held_out=self.held_out.rows,
            left_out=dict(self.gathered.built.left_out),
            replayed=int(counts.get("replayed", 0)),
            kept=train.scaled(len(train.typical.rows)),
            cut=train.scaled(train.typical.cut),
            dropped=train.scaled(train.typical.dropped),
            not_rendered=train.scaled(len(train.typical.problems)),
            tokens=train.scaled(tokens),
            learnt=train.scaled(sum(map(learnt_of, train.typical.rows))),
            longest=max(map(tokens_of, train.longest), default=0),
            packed=train.scaled(_packed(self.gathered.recipe, train)) if self.gathered.recipe.packing else 0,
            looked_at=train.looked_at,
        )


def _split(tokenizer: ChatTokenizer, recipe: Recipe, folder: RunFolder, name: str) -> Sampled:
    path = folder.data / f"{name}.jsonl"
    with path.open("rb") as file:
        sizes = [len(line) for line in file]
    return sample(tokenizer, recipe, load_rows(path), sizes)


def _packed(recipe: Recipe, train: Sampled) -> int:
    """Return how many rows of max_length the examples fill, the longest put first wherever they fit."""
    room: list[int] = []
    for length in sorted((tokens_of(row) for row in train.typical.rows), reverse=True):
        place = next((place for place, left in enumerate(room) if left >= length), None)
        if place is None:
            room.append(recipe.max_length - length)
        else:
            room[place] -= length
    return len(room)


if __name__ == "__main__":
    serve(answer)
