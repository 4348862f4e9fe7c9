"""The job that varies prompts: asks a model or a rule, reads strictly, keeps drafts, counts what was dropped."""

from collections import Counter
from typing import Any

from store import examples, splits, synthetic
from store.database import Store
from store.examples import Example, Message, completion_of, prompt_group, prompt_of
from store.synthetic import Variation
from studio.generating.speakers import RefusedError, Speaker, TooLongError, speaker_of
from studio.inference.engine import Engine, Sampling
from studio.jobs.handle import JobHandle
from studio.project import Project
from studio.shingles import fold
from studio.synthetic import typos
from studio.synthetic.methods import VERSION, ask, instructions_hash, needs_model
from studio.synthetic.reading import Dropped, check_new, read
from studio.synthetic.request import Step, VaryRequest

READ_TOGETHER = 500
"""Examples that are read at once."""

LEAST_TOKENS, MOST_TOKENS = 64, 1024
"""Bounds of the room for what a model writes."""


def run(project: Project, store: Store, request: dict[str, Any], job: JobHandle) -> None:
    """Make what was asked for, from where an earlier process stopped.

    Raises:
        StudioError: the model can't be asked.
    """
    wanted = VaryRequest.from_json(request)
    with Engine(project.folder / "engine.log") as engine:
        speaker = None
        if wanted.asked_of_model:
            job.doing("loading the model", wanted.total)
            speaker = speaker_of(project, store, wanted.model, engine, send=wanted.send)
            job.on_stop(speaker.cancel)
        lint = project.settings.lint
        _Varying(store, wanted, speaker, (*lint["refusals"], *lint["boilerplate"]), job).make_all()


class _Varying:
    """One process's part of a job."""

    def __init__(
        self, store: Store, wanted: VaryRequest, speaker: Speaker | None, phrases: tuple[str, ...], job: JobHandle
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._speaker = speaker
        self._provenance = speaker.provenance() if speaker else {}
        self._phrases = phrases
        self._job = job
        self._made = job.made
        self._dropped: Counter[str] = Counter(job.facts.get("dropped", {}))
        self._known = {fold(text) for text in _texts(store, synthetic.ids(store))}

    def make_all(self) -> None:
        for done, step in enumerate(self._wanted.steps(self._job.done), self._job.done + 1):
            self._job.check()
            made: Variation | None = None
            try:
                made = self._make(step)
            except Dropped as dropped:
                self._dropped[dropped.reason] += 1
            self._keep(done, made)

    def _keep(self, done: int, made: Variation | None) -> None:
        with self._store.transaction():
            if made is not None:
                synthetic.add(self._store, made, job_id=self._job.id)
                self._known.add(fold(_text(made.messages)))
                self._made += 1
            self._job.facts["dropped"] = dict(self._dropped)
            self._job.progress(done, self._wanted.total, self._made)

    def _make(self, step: Step) -> Variation:
        """Return one variation.

        Raises:
            Dropped: what came of it is none.
        """
        source = examples.get(self._store, step.source_id)
        if not synthetic.usable_sources(self._store, [source.id]):
            raise Dropped("not in use any more")
        asked = prompt_of(source.messages)
        text = _text(asked)
        if not text.strip():
            raise Dropped("no question of a user")
        written, parameters = self._write(step, source, text)
        messages = [*asked[:-1], {**asked[-1], "content": written}]
        self._check_new(step, messages, written)
        parameters |= {"seed": step.seed, "source_revision": source.revision}
        by_model = self._speaker is not None and needs_model(step.method)
        return Variation(source.id, step.method, self._wanted.model if by_model else "", messages, parameters)

    def _write(self, step: Step, source: Example, text: str) -> tuple[str, dict[str, Any]]:
        if not needs_model(step.method):
            mistyped = typos.mistype(text, step.seed)
            if mistyped is None:
                raise Dropped("nothing to mistype")
            return mistyped, {"rule": typos.VERSION}
        assert self._speaker is not None
        asked = ask(step.method, text, step.seed)
        sampling = Sampling(temperature=self._wanted.temperature, max_tokens=room_for(text), seed=step.seed)
        try:
            said = self._speaker.say(asked.messages, sampling)
        except TooLongError:
            raise Dropped("too long for the model") from None
        except RefusedError:
            raise Dropped("refused by the model") from None
        self._job.check()
        if said.reason == "length":
            raise Dropped("cut off")
        answer = "\n".join(str(message.get("content") or "") for message in completion_of(source.messages))
        written = read(said.text, text, step.method, self._phrases, answer)
        return written, {
            "instructions": {"version": VERSION, "hash": instructions_hash(step.method)},
            "sampling": {"temperature": sampling.temperature, "max_tokens": sampling.max_tokens},
            **({"persona": asked.persona} if asked.persona else {}),
            **self._provenance,
        }

    def _check_new(self, step: Step, messages: list[Message], written: str) -> None:
        """Raise Dropped where the project has the prompt already, or has nearly the same of this source."""
        if fold(written) in self._known or splits.of_group(self._store, prompt_group(messages)):
            raise Dropped("a copy")
        # Two that are mistyped differ in a few letters by their nature.
        if needs_model(step.method):
            of_source = synthetic.of_sources(self._store, [step.source_id]).get(step.source_id, [])
            check_new(written, _texts(self._store, [each.example_id for each in of_source]))


def room_for(prompt: str) -> int:
    """Return how many tokens a variation may have: twice what a prompt takes, in any script; more is no variation."""
    return min(MOST_TOKENS, LEAST_TOKENS + len(prompt.encode(errors="replace")) // 2)


def _texts(store: Store, ids: list[int]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(ids), READ_TOGETHER):
        of_some = examples.get_many(store, ids[start : start + READ_TOGETHER])
        found += [_text(prompt_of(example.messages)) for example in of_some.values()]
    return found


def _text(prompt: list[Message]) -> str:
    """Return what the user says last; empty where a prompt does not end so, or not in plain text."""
    last = prompt[-1] if prompt else {}
    content = last.get("content")
    return content if last.get("role") == "user" and isinstance(content, str) else ""
