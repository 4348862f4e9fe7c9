"""The labelling screen in a pseudo-terminal of 80x24, and a project of pairs to label: what other benches drive."""

import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import sys
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyte

from store import examples, interface_state, pairs, responses, search_index
from store.quoting import dumps
from studio.project import Project, create_project

ROWS, COLUMNS = 24, 80
PATIENCE = 60.0

QUIET = 0.15
"""Seconds without a byte after which all has come; longer than the screen waits before it takes another verdict."""

SLOWEST = 2.0
"""Seconds within which anything comes of a key."""

KEYS = {"h": "left", "l": "right", "t": "tie", "b": "both_bad", "s": "skip"}

VOCABULARY = """
parcel letter Thursday harbour window silver thought gentle answer because however nobody seldom river winter
paper morning kettle mountain signal yellow bottle careful thunder meadow ladder orange whisper garden pocket
"""
WORDS = VOCABULARY.split()

INTRODUCTION = "Enter shows the first pair"
"""What the page says that stands before the very first pair."""

NUMBER = re.compile(r"#(\d{6})")
PRIVATE = re.compile(rb"\x1b\[[<>=][0-9;]*[A-Za-z]")
"""Sequences for keyboards, which the emulator would print."""


def make_project(folder: Path, count: int, settings: str = "") -> Project:
    """Make a project with so many pairs, open at Compare; each line of a pair's texts holds its number."""
    project = create_project(folder)
    (folder / "studio.toml").open("a", encoding="utf-8").write(f"\n{settings}\n")
    chance = random.Random(count)
    with project.open_store() as store, store.transaction():
        new = []
        for number in range(1, count + 1):
            prompt = [{"role": "user", "content": text(chance, number, 12, 40)}]
            example = examples.add(store, record_id=None, messages=prompt, split="train")
            new.append((number, example, 2 * number - 1, 2 * number, chance.getrandbits(31), None, None))
            replies = [dumps([{"role": "assistant", "content": text(chance, number, 30, 160)}]) for _ in range(2)]
            responses.add_many(
                store,
                [
                    (2 * number - side, example, reply, "model", f"model-{side}", None, None)
                    for side, reply in zip((1, 0), replies, strict=True)
                ],
            )
        pairs.add_many(store, new)
        interface_state.remember(store, "area", "compare")
    with project.open_store() as store:
        # As an import does; else the app would do it while it is measured.
        search_index.catch_up(store)
    return project


def text(chance: random.Random, number: int, fewest: int, most: int) -> str:
    """Return words, and a pair's number among each few of them."""
    words = [chance.choice(WORDS) for _ in range(chance.randint(fewest, most))]
    return " ".join(f"#{number:06} {word}" if place % 6 == 0 else word for place, word in enumerate(words))


@dataclass(frozen=True)
class Answered:
    """What came of a verdict key."""

    before: int
    """The number of the pair that was judged; 0 where none was on the screen."""
    after: int
    """The number of the pair that was shown next; 0 for none."""
    painted: float
    """Seconds from the key to the byte that completed the next pair's texts."""
    written: int
    """Bytes that came until the terminal was quiet."""


@dataclass
class Labeller:
    """The app in a terminal, and what stands on it."""

    child: int
    handle: int
    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(COLUMNS, ROWS))

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)
        self._rest = b""

    @classmethod
    def run(cls, folder: Path, rater: str = "Ada") -> "Labeller":
        """Start the app on a project."""
        child, handle = pty.fork()
        if child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            home = str(folder.parent)
            os.environ.update(
                TERM="xterm-256color", COLORTERM="truecolor", TUNING_STUDIO_RATER=rater, XDG_CONFIG_HOME=home
            )
            os.execv(sys.executable, [sys.executable, "-m", "studio", str(folder)])
        return cls(child, handle)

    @property
    def number(self) -> int:
        """The number of the pair on the screen; 0 for none."""
        found = NUMBER.search("\n".join(self.screen.display))
        return int(found[1]) if found else 0

    def wait_for_a_pair(self) -> int:
        """Read until a pair is on the screen and all is quiet; return its number."""
        deadline = time.monotonic() + PATIENCE
        while not self.number:
            self._feed(self._read(0.2))
            if INTRODUCTION in "\n".join(self.screen.display):
                self.type("\r")
            if time.monotonic() > deadline:
                raise TimeoutError("\n".join(self.screen.display))
        self.settle()
        return self.number

    def settle(self, quiet: float = QUIET) -> int:
        """Read until nothing has come for a while; return how many bytes that were."""
        written = 0
        while chunk := self._read(quiet):
            written += len(chunk)
            self._feed(chunk)
        return written

    def settle_until(self, seconds: float) -> None:
        """Read what comes within some time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._feed(self._read(left))

    def answer(self, key: str) -> Answered:
        """Press a verdict key and read until all is quiet."""
        before = self.number
        begun = time.perf_counter()
        self.type(key)
        chunks: list[tuple[float, bytes]] = []
        while chunk := self._read(QUIET if chunks else SLOWEST):
            chunks.append((time.perf_counter() - begun, chunk))
        seen = []
        for moment, chunk in chunks:
            self._feed(chunk)
            seen.append((moment, list(self.screen.display)))
        return Answered(before, self.number, self._painted(seen), sum(len(chunk) for _, chunk in chunks))

    def type(self, key: str) -> None:
        """Press a key and look no further."""
        os.write(self.handle, key.encode())

    def kill(self) -> None:
        """End the app as a power cut would, and take what it had written till then."""
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        self.settle(0.05)
        os.close(self.handle)

    def _painted(self, seen: list[tuple[float, list[str]]]) -> float:
        """Return when each row that holds words of the pair had got them."""
        if not seen:
            return float("nan")
        mark = f"#{self.number:06}"
        final = {place: row for place, row in enumerate(seen[-1][1]) if mark in row}
        return next(moment for moment, rows in seen if all(rows[place] == row for place, row in final.items()))

    def _read(self, seconds: float) -> bytes:
        if not select.select([self.handle], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self.handle, 65536)
        except OSError:
            return b""  # the child has ended

    def _feed(self, chunk: bytes) -> None:
        whole = self._rest + chunk
        # A sequence that the read cut in two waits for its other half.
        cut = whole.rfind(b"\x1b") if b"\x1b" in whole[-24:] else len(whole)
        self._rest = whole[cut:]
        if re.fullmatch(rb"\x1b\[[0-9;?<>=]*[A-Za-z].*", self._rest, re.DOTALL):
            cut, self._rest = len(whole), b""
        self._stream.feed(PRIVATE.sub(b"", whole[:cut]))
