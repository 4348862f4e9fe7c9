"""The process that quantises: `python -m studio.inference.quantising.quantiser FROM TO TYPE THREADS`.

It prints one JSON object a line: `plan` before anything is written, `tensor` for each one that is done, and at the
end `done` or `error`. All that llama.cpp says goes to standard error, which is the log.
"""

import os
import re
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

_TENSOR = re.compile(r"\[\s*(\d+)/\s*(\d+)\]")
_FALLBACK = re.compile(r"ncols\s+(\d+) not divisible by (\d+) \(required for type\s+(\S+?)\)")
_INSTEAD = re.compile(r"falling back to\s+(\S+)")
_SIZE = re.compile(r"quant size\s+=\s+([\d.]+) MiB \(([\d.]+) BPW\)")
_NEEDS_IMPORTANCE = "will require an imatrix"
_ERROR_LEVEL = 4


class Listener:
    """Reads what llama.cpp's quantiser says, a line at a time."""

    def __init__(self, replies: Any, *, tells: bool) -> None:
        self._replies = replies
        self._tells = tells
        self._line = ""
        self._tensor = (0, 0)
        self.fallbacks: Counter[tuple[int, int, str, str]] = Counter()
        self.bits = 0.0
        self.mebibytes = 0.0
        self.needs_importance = False
        self.errors: list[str] = []

    def hear(self, level: int, text: str) -> None:
        """Take a piece of the log, which may begin or end in the midst of a line."""
        sys.stderr.write(text)
        if level == _ERROR_LEVEL and text.strip():
            self.errors.append(text.strip())
        self._line += text
        *lines, self._line = self._line.split("\n")
        for line in lines:
            self._read(line)
        if found := _TENSOR.match(self._line):
            self._tell_tensor(int(found[1]), int(found[2]))

    def _read(self, line: str) -> None:
        if wanted := _FALLBACK.search(line):
            instead = _INSTEAD.search(line)
            self.fallbacks[int(wanted[1]), int(wanted[2]), wanted[3], instead[1] if instead else "f16"] += 1
        if size := _SIZE.search(line):
            self.mebibytes, self.bits = float(size[1]), float(size[2])
        self.needs_importance |= _NEEDS_IMPORTANCE in line
        if found := _TENSOR.match(line):
            self._tell_tensor(int(found[1]), int(found[2]))

    def _tell_tensor(self, number: int, total: int) -> None:
        if self._tells and (number, total) != self._tensor:
            self._tensor = (number, total)
            say(self._replies, event="tensor", number=number, total=total)


def say(replies: Any, **message: Any) -> None:
    """Tell the user's side."""
    replies.write(orjson.dumps(message) + b"\n")


def quantise(source: str, out: str, type_: str, threads: int, listener: Listener, *, dry: bool) -> int:
    """Call llama.cpp's quantiser; a dry call only works out what would come of it. Return 0 where it went well."""
    import llama_cpp.llama_cpp as llama

    def hear(level: int, text: bytes, _: Any) -> None:
        listener.hear(level, text.decode("utf-8", errors="replace"))

    callback = llama.llama_log_callback(hear)
    llama.llama_log_set(callback, None)
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama, f"LLAMA_FTYPE_MOSTLY_{type_}")
    parameters.nthread = threads
    parameters.dry_run = dry
    # A base in BF16 is one of the precisions that can be made smaller, and a tensor in 8 bits is better than none.
    parameters.allow_requantize = True
    return int(llama.llama_model_quantize(source.encode(), out.encode(), parameters))


def main() -> None:
    """Say what would come of it, then do it."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=[sys.argv[2]], daemon=True).start()
    source, out, type_, threads = *sys.argv[1:4], int(sys.argv[4])
    plan = Listener(replies, tells=False)
    if quantise(source, out, type_, threads, plan, dry=True) != 0 or plan.needs_importance:
        why = "it needs an importance matrix" if plan.needs_importance else _last_word(plan)
        say(replies, event="error", message=why)
        sys.exit(1)
    fallbacks = [[*key, count] for key, count in plan.fallbacks.items()]
    say(replies, event="plan", bytes=int(plan.mebibytes * 2**20), bits=plan.bits, fallbacks=fallbacks)
    if sys.stdin.buffer.readline() != b"go\n":
        return
    made = Listener(replies, tells=True)
    if quantise(source, out, type_, threads, made, dry=False) != 0:
        say(replies, event="error", message=_last_word(made))
        sys.exit(1)
    say(replies, event="done")


def _last_word(listener: Listener) -> str:
    if not listener.errors:
        return "llama.cpp gave no reason"
    return listener.errors[-1].removeprefix("llama_model_quantize: failed to quantize: ").rstrip(".")


def _end_with_parent(out: str) -> None:
    """Nobody waits for what an orphan makes."""
    parent = os.getppid()
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    Path(out).unlink(missing_ok=True)
    os._exit(1)


if __name__ == "__main__":
    main()
