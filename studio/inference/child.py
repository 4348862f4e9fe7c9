"""One life of the llama.cpp process: started, written to, listened to; its death is told to all who wait."""

import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

ILLEGAL_INSTRUCTION_CURE = (
    "llama.cpp was built for another processor; build it again: "
    'CMAKE_ARGS="-DGGML_NATIVE=OFF" pip install --force-reinstall --no-cache-dir --no-deps llama-cpp-python'
)

ENDS = frozenset({"done", "error", "result"})
"""The events after which nothing more comes for a request."""

CLOSING_SECONDS = 2.0
"""How long the process may take to end by itself."""

STOPPING_SECONDS = 10.0
"""How long it may take to stop what it was asked to; one that hangs is ended then, with all that it does."""

Reply = dict[str, Any]
Replies = queue.Queue[Reply]


@dataclass
class Child:
    """The process, with those who wait for its replies."""

    process: "subprocess.Popen[bytes]"
    log: Path
    waiting: dict[int, Replies] = field(default_factory=dict)
    hung: bool = False
    """Whether it was ended because it did not stop."""
    death: Reply | None = None
    """What those are told who asked too late."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held for a moment only, so that replies are heard while a long request is being written."""
    writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_dead(self) -> bool:
        """Whether it has ended, or was ended."""
        return self.process.poll() is not None

    def ask(self, number: int, message: dict[str, Any]) -> Replies:
        """Send a request; its replies come in the queue, an error last of all if the process dies."""
        replies: Replies = queue.Queue()
        with self.lock:
            if self.death is not None:
                replies.put(self.death)
                return replies
            self.waiting[number] = replies
        self.send({"id": number, **message})
        return replies

    def stop(self, number: int) -> None:
        """End a request now; safe from any thread, and waits for nothing, be the process as it may."""
        cancel = {"op": "cancel", "target": number, "id": 0}
        patience = threading.Timer(STOPPING_SECONDS, self._end_hung, [number])
        for thread in (patience, threading.Thread(target=self.send, args=[cancel])):
            thread.daemon = True
            thread.start()

    def _end_hung(self, number: int) -> None:
        with self.lock:
            self.hung = number in self.waiting
        if self.hung:
            self.process.kill()

    def send(self, message: dict[str, Any]) -> None:
        """Write a message, if there is still somebody to read it."""
        assert self.process.stdin is not None
        try:
            with self.writing:
                self.process.stdin.write(orjson.dumps(message) + b"\n")
                self.process.stdin.flush()
        except (OSError, ValueError):
            # It died, or was closed, just now: the listening thread tells those who wait.
            return

    def close(self) -> None:
        """End the process, by force where it does not end by itself."""
        assert self.process.stdin is not None
        if self.writing.acquire(timeout=CLOSING_SECONDS):
            try:
                self.process.stdin.close()
            except OSError:
                # What was not written yet has no reader any more.
                pass
            finally:
                self.writing.release()
        try:
            self.process.wait(timeout=CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def listen(self) -> None:
        """Hand out replies until the process ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            reply = orjson.loads(line)
            with self.lock:
                number = reply["id"]
                replies = self.waiting.pop(number, None) if reply["event"] in ENDS else self.waiting.get(number)
            if replies is not None:
                replies.put(reply)
        self._tell_death()

    def _tell_death(self) -> None:
        code = self.process.wait()
        hint = ILLEGAL_INSTRUCTION_CURE if code == -signal.SIGILL else f"Its last words are in {self.log}."
        cause = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        if self.hung:
            cause = "did not stop when it was asked to, and was ended"
        death = {"event": "error", "message": f"The llama.cpp process {cause}.", "hint": hint}
        with self.lock:
            self.death = death
            waiting = list(self.waiting.values())
            self.waiting.clear()
        for replies in waiting:
            replies.put(death)


def start(log: Path) -> Child:
    """Start the process; what llama.cpp says goes to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "studio.inference.llama"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            # Not in the terminal's group: ctrl+c at the prompt must not kill the model.
            start_new_session=True,
        )
    child = Child(process, log)
    threading.Thread(target=child.listen, daemon=True).start()
    return child
