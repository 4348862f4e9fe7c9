"""Which runs can be talked to, and what is said of those that can't."""

import pytest

from store import runs
from store.database import Store
from studio.errors import StudioError
from studio.inference.chat import check_can_chat
from studio.project import Project
from tests.studio.training.ended_runs import made


@pytest.mark.parametrize(
    ("status", "what_to_do"), [("queued", "Wait"), ("stopped", "resume"), ("done", "transformers")]
)
def test_a_run_without_anything_to_chat_with_says_what_to_do(
    project: Project, store: Store, status: runs.RunStatus, what_to_do: str
) -> None:
    run = made(project, store)
    check_can_chat(project, run)
    (project.runs / run.id / "adapter.gguf").unlink()
    runs.update(store, run.id, status=status)
    with pytest.raises(StudioError) as refused:
        check_can_chat(project, runs.get(store, run.id))
    assert what_to_do in (refused.value.hint or "")
