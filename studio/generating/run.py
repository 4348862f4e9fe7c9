"""Making candidates: model after model, prompt after prompt; each reply is on the disk before the next is begun."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from store import examples, responses, runs
from store.database import Store
from store.examples import Example, completion_of, prompt_of
from store.responses import Response
from studio.errors import StudioError
from studio.generating.pairing import OWN_ANSWER, pair_up
from studio.generating.repeats import Known, text_of
from studio.generating.speakers import RefusedError, Said, Speaker, TooLongError, is_endpoint, speaker_of
from studio.generating.wanted import Wanted
from studio.inference.engine import Engine, Sampling
from studio.jobs.handle import JobHandle, StoppedError
from studio.project import Project
from studio.text import clean_line

TRIES = 4
"""How often a reply is asked for where the one before said nothing new."""

MOST_LISTED = 1_000
"""Examples that are listed of those whose prompt could not be used."""

REFUSALS = 5
"""So many prompts refused one after the other by an endpoint are no fault of the prompts."""

Slot = tuple[float, int]


def run(project: Project, store: Store, request: dict[str, Any], job: JobHandle) -> None:
    """Make what a request wants that is not made yet; ends early where the job is asked to stop.

    Raises:
        StudioError: a model can't be had or asked; what was made before is kept.
    """
    wanted = Wanted.of(request)
    each = len(wanted.examples) * len(wanted.slots)
    base_of = {one.id: one.base_model for one in runs.all_runs(store)}
    with Engine(project.folder / "engine.log") as engine:
        for place, ref in enumerate(wanted.models):
            begin = max(0, job.done - place * each)
            if begin >= each:
                continue
            job.check()
            job.doing(f"beginning with {ref}", wanted.replies)
            speaker = speaker_of(project, store, ref, engine, send=wanted.send)
            job.on_stop(speaker.cancel)
            _Maker(store, wanted, job, speaker, base_of, place * each).make(begin)


class _Maker:
    """One model's replies to all prompts."""

    def __init__(
        self, store: Store, wanted: Wanted, job: JobHandle, speaker: Speaker, base_of: Mapping[str, str], before: int
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._job = job
        self._speaker = speaker
        self._base_of = base_of
        self._before = before
        """Steps of the models before this one."""
        self._provenance = speaker.provenance()
        self._refusals = 0

    def make(self, begin: int) -> None:
        """Make all replies from a step on."""
        slots = self._wanted.slots
        for number, example_id in enumerate(self._wanted.examples):
            end = (number + 1) * len(slots)
            if end <= begin:
                continue
            self._job.check()
            try:
                self._answer(example_id, number * len(slots), max(0, begin - number * len(slots)))
                self._refusals = 0
            except TooLongError:
                self._leave_out("too long", example_id, end)
            except RefusedError as error:
                self._job.facts["refusal"] = clean_line(error.message)
                self._leave_out("refused", example_id, end)
                self._give_up_after(error)

    def _answer(self, example_id: int, first_step: int, skipped: int) -> None:
        """Make the replies to one prompt."""
        slots = self._wanted.slots
        example = examples.get(self._store, example_id)
        prompt = prompt_of(example.messages)
        if example.excluded or example.status == "rejected" or not prompt or prompt[-1]["role"] == "system":
            self._leave_out("without a prompt", example_id, first_step + len(slots))
            return
        if self._wanted.pairs == "human":
            self._keep_own_answer(example)
        known = Known(responses.of_example(self._store, example_id))
        for place, slot in enumerate(slots[skipped:], start=skipped):
            self._fill(example, slot, known, first_step + place + 1)

    def _fill(self, example: Example, slot: Slot, known: Known, step: int) -> None:
        """Make one reply, again where it says nothing new."""
        heat, _ = slot
        for attempt in range(TRIES if heat else 1):
            seed = self._wanted.seed_of(self._speaker.name, example.id, slot, attempt)
            sampling = Sampling(temperature=heat, max_tokens=self._wanted.max_tokens, seed=seed)
            said = self._speaker.say(prompt_of(example.messages), sampling, example.tools)
            if said.reason == "cancelled":
                raise StoppedError
            fault = known.repeats(said.text) if said.text.strip() else "empty"
            if not fault:
                known.add(said.text)
                self._keep(example, said, sampling, step)
                return
            self._count(fault)
        self._count("given up")
        self._note(step)

    def _keep(self, example: Example, said: Said, sampling: Sampling, step: int) -> None:
        """Write a reply down, with the pairs that it makes and how far the job is."""
        parameters = {
            **asdict(sampling),
            **self._provenance,
            "job": self._job.id,
            "revision": example.revision,
            "ended": said.reason,
            **{name: said.stats[name] for name in ("tokens", "served_as") if said.stats.get(name)},
        }
        messages = [{"role": "assistant", "content": said.text}]
        with self._store.transaction():
            others = responses.of_example(self._store, example.id)
            origin, author = self._speaker.origin, self._speaker.name
            number = responses.add(
                self._store, example.id, messages, origin=origin, author=author, parameters=parameters
            )
            new = Response(number, example.id, messages, origin, author, parameters)
            paired = pair_up(self._store, self._wanted.pairs, new, others, self._base_of, self._wanted.seed)
            self._job.made += 1
            self._count("pairs", paired)
            self._count("cut at the length", int(said.reason == "length"))
            self._note(step)
        self._store.give_way()

    def _keep_own_answer(self, example: Example) -> None:
        """Make the answer that an example ends with a response of its own, unless one says the same."""
        answer = completion_of(example.messages)
        present = responses.of_example(self._store, example.id)
        own = Response(0, example.id, answer, "human", OWN_ANSWER)
        if answer and not Known(present).repeats(text_of(own)):
            responses.add(self._store, example.id, answer, origin="human", author=OWN_ANSWER)

    def _leave_out(self, why: str, example_id: int, step: int) -> None:
        self._count(f"prompts {why}")
        listed: list[int] = self._job.facts.setdefault(why, [])
        if example_id not in listed and len(listed) < MOST_LISTED:
            listed.append(example_id)
        self._note(step)

    def _give_up_after(self, error: StudioError) -> None:
        self._refusals += 1
        if is_endpoint(self._speaker.name) and self._refusals >= REFUSALS:
            raise error

    def _count(self, what: str, by: int = 1) -> None:
        if by:
            counts: dict[str, int] = self._job.facts.setdefault("counts", {})
            counts[what] = counts.get(what, 0) + by

    def _note(self, step: int) -> None:
        self._job.progress(self._before + step, self._wanted.replies, self._job.made)
