"""What is said of a run before it is started: whether it waits, and for what."""

from dataclasses import replace

from screens.run_start import waiting
from store import runs
from store.database import Store
from studio.project import Project
from studio.settings import TrainSettings
from tests.studio.training.ended_runs import made


def test_a_run_waits_where_as_many_go_on_as_may(project: Project, store: Store) -> None:
    def add() -> str:
        return made(project, store, status="queued").id

    two = replace(project, settings=replace(project.settings, train=TrainSettings(at_once=2)))
    assert waiting(project, store) == waiting(two, store) == ""
    first = add()
    assert waiting(project, store) == f" It waits until {first} has ended."
    assert waiting(two, store) == ""
    second = add()
    assert waiting(project, store) == f" It waits until {second} has ended."
    assert waiting(two, store) == " It waits for its turn."
    runs.update(store, first, status="done")
    assert waiting(two, store) == ""
