"""A command line that is run as its user does."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.cli import main

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        assert self.err == ""
        return json.loads(self.out)


Studio = Callable[..., Outcome]


@pytest.fixture
def studio(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Studio:
    """A function that runs the command line in a folder of its own, as the `studio` script does."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def preferences(tmp_path: Path) -> Path:
    """A file of six judged pairs, one row that is no JSON and one that lacks an answer."""
    rows = [json.dumps({"prompt": f"Q{n}", "chosen": f"good {n}", "rejected": f"bad {n}"}) for n in range(6)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*rows, "{broken", json.dumps({"prompt": "Q", "chosen": "good"})]) + "\n")
    return path


def assert_fails(outcome: Outcome, *words: str, status: int = 1) -> None:
    """One sentence or two on standard error, nothing on standard output, no traceback."""
    assert (outcome.status, outcome.out) == (status, "")
    assert "Traceback" not in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("studio: ")
    for word in words:
        assert word in outcome.err
