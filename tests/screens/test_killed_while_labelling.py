"""The real app, killed while it labels: a short form of tests/bench/killed.py."""

import random
from pathlib import Path

from killed import NO_REPEATS, kill_while_labelling
from labelling_terminal import make_project


def test_no_verdict_that_was_shown_as_taken_is_lost(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", 60, NO_REPEATS)
    found = kill_while_labelling(project, 8, random.Random(5))
    assert found.wrong == []
    assert len(found.shown) > 8
