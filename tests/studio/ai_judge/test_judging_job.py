"""The job that asks a judge: both orders, at temperature 0, only about what the person has decided; and its command."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from chat_server import ChatServer, chat_server
from click.testing import CliRunner
from stored import waiting_pairs

from store import examples, jobs, journal, judgements, pairs, responses
from store.database import Store
from store.jobs import Job
from store.judgements import Judgement
from studio.ai_judge.report import read
from studio.ai_judge.request import JudgeRequest, plan
from studio.cli import cli
from studio.errors import StudioError
from studio.jobs import launch, watch
from studio.jobs.handle import JobHandle
from studio.jobs.worker import do
from studio.project import Project, open_project

TASKS = '\n[[tasks]]\nname = "tone"\ninstructions = "The kinder one."\ncriteria = ["warmth"]\n'


@pytest.fixture
def decided(project: Project, store: Store) -> list[int]:
    """Four pairs of a kind and a rude reply, of which the person decided three; the second one is a tie."""
    found = []
    for number in range(4):
        prompt = [{"role": "user", "content": f"Where is book {number}?"}]
        example = examples.add(store, record_id=None, messages=prompt, split="train")
        ids = [
            responses.add(store, example, [{"role": "assistant", "content": f"{text} {number}"}], origin="file")
            for text in ("Kind", "Rude")
        ]
        found.append(pairs.add_pair(store, example, *ids, seed=number))
    for pair_id, verdict, task in zip(found[:3], ("left", "tie", "left"), ("tone", "", "tone"), strict=True):
        journal.judge(store, pairs.get(store, pair_id), verdict, rater=project.rater, task=task)
    return found


def likes_kind(request: dict) -> str:
    asked = request["messages"][-1]["content"]
    return f"It is kind.\nVERDICT: {'A' if asked.index('Kind') < asked.index('Rude') else 'B'}"


@pytest.fixture
def server(project: Project) -> Iterator[ChatServer]:
    """An endpoint whose model likes the kind reply, wherever it stands."""
    with chat_server(likes_kind) as serving:
        serving.configure(project.folder)
        yield serving


def make(project: Project, store: Store, handle: JobHandle | None = None, **more) -> Job:
    """Ask the endpoint's judge to the end, in this process."""
    if handle is None:
        project = open_project(project.folder)
        request = replace(plan(project, store, model="endpoint:m", **more), send=True)
        handle = JobHandle(store, jobs.get(store, jobs.add(store, "judge", request.as_json())))
    do(open_project(project.folder), store, handle)
    return jobs.get(store, handle.id)


def test_each_decided_pair_is_asked_about_in_both_orders(project, store, decided, server) -> None:
    job = make(project, store)
    assert (job.state, job.made, job.facts["counts"]) == ("done", 3, {"consistent": 3})
    assert len(server.asked) == 6
    assert {request["temperature"] for request in server.asked} == {0.0}
    assert not any("book 3" in request["messages"][-1]["content"] for request in server.asked)
    second = judgements.seconds(store, project.rater, "endpoint:m", decided)[decided[0]]
    assert second.judgement == Judgement(decided[0], "endpoint:m", "first", "first")
    assert second.replies == ("It is kind.\nVERDICT: A", "It is kind.\nVERDICT: B")


def test_the_journal_is_left_alone(project, store, decided, server) -> None:
    before = list(journal.entries(store))
    make(project, store)
    assert list(journal.entries(store)) == before
    assert [pair.id for pair in waiting_pairs(store)] == decided[3:]


def test_a_judge_that_follows_the_order_is_not_consistent(project, store, decided, server) -> None:
    server.answer = lambda _: "VERDICT: A"
    assert make(project, store).facts["counts"] == {"another answer in the other order": 3}
    report = read(store, project.rater)
    assert report is not None
    assert (report.judges[0].consistent.part, report.judges[0].compared) == (0, 0)


def test_what_can_not_be_read_is_unclear(project, store, decided, server) -> None:
    server.answer = lambda request: "A, I think."
    assert make(project, store).facts["counts"] == {"unclear": 3}


