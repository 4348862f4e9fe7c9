"""Requests from the user's side; a wish to stop takes effect at once, whatever goes on."""

import queue
import threading
from typing import BinaryIO

import orjson

from studio.inference.llama.steps import Message


class Inbox:
    """What is asked, read in a thread of its own."""

    def __init__(self, stream: BinaryIO) -> None:
        self._requests: queue.Queue[Message | None] = queue.Queue()
        self._lock = threading.Lock()
        self._open: set[int] = set()
        self._cancelled: set[int] = set()
        self._closed = False
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def next(self, timeout: float | None) -> Message | None:
        """Return the next request, None once the user's side has gone.

        Raises:
            queue.Empty: none came in that time.
        """
        return self._requests.get(timeout is None or timeout > 0, timeout)

    def finish(self, number: int) -> None:
        """Note that nothing more is done for a request."""
        with self._lock:
            self._open.discard(number)
            self._cancelled.discard(number)

    def is_cancelled(self, number: int) -> bool:
        """Whether a request is no longer wanted."""
        return self._closed or number in self._cancelled

    @property
    def is_urgent(self) -> bool:
        """Whether somebody waits for something to stop, be it not what goes on just now."""
        return self._closed or bool(self._cancelled)

    def _read(self, stream: BinaryIO) -> None:
        for line in stream:
            message = orjson.loads(line)
            with self._lock:
                if message["op"] != "cancel":
                    self._open.add(message["id"])
                    self._requests.put(message)
                elif message["target"] in self._open:
                    self._cancelled.add(message["target"])
        self._closed = True
        self._requests.put(None)
