"""Candidates of the real small model: killed in the midst of it, gone on with, and all of their origin recorded."""

import os
import signal
import time
from dataclasses import asdict

import pytest
from prompting import add_prompt
from stored import responses_of, waiting_pairs

from store import examples, jobs
from store.database import Store
from store.responses import Response
from studio.generating import plan
from studio.generating.speakers import speaker_of
from studio.generating.wanted import wanted
from studio.inference.engine import Engine, Sampling
from studio.jobs import launch, watch
from studio.models import BaseModel, model_hash
from studio.project import Project
from studio.rendering import ChatTokenizer

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("engine")]


def test_replies_of_a_model_survive_a_kill_and_say_where_they_came_from(
    project: Project, store: Store, base_model: BaseModel, tokenizer: ChatTokenizer
) -> None:
    long = add_prompt(store, "word " * 5_000)
    asked = [add_prompt(store, "Name a colour."), add_prompt(store, "Name an animal.")]
    request = wanted(
        ("smollm2",), plan.prompts(store), n=1, temperatures=(0.4, 1.2), max_tokens=12, seed=7, pairs="temperatures"
    )
    job_id = plan.begin(project, store, request)
    while not (job := watch.job_named(store, job_id)).made:
        assert job.state == "running", job.error
        time.sleep(0.02)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGKILL)
    while (job := watch.job_named(store, job_id)).state == "running":
        time.sleep(0.02)
    assert job.state == "failed"
    kept = responses_of(store)
    assert kept
    launch.resume(project, store, job_id)
    while (job := watch.job_named(store, job_id)).state == "running":
        time.sleep(0.05)
    assert (job.state, job.error, job.done) == ("done", "", 6)
    assert job.facts["too long"] == [long]
    found = responses_of(store)
    assert found[: len(kept)] == kept
    assert [(one.example_id, one.parameters["temperature"]) for one in found] == [
        (example, heat) for example in asked for heat in (0.4, 1.2)
    ]
    for one in found:
        told = one.parameters
        assert (one.origin, one.author, told["model"]) == ("model", "smollm2", "smollm2")
        assert (told["model_hash"], told["template_hash"]) == (model_hash(base_model), tokenizer.hash)
        slot = (told["temperature"], 0)
        assert told["seed"] in [request.seed_of("smollm2", one.example_id, slot, attempt) for attempt in range(4)]
        assert told["engine"].startswith("llama-cpp-python ")
        assert told["ended"] in ("stop", "length")
    assert {(pair.first_id, pair.second_id) for pair in waiting_pairs(store)} == {
        (found[0].id, found[1].id),
        (found[2].id, found[3].id),
    }
    assert jobs.running(store) == []
    _are_said_again(project, store, found)


def _are_said_again(project: Project, store: Store, found: list[Response]) -> None:
    """Ask once more with what is recorded, in another order: the same must be said, whatever was asked before."""
    with Engine(project.folder / "engine.log") as engine:
        model = speaker_of(project, store, "smollm2", engine)
        for one in reversed(found):
            sampling = Sampling(**{name: one.parameters[name] for name in asdict(Sampling())})
            said = model.say(examples.get(store, one.example_id).messages, sampling)
            assert said.text == one.messages[0]["content"]
