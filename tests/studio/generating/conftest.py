"""Prompts to answer, and a model behind a real endpoint of this machine."""

from collections.abc import Callable, Iterator

import pytest
from chat_server import ChatServer, chat_server
from prompting import add_prompt

from store import jobs
from store.database import Store
from store.jobs import Job
from studio.generating.wanted import Wanted
from studio.jobs.handle import JobHandle
from studio.jobs.worker import do
from studio.project import Project, open_project

Make = Callable[[Wanted], Job]


@pytest.fixture
def server(project: Project) -> Iterator[ChatServer]:
    """An endpoint that the project's settings name."""
    with chat_server() as serving:
        serving.configure(project.folder)
        yield serving


@pytest.fixture
def prompts(store: Store) -> tuple[int, ...]:
    """Three examples that ask something."""
    return tuple(add_prompt(store, f"What is {number} + {number}?") for number in (1, 2, 3))


@pytest.fixture
def make(project: Project, store: Store, server: ChatServer) -> Make:
    """Do a job to its end in this process."""

    def run(wanted: Wanted) -> Job:
        job_id = jobs.add(store, "candidates", wanted.as_request())
        do(open_project(project.folder), store, JobHandle(store, jobs.get(store, job_id)))
        return jobs.get(store, job_id)

    return run
