"""The job that varies prompts: by rule, by a model behind an endpoint, stopped and gone on with; and its command."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from chat_server import ChatServer, chat_server
from click.testing import CliRunner
from stored import examples_of

from store import examples, jobs, synthetic
from store.database import Store
from store.jobs import Job
from studio.cli import cli
from studio.errors import StudioError
from studio.jobs import launch, watch
from studio.jobs.handle import JobHandle
from studio.jobs.worker import do
from studio.project import Project, open_project
from studio.snapshots import build
from studio.synthetic.report import lines
from studio.synthetic.request import VaryRequest, plan

QUESTION = "Where is the book that I ordered last week from your shop in {}?"
TOWNS = ("Whitby", "Leeds", "Hull", "York")


@pytest.fixture
def asked(store: Store) -> list[int]:
    """Four questions with answers, the last two held out."""
    return [
        examples.add(
            store,
            record_id=None,
            messages=[
                {"role": "user", "content": QUESTION.format(town)},
                {"role": "assistant", "content": f"On its way to {town}."},
            ],
            split="train" if number < 2 else "test",
        )
        for number, town in enumerate(TOWNS)
    ]


@pytest.fixture
def server(project: Project) -> Iterator[ChatServer]:
    """An endpoint whose model asks the same in other words, of each town once."""
    with chat_server(lambda request: f"What became of my parcel to {town_in(request)}?") as serving:
        serving.configure(project.folder)
        yield serving


def town_in(request: dict) -> str:
    return next(town for town in TOWNS if town in request["messages"][-1]["content"])


def make(project: Project, store: Store, request: VaryRequest, handle: JobHandle | None = None) -> Job:
    """Do a job to its end in this process."""
    job_id = handle.id if handle else jobs.add(store, "prompts", request.as_json())
    handle = handle or JobHandle(store, jobs.get(store, job_id))
    do(open_project(project.folder), store, handle)
    return jobs.get(store, job_id)


def by_endpoint(project: Project, store: Store, methods: list[str], **more) -> VaryRequest:
    request = plan(open_project(project.folder), store, methods, model="endpoint:m", **more)
    return replace(request, send=True)


def test_typos_are_made_without_a_model_each_in_the_split_of_its_source(project, store, asked) -> None:
    job = make(project, store, plan(project, store, ["typos"], n=3))
    assert (job.state, job.done, job.total, job.error) == ("done", 12, 12, "")
    assert job.made + sum(job.facts["dropped"].values()) == 12
    made = [example for example in examples_of(store) if example.id not in asked]
    assert len(made) == job.made > 6
    origins = synthetic.origins(store, [example.id for example in made])
    assert {origin.model for origin in origins.values()} == {""}
    for example in made:
        source = examples.get(store, origins[example.id].source_id)
        assert (example.split, example.status) == (source.split, "draft")
        assert example.messages != source.messages[:1]
        assert example.messages[0]["role"] == "user"
    assert len({example.messages[0]["content"] for example in made}) == len(made)


def test_the_same_seed_makes_the_same_and_makes_nothing_twice(project, store, asked) -> None:
    request = plan(project, store, ["typos"], n=2, seed=3)
    first = make(project, store, request)
    again = make(project, store, request)
    assert (again.made, again.facts["dropped"]) == (0, {"a copy": first.total})


def test_a_model_s_words_are_kept_with_all_that_made_them(project, store, asked, server) -> None:
    job = make(project, store, by_endpoint(project, store, ["paraphrase"]))
    assert (job.state, job.made, job.facts["dropped"]) == ("done", 4, {})
    made = synthetic.of_sources(store, asked)[asked[0]][0]
    assert examples.get(store, made.example_id).messages == [
        {"role": "user", "content": "What became of my parcel to Whitby?"}
    ]
    assert (made.model, made.method, made.job_id) == ("endpoint:m", "paraphrase", job.id)
    assert made.parameters["endpoint"].startswith("http://127.0.0.1")
    assert made.parameters["instructions"]["hash"]
    assert made.parameters["seed"] == server.asked[0]["seed"]
    assert "On its way" not in json.dumps(server.asked)


def test_what_is_no_new_prompt_is_dropped_and_counted(project, store, asked, server) -> None:
    said = {
        "Whitby": "Your book is on its way.",
        "Leeds": QUESTION.format("Leeds"),
        "Hull": "I'm sorry, but I can't help with that?",
        "York": "What became of my parcel?",
    }
    server.answer = lambda request: said[town_in(request)]
    job = make(project, store, by_endpoint(project, store, ["paraphrase"], n=2))
    assert job.facts["dropped"] == {"an answer": 2, "a copy": 3, "a refusal": 2}
    assert job.made == 1
    assert lines(job)[:2] == ["1 of 8 prompts made.", "7 dropped: 3 a copy, 2 a refusal, 2 an answer."]


def test_one_that_is_a_prompt_of_the_project_already_is_dropped(project, store, asked, server) -> None:
    held_out = [{"role": "user", "content": "What became of my parcel to Leeds?"}]
    examples.add(store, record_id=None, messages=held_out, split="test")
    job = make(project, store, by_endpoint(project, store, ["paraphrase"], ids=asked))
    assert (job.made, job.facts["dropped"]) == (3, {"a copy": 1})


def test_a_stopped_job_goes_on_where_it_was(project, store, asked, server) -> None:
    request = by_endpoint(project, store, ["paraphrase"])
    handle = JobHandle(store, jobs.get(store, jobs.add(store, "prompts", request.as_json())))

    def answer(body: dict) -> str:
        if len(server.asked) == 3:
            handle.stop()
        return f"What became of my parcel to {town_in(body)}?"

    server.answer = answer
    stopped = make(project, store, request, handle)
    assert (stopped.state, stopped.done, stopped.made) == ("stopped", 2, 2)
    jobs.started(store, stopped.id, pid=1, pid_started=0.0)
    job = make(project, store, request, JobHandle(store, jobs.get(store, stopped.id)))
    assert (job.state, job.done, job.made) == ("done", 4, 4)
    assert sorted(town_in(body) for body in server.asked) == sorted([*TOWNS, "Hull"])


def test_unreviewed_ones_are_in_no_snapshot_and_say_why(project, store, asked) -> None:
    make(project, store, plan(project, store, ["typos"], ids=asked[:1]))
    [made] = synthetic.ids(store)
    answered = [*examples.get(store, made).messages, {"role": "assistant", "content": "On its way."}]
    examples.revise(store, made, answered)
    assert build(store, "sft").left_out == {"synthetic and not approved yet": 1}
    examples.set_status(store, made, "approved")
    built = build(store, "sft")
    assert (built.left_out, len(built.rows)) == ({}, 5)


def test_a_variation_never_brings_a_held_out_prompt_into_training(project, store, asked) -> None:
    make(project, store, plan(project, store, ["typos"], ids=asked[:1]))
    [made] = synthetic.ids(store)
    examples.set_status(store, made, "approved")
    answered = [{"role": "user", "content": QUESTION.format("Hull")}, {"role": "assistant", "content": "Yes."}]
    examples.revise(store, made, answered)
    assert build(store, "sft").left_out == {"its prompt is in the test split": 1}


def test_what_can_not_be_varied_is_said(project, store) -> None:
    with pytest.raises(StudioError, match="no example to vary"):
        plan(project, store, ["typos"])
    with pytest.raises(StudioError, match="no way to vary prompts named 'typo'"):
        plan(project, store, ["typo"])
    answer_only = examples.add(
        store, record_id=None, messages=[{"role": "assistant", "content": "Just words here."}], split="train"
    )
    job = make(project, store, plan(project, store, ["typos"], ids=[answer_only]))
    assert (job.made, job.facts["dropped"]) == (0, {"no question of a user": 1})


def test_of_many_examples_some_are_drawn_and_stay_drawn(project, store, asked) -> None:
    request = plan(project, store, ["typos", "harder"], limit=2, n=3, seed=4)
    assert request == plan(project, store, ["typos", "harder"], limit=2, n=3, seed=4)
    assert (len(request.ids), request.total, request.asked_of_model) == (2, 12, 6)
    assert VaryRequest.from_json(json.loads(json.dumps(request.as_json()))) == request
    steps = list(request.steps())
    assert len({step.seed for step in steps}) == 12
    assert list(request.steps(5)) == steps[5:]


def test_the_command_makes_drafts_and_counts_them(project, store, asked) -> None:
    result = CliRunner().invoke(cli, ["vary", "typos", "--query", "split:test", "--project", str(project.folder)])
    assert result.exit_code == 0, result.output
    assert "2 of 2 prompts made." in result.output
    assert "is:synthetic status:draft" in result.output
    assert {origin.source_id for origin in synthetic.origins(store, synthetic.ids(store)).values()} == set(asked[2:])


def test_nothing_leaves_the_machine_before_one_agrees(project, store, asked, server) -> None:
    arguments = ["vary", "paraphrase", "--model", "endpoint:m", "--project", str(project.folder)]
    refused = CliRunner().invoke(cli, arguments)
    assert isinstance(refused.exception, StudioError)
    assert "the last message of 4 prompts" in refused.exception.message
    assert "--send" in refused.exception.hint
    assert (server.asked, jobs.standings(store)) == ([], [])
    agreed = CliRunner().invoke(cli, [*arguments, "--send"])
    assert "4 of 4 prompts made." in agreed.output


def test_a_model_that_is_not_there_is_said_before_a_job_is_started(project, store, asked) -> None:
    def vary(method: str) -> BaseException | None:
        arguments = ["vary", method, "--model", "no-such-model", "--project", str(project.folder)]
        return CliRunner().invoke(cli, arguments).exception

    refused = vary("paraphrase")
    assert isinstance(refused, StudioError)
    assert refused.message == "There is no model 'no-such-model'."
    assert jobs.standings(store) == []
    # A rule needs none.
    assert vary("typos") is None


@pytest.mark.model
@pytest.mark.xdist_group("engine")
def test_the_small_model_makes_what_it_can_and_all_is_accounted_for(project, store, asked, base_model) -> None:
    request = plan(project, store, ["paraphrase", "persona"], ids=asked[:1])
    job_id = launch.start(project, store, "prompts", request.as_json())
    while watch.job_named(store, job_id).state == "running":
        time.sleep(0.05)
    job = watch.job_named(store, job_id)
    assert (job.state, job.done, job.error) == ("done", 2, "")
    assert job.made + sum(job.facts["dropped"].values()) == 2
    for origin in synthetic.origins(store, synthetic.ids(store)).values():
        assert (origin.model, origin.parameters["model"]) == ("smollm2", "smollm2")
        assert origin.parameters["model_hash"]
