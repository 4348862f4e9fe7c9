"""Jobs in processes of their own: killed, stopped, gone on with, and never two at a time."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chat_server import ChatServer, chat_server, said_by_seed
from click.testing import CliRunner
from stored import responses_of

from store import examples, jobs
from store.database import Store
from store.errors import MissingRowError
from store.jobs import Job, JobState
from studio.cli import cli
from studio.errors import StudioError
from studio.generating import plan
from studio.generating.wanted import Wanted, wanted
from studio.jobs import launch, watch
from studio.project import Project, open_project

PROMPTS = 8
NO_PROCESS = 2**22 + 1


@pytest.fixture
def slow(project: Project, store: Store) -> Iterator[ChatServer]:
    """An endpoint that takes its time, and prompts for it."""
    for number in range(PROMPTS):
        messages = [{"role": "user", "content": f"What is {number}?"}]
        examples.add(store, record_id=None, messages=messages, split="train")
    with chat_server(lambda request: (time.sleep(0.1), said_by_seed(request))[1]) as server:
        server.configure(project.folder)
        yield server


def request() -> Wanted:
    return wanted(("endpoint:parrot",), tuple(range(1, PROMPTS + 1)), n=2, seed=3, send=True)


def wait(store: Store, job_id: int, until: Callable[[Job], bool]) -> Job:
    for _ in range(1_200):
        job = watch.job_named(store, job_id)
        if until(job):
            return job
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {job}")


def has_ended(job: Job) -> bool:
    return job.state != "running"


def test_a_job_killed_at_any_moment_goes_on_and_makes_each_reply_once(
    project: Project, store: Store, slow: ChatServer
) -> None:
    here = open_project(project.folder)
    job_id = launch.start(here, store, "candidates", request().as_request())
    with pytest.raises(StudioError, match=f"Job {job_id} is going on"):
        launch.start(here, store, "candidates", request().as_request())
    for made in (2, 7):
        job = wait(store, job_id, lambda job, made=made: job.made >= made)
        assert job.pid is not None
        os.kill(job.pid, signal.SIGKILL)
        job = wait(store, job_id, has_ended)
        assert (job.state, "without a word" in job.error) == ("failed", True)
        assert job.made == job.done == len(responses_of(store))
        launch.resume(here, store, job_id)
    job = wait(store, job_id, has_ended)
    assert (job.state, job.error, job.done, job.made) == ("done", "", PROMPTS * 2, PROMPTS * 2)
    made_of = Counter((one.example_id, one.parameters["seed"]) for one in responses_of(store))
    told = {(n, request().seed_of("endpoint:parrot", n, slot, 0)) for n in range(1, 9) for slot in request().slots}
    assert set(made_of) == told
    assert set(made_of.values()) == {1}
    # At most the one that was being made was asked for twice.
    assert len(slow.asked) <= PROMPTS * 2 + 2
    with pytest.raises(StudioError, match="nothing to resume"):
        launch.resume(here, store, job_id)


def test_a_stopped_job_keeps_what_it_made(project: Project, store: Store, slow: ChatServer) -> None:
    job_id = launch.start(open_project(project.folder), store, "candidates", request().as_request())
    wait(store, job_id, lambda job: job.made >= 1)
    launch.stop(store, job_id)
    job = wait(store, job_id, has_ended)
    assert job.state == "stopped"
    assert 1 <= job.made == len(responses_of(store)) < PROMPTS * 2
    assert "seconds_each" in job.facts or job.made < 2
    with pytest.raises(StudioError, match="not going on; it is stopped"):
        launch.stop(store, job_id)


def test_a_stop_that_comes_before_the_process_listens_is_heard(
    project: Project, store: Store, slow: ChatServer
) -> None:
    job_id = launch.start(open_project(project.folder), store, "candidates", request().as_request())
    launch.stop(store, job_id)
    assert wait(store, job_id, has_ended).state == "stopped"


def test_what_was_agreed_to_is_sent_nowhere_else(project: Project, store: Store, slow: ChatServer) -> None:
    here = open_project(project.folder)
    job_id = launch.start(here, store, "candidates", request().as_request())
    wait(store, job_id, lambda job: job.made >= 1)
    launch.stop(store, job_id)
    wait(store, job_id, has_ended)
    with chat_server() as other:
        settings = project.folder / "studio.toml"
        settings.write_text(settings.read_text().replace(slow.url, other.url))
        with pytest.raises(StudioError, match=f"agreed to send to {slow.url}"):
            launch.resume(open_project(project.folder), store, job_id)
        # A window that was opened before the settings changed: its user read of the former endpoint.
        launch.resume(here, store, job_id)
        job = wait(store, job_id, has_ended)
        assert (job.state, "Nothing was sent" in job.error) == ("failed", True)
        job_id = launch.start(here, store, "candidates", request().as_request())
        job = wait(store, job_id, has_ended)
        assert (job.state, "Nothing was sent" in job.error) == ("failed", True)
        assert other.asked == []


def test_a_model_file_is_found_from_wherever_the_job_goes_on(
    project: Project, store: Store, slow: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF of nothing")
    monkeypatch.chdir(tmp_path)
    asked = wanted(("tiny.gguf", "./tiny.gguf", "smollm2"), (1,), seed=1)
    job_id = plan.begin(open_project(project.folder), store, asked)
    launch.stop(store, job_id)
    wait(store, job_id, has_ended)
    assert jobs.get(store, job_id).request["models"] == [str(tmp_path / "tiny.gguf"), "smollm2"]


def test_a_job_that_cannot_be_done_says_why(project: Project, store: Store, slow: ChatServer) -> None:
    asked = wanted(("no-such-model",), (1,), seed=1)
    job_id = launch.start(open_project(project.folder), store, "candidates", asked.as_request())
    job = wait(store, job_id, has_ended)
    assert (job.state, "There is no model 'no-such-model'" in job.error) == ("failed", True)


def test_a_job_whose_process_is_gone_is_found_out(store: Store) -> None:
    job_id = jobs.add(store, "candidates", request().as_request())
    jobs.started(store, job_id, pid=NO_PROCESS, pid_started=1.0)
    jobs.progressed(store, job_id, done=3, total=16, made=2, facts={})
    [job] = watch.standings(store)
    assert job.state == "failed"
    assert watch.describe(job).startswith("3 of 16, 2 made, its process ended without a word")
    assert launch.going_on(store) is None
    with pytest.raises(MissingRowError):
        jobs.get(store, 99)


@pytest.mark.parametrize(
    ("state", "facts", "words"),
    [
        ("running", {}, "4 of 16, 4 made, starting"),
        ("running", {"seconds_each": 3.0}, "4 of 16, 4 made, 20 a minute, about 36 s left"),
        ("running", {"seconds_each": 0.001}, "4 of 16, 4 made, 60,000 a minute, about 1 s left"),
        ("running", {"seconds_each": 80.0}, "4 of 16, 4 made, 0.75 a minute, about 16 min left"),
        ("running", {"doing": "beginning with m"}, "4 of 16, 4 made, beginning with m"),
        ("done", {"seconds_each": 3.0}, "4 of 16, 4 made"),
    ],
)
def test_progress_is_said_in_a_line(store: Store, state: JobState, facts: dict[str, object], words: str) -> None:
    job_id = jobs.add(store, "candidates", {})
    jobs.progressed(store, job_id, done=4, total=16, made=4, facts=facts)
    if state != "running":
        jobs.ended(store, job_id, state)
    assert watch.describe(jobs.get(store, job_id).standing) == words
    assert list(map(watch.describe, jobs.standings(store))) == [words]


def test_the_command_tells_what_it_does_makes_it_and_lists_it(project: Project, store: Store, slow: ChatServer) -> None:
    run = CliRunner()
    here = ["--project", str(project.folder)]
    asked = ["generate", "--model", "endpoint:parrot", "--query", "id:1", *here]
    refused = run.invoke(cli, asked)
    assert isinstance(refused.exception, StudioError)
    assert "This sends 1 prompt (example 1;" in refused.output
    assert slow.asked == []
    done = run.invoke(cli, [*asked, "--send", "--seed", "4", "--n", "3"])
    assert done.exit_code == 0, done.exception
    assert "1 prompt, 3 each from endpoint:parrot: 3 replies." in done.output
    assert "3 replies made" in done.output
    assert run.invoke(cli, ["jobs", *here]).output.splitlines()[0].split()[:4] == ["1", "new", "replies", "done"]
    again = run.invoke(cli, ["generate", "--resume", "1", *here])
    assert "nothing to resume" in str(again.exception)
    more = run.invoke(cli, ["generate", "--resume", "1", "--n", "5", *here])
    assert "makes what it was asked for" in str(more.exception)
    nothing = run.invoke(cli, ["generate", "--query", "text:nowhere", *here])
    assert "No prompt is meant" in str(nothing.exception)
