"""What was agreed to goes where it was agreed to: a job remembers the endpoint that its user was told of."""

from collections.abc import Mapping
from typing import Any

from store.jobs import Job
from studio.errors import StudioError
from studio.project import Project

AGREED = "agreed"
"""The fact of a job that holds the endpoint's address, and the name of the variable with its key."""


def agreed(project: Project, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job is to remember: where its user agreed to have something sent; nothing where they did not."""
    return {AGREED: _place(project)} if request.get("send") else {}


def check(project: Project, job: Job) -> None:
    """Refuse to send anything elsewhere: the settings may have changed since, also while the job is being started.

    Raises:
        StudioError: they name another endpoint, or another key, than when it was agreed to.
    """
    before = job.facts.get(AGREED)
    if before is not None and before != _place(project):
        raise StudioError(
            f"Nothing was sent: it was agreed to send to {before[0]}, and studio.toml names another endpoint or key"
            " since.",
            "Begin a new job for that one, or put the former back.",
        )


def _place(project: Project) -> list[str]:
    return [project.settings.generate.endpoint, project.settings.generate.endpoint_key]
