"""The job that asks a judge: each pair in both orders, at temperature 0; what it says is kept beside the journal."""

from collections import Counter
from typing import Any

from store import examples, judgements, pairs, responses
from store.database import Store
from store.examples import prompt_of
from store.judgements import Answer, Judgement, NewJudgement
from studio.ai_judge.asking import VERSION, answer_of, ask, instructions_hash, read
from studio.ai_judge.request import JudgeRequest
from studio.generating.speakers import RefusedError, Speaker, TooLongError, speaker_of
from studio.inference.engine import Engine, Sampling
from studio.jobs.handle import JobHandle
from studio.project import Project


def run(project: Project, store: Store, request: dict[str, Any], job: JobHandle) -> None:
    """Ask what was to be asked, from where an earlier process stopped.

    Raises:
        StudioError: the model can't be asked.
    """
    wanted = JudgeRequest.from_json(request)
    with Engine(project.folder / "engine.log") as engine:
        job.doing("loading the model", len(wanted.pairs))
        speaker = speaker_of(project, store, wanted.model, engine, send=wanted.send)
        job.on_stop(speaker.cancel)
        _Judging(store, wanted, speaker, job).judge_all()


class _Judging:
    """One process's part of a job."""

    def __init__(self, store: Store, wanted: JudgeRequest, speaker: Speaker, job: JobHandle) -> None:
        self._store = store
        self._wanted = wanted
        self._speaker = speaker
        self._job = job
        self._sampling = Sampling(temperature=0.0, max_tokens=wanted.max_tokens)
        self._parameters = {
            "instructions": {"version": VERSION, "hash": instructions_hash(wanted.guidance)},
            "sampling": {"temperature": 0.0, "max_tokens": wanted.max_tokens},
            **speaker.provenance(),
        }
        self._made = job.made
        self._counts: Counter[str] = Counter(job.facts.get("counts", {}))

    def judge_all(self) -> None:
        known = judgements.judged_so(self._store, self._speaker.name, self._parameters)
        for done, pair_id in enumerate(self._wanted.pairs[self._job.done :], self._job.done + 1):
            self._job.check()
            made: NewJudgement | None = None
            try:
                if pair_id in known:
                    self._counts["asked before"] += 1
                else:
                    made = self._judge(pair_id)
            except TooLongError:
                self._counts["too long for the model"] += 1
            except RefusedError:
                self._counts["refused by the model"] += 1
            self._keep(done, made)

    def _keep(self, done: int, made: NewJudgement | None) -> None:
        with self._store.transaction():
            if made is not None:
                judgements.keep(self._store, made, job_id=self._job.id)
                self._counts[_kind(made.judgement)] += 1
                self._made += 1
            self._job.facts["counts"] = dict(self._counts)
            self._job.progress(done, len(self._wanted.pairs), self._made)

    def _judge(self, pair_id: int) -> NewJudgement:
        pair = pairs.get(self._store, pair_id)
        example = examples.get(self._store, pair.example_id)
        prompt = prompt_of(example.messages) or example.messages
        first, second = (responses.get(self._store, number).messages for number in (pair.first_id, pair.second_id))
        said: list[str] = []
        found: list[Answer] = []
        for first_is_a in (True, False):
            a, b = (first, second) if first_is_a else (second, first)
            reply = self._speaker.say(ask(prompt, a, b, self._wanted.guidance), self._sampling)
            self._job.check()
            said.append(reply.text)
            found.append(answer_of(read(reply.text), first_is_a=first_is_a))
        judgement = Judgement(pair_id, self._speaker.name, found[0], found[1])
        return NewJudgement(judgement, self._parameters, (said[0], said[1]))


def _kind(judgement: Judgement) -> str:
    if "unclear" in (judgement.first_shown_left, judgement.first_shown_right):
        return "unclear"
    return "consistent" if judgement.consistent else "another answer in the other order"
