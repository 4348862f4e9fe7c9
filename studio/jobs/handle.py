"""A job as its process holds it: says how far it is, and hears that it shall stop."""

import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from store import jobs
from store.database import Store
from store.jobs import Job

PACE_OF = 20
"""Steps whose times say how long the rest will take."""


class StoppedError(Exception):
    """A job was asked to stop: what came of the step that it was at is nothing, such as half a reply of a model."""


class JobHandle:
    """What `run` of a kind of job is given: progress in, stop out."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store = store
        self._job = job
        self.made = job.made
        """What has come of the job so far."""
        self._stopping = threading.Event()
        self._on_stop: list[Callable[[], object]] = []
        self._steps: deque[tuple[float, int]] = deque(maxlen=PACE_OF)
        self.facts: dict[str, Any] = dict(job.facts)
        """What is kept with the job as JSON at the next progress: counts, lists. A resumed job finds it again."""

    @property
    def id(self) -> int:
        """The job's number, for what it makes."""
        return self._job.id

    @property
    def done(self) -> int:
        """Steps that were behind it when this process began: it goes on with the next."""
        return self._job.done

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    def check(self) -> None:
        """Go on, unless it was asked to stop.

        Raises:
            StoppedError: it was.
        """
        if self.stopping:
            raise StoppedError

    def on_stop(self, call: Callable[[], object]) -> None:
        """Call this, in another thread, when it is asked to stop: `Speaker.cancel`, say."""
        self._on_stop.append(call)
        if self.stopping:
            call()

    def progress(self, done: int, total: int, made: int) -> None:
        """Note how far it is; inside a transaction, so that what was made and this are on the disk together."""
        self.facts.pop("doing", None)
        moment = time.monotonic()
        if not self._steps or done != self._steps[-1][1]:
            self._steps.append((moment, done))
        (began, first), (last, latest) = self._steps[0], self._steps[-1]
        if latest > first:
            self.facts["seconds_each"] = (last - began) / (latest - first)
        self.made = made
        jobs.progressed(self._store, self.id, done=done, total=total, made=made, facts=self.facts)

    def doing(self, words: str, total: int = 0) -> None:
        """Say what it is at, in words; empty where the numbers say it."""
        # What takes long besides, such as loading a model, says nothing of the pace.
        self._steps.clear()
        self.facts["doing"] = words
        job = jobs.get(self._store, self.id)
        jobs.progressed(self._store, self.id, done=job.done, total=total or job.total, made=job.made, facts=self.facts)

    def listen_for_stop(self) -> None:
        """Take SIGTERM as the wish to stop; called once, before any other thread is there."""
        # A thread that waits for the signal may take locks, which a signal's handler must not.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=self._wait_for_stop, daemon=True).start()

    def stop(self) -> None:
        """Ask it to stop."""
        self._stopping.set()
        for call in self._on_stop:
            call()

    def _wait_for_stop(self) -> None:
        while True:
            signal.sigwait({signal.SIGTERM})
            self.stop()
