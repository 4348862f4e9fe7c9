"""The processes that look at examples, as the one sees them who tells them what to look at."""

import json
import selectors
import subprocess
import sys
from array import array
from collections.abc import Iterator
from tempfile import TemporaryFile

from studio.errors import StudioError
from studio.processors import usable_processors
from studio.project import Project

CHUNK = 200
"""Examples that a process is given at a time; what it found in them is kept when it has looked at all of them."""

POLL_SECONDS = 0.1
MOST_WORKERS = 8

DAMAGED = 65
"""The exit status by which a process says that the file of findings is no use any more."""


class Damaged(Exception):
    """The file of findings is no use any more."""


def processors() -> int:
    """Return how many processes are of use."""
    return min(usable_processors(), MOST_WORKERS)


class Team:
    """Processes that look at examples; the first one starts with this block, and all end with it."""

    def __init__(self, project: Project, most: int) -> None:
        self._project = project
        self._most = most
        self._all: list[_Worker] = []
        self._answers = selectors.DefaultSelector()

    def __enter__(self) -> "Team":
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def look(self, todo: "array[int]") -> Iterator[int]:
        """Have all of these examples looked at; yield every now and then how many of them were."""
        done, total = 0, len(todo)
        chunks = (todo[start : start + CHUNK].tolist() for start in range(0, total, CHUNK))
        yield done
        while len(self._all) < min(self._most, -(-total // CHUNK)):
            self._start()
        for worker in self._all:
            worker.ask(next(chunks, None))
        while done < total:
            for worker in self._answered():
                done += worker.answer()
                worker.ask(next(chunks, None))
            yield done

    def look_at_all(self) -> Iterator[None]:
        """Have the checks of all examples together run; yield every now and then until they were."""
        worker = self._all[0]
        worker.ask([])
        while worker not in self._answered():
            yield
        worker.answer()

    def _answered(self) -> list["_Worker"]:
        return [key.data for key, _ in self._answers.select(POLL_SECONDS)]

    def _start(self) -> None:
        self._all.append(worker := _Worker(self._project))
        self._answers.register(worker.answers, selectors.EVENT_READ, worker)

    def _end(self) -> None:
        for worker in self._all:
            worker.end()
        self._answers.close()


class _Worker:
    """One such process."""

    def __init__(self, project: Project) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        # -P: nothing of the folder that one happens to be in, a json.py say, stands in for a module.
        command = [sys.executable, "-P", "-m", "studio.lint.worker", str(project.folder.absolute())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True
        )
        assert self._process.stdout is not None
        self.answers = self._process.stdout

    def ask(self, example_ids: list[int] | None) -> None:
        """Give it examples to look at; an empty list stands for all of them together, None for nothing."""
        if example_ids is None:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(example_ids).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def answer(self) -> int:
        """Return how many examples it has looked at since the last answer."""
        line = self.answers.readline()
        if not line:
            raise self._failure()
        return int(line)

    def end(self) -> None:
        """End it, whatever it is doing: what it has kept is whole."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            if file is not None:
                file.close()

    def _failure(self) -> Exception:
        status = self._process.wait()
        if status == DAMAGED:
            return Damaged()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"status {status}"
        return StudioError(
            f"A process that runs the checks broke down: {reason}.", "What it had found is kept; run it again."
        )