def test_nothing_is_asked_twice_unless_the_judge_is_told_something_else(project, store, decided, server) -> None:
    make(project, store)
    again = make(project, store)
    assert (again.made, again.facts["counts"], len(server.asked)) == (0, {"asked before": 3}, 6)
    with (project.folder / "studio.toml").open("a") as file:
        file.write(TASKS)
    told = make(project, store, task="Tone")
    assert (told.made, len(server.asked)) == (2, 10)
    asked = server.asked[-1]["messages"][-1]["content"]
    assert "The kinder one." in asked
    assert "warmth" in asked


def test_a_stopped_job_goes_on_where_it_was(project, store, decided, server) -> None:
    request = replace(plan(open_project(project.folder), store, model="endpoint:m"), send=True)
    handle = JobHandle(store, jobs.get(store, jobs.add(store, "judge", request.as_json())))

    def answer(body: dict) -> str:
        if len(server.asked) == 4:
            handle.stop()
        return likes_kind(body)

    server.answer = answer
    stopped = make(project, store, handle)
    assert (stopped.state, stopped.done, stopped.made) == ("stopped", 1, 1)
    jobs.started(store, stopped.id, pid=1, pid_started=0.0)
    job = make(project, store, JobHandle(store, jobs.get(store, stopped.id)))
    assert (job.state, job.done, job.made) == ("done", 3, 3)


def test_a_judge_is_never_asked_before_the_person(project, store, decided) -> None:
    assert set(plan(project, store).pairs) == set(decided[:3])
    for _ in range(3):
        journal.undo(store, rater=project.rater)
    with pytest.raises(StudioError, match="never asked before the person"):
        plan(project, store)


def test_new_pairs_come_first_and_the_request_is_plain_json(project, store, decided, server) -> None:
    make(project, store, limit=2)
    known = judgements.pairs_of(store, "endpoint:m")
    request = plan(open_project(project.folder), store, model="endpoint:m")
    assert len(known) == 2
    assert request.pairs[0] not in known
    assert JudgeRequest.from_json(json.loads(json.dumps(request.as_json()))) == request


def test_the_command_says_what_leaves_asks_and_reports(project, store, decided, server) -> None:
    arguments = ["judge", "--model", "endpoint:m", "--project", str(project.folder)]
    refused = CliRunner().invoke(cli, arguments)
    assert isinstance(refused.exception, StudioError)
    assert "3 prompts, each with two replies" in refused.exception.message
    assert server.asked == []
    agreed = CliRunner().invoke(cli, [*arguments, "--send"])
    assert agreed.exit_code == 0, agreed.output
    assert "3 of 3 pairs: 3 consistent." in agreed.output
    printed = CliRunner().invoke(cli, ["judge", "--report", "--json", "--project", str(project.folder)])
    [figures] = json.loads(printed.output)["report"]["judges"]
    assert (figures["judge"], figures["compared"], figures["first"]["part"]) == ("endpoint:m", 3, 2)


@pytest.mark.parametrize(
    ("model", "words"),
    [("no-such-model", "There is no model 'no-such-model'."), ("endpoint:m", "No endpoint is configured")],
)
def test_a_model_that_can_not_be_asked_is_said_before_a_job_is_started(project, store, decided, model, words) -> None:
    refused = CliRunner().invoke(cli, ["judge", "--model", model, "--send", "--project", str(project.folder)])
    assert isinstance(refused.exception, StudioError)
    assert refused.exception.message.startswith(words)
    assert jobs.standings(store) == []


@pytest.mark.model
@pytest.mark.xdist_group("engine")
def test_the_small_model_is_asked_and_its_poor_judging_shows(project, store, decided, base_model) -> None:
    request = replace(plan(project, store, limit=1), max_tokens=12)
    job_id = launch.start(project, store, "judge", request.as_json())
    while watch.job_named(store, job_id).state == "running":
        time.sleep(0.05)
    job = watch.job_named(store, job_id)
    assert (job.state, job.made, job.error) == ("done", 1, "")
    report = read(store, project.rater)
    assert report is not None
    assert (report.judges[0].judge, report.judges[0].clear.of) == ("smollm2", 1)
