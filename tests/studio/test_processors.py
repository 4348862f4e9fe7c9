"""A container's share of the machine counts, not what it sees of it."""

import os
from pathlib import Path

import pytest

from studio.processors import usable_processors


@pytest.mark.parametrize(
    ("said", "expected"),
    [("150000 100000", 2), ("10000 100000", 1), ("max 100000", 64), ("6400000 100000", 64), ("", 64), (None, 64)],
)
def test_a_quota_bounds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, expected: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    quota = tmp_path / "cpu.max"
    if said is not None:
        quota.write_text(said)
    assert usable_processors(quota) == expected
