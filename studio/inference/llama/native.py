"""llama.cpp itself: its log, its threads, models as it loads them, and their vocabularies."""

import ctypes
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llama_cpp
import psutil

from studio.processors import usable_processors

ERROR_LEVEL = 4
WARNING_LEVEL = 3

_errors: list[str] = []


class Refused(Exception):
    """What was asked can't be done; the message says why, for the user."""


class NoRoom(Refused):
    """There is no memory for it, unless something else gives some up."""


def _log(level: int, text: bytes, _: Any) -> None:
    if level not in (WARNING_LEVEL, ERROR_LEVEL):
        return
    words = text.decode("utf-8", "replace")
    sys.stderr.write(words)
    sys.stderr.flush()
    if level == ERROR_LEVEL:
        _errors.append(words.strip())
        del _errors[:-20]


_LOG = llama_cpp.llama_log_callback(_log)


@cache
def set_up() -> None:
    """Make llama.cpp ready, with warnings and errors alone in its log."""
    llama_cpp.llama_log_set(_LOG, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()


@cache
def threads() -> tuple[int, int]:
    """Return how many threads to use for one token, which memory holds up, and for many, which the processor does."""
    usable = usable_processors()
    return min(psutil.cpu_count(logical=False) or usable, usable), usable


def open_model(path: Path, on_progress: Callable[[float], bool]) -> Any:
    """Load a model; where `on_progress` returns False, stop and return None.

    Raises:
        Refused: it can't be loaded.
    """
    set_up()
    stopped = False

    def progress(part: float, _: Any) -> bool:
        nonlocal stopped
        stopped = stopped or not on_progress(part)
        return not stopped

    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = -1
    callback = parameters.progress_callback = llama_cpp.llama_progress_callback(progress)
    model = _opened(path, parameters, lambda: stopped)
    del callback  # llama.cpp called it until now, and holds no reference that Python knows of
    return model


def open_vocabulary(path: Path) -> Any:
    """Load a model's tokenizer alone, which takes a moment.

    Raises:
        Refused: it can't be loaded.
    """
    set_up()
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    return _opened(path, parameters, lambda: False)


def _opened(path: Path, parameters: Any, is_stopped: Callable[[], bool]) -> Any:
    _errors.clear()
    model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
    if model is None and not is_stopped():
        raise Refused(f"llama.cpp can't load {path.name}{why()}.")
    return model


def why() -> str:
    """Return what llama.cpp said last to explain a failure, to be put behind what failed."""
    said = [line for line in _errors if line]
    # The first is the cause; those after it only say who gave up for that. Before it stands a function of C.
    cause = re.sub(r"^\w+: ", "", said[0]).rstrip(".") if said else ""
    return f": {cause}" if cause else ""


def forget_errors() -> None:
    """Begin anew to listen for the cause of a failure."""
    _errors.clear()


def bytes_of(model: Any, token: int) -> bytes:
    """Return a token's bytes, special tokens as they are written."""
    vocabulary, size = llama_cpp.llama_model_get_vocab(model), 64
    while True:
        buffer = ctypes.create_string_buffer(size)
        written = int(llama_cpp.llama_token_to_piece(vocabulary, token, buffer, size, 0, True))
        if written >= 0:
            return buffer.raw[:written]
        size = -written


def tokenize(model: Any, text: bytes, *, special: bool, after: int | None = None) -> list[int]:
    """Return the ids that llama.cpp makes of a text, without a token before it.

    Args:
        model: whose tokenizer is asked.
        text: UTF-8.
        special: whether special tokens are read in it.
        after: the id that it follows; None where it begins.
    """
    vocabulary = llama_cpp.llama_model_get_vocab(model)
    if after is not None and not _cuts(vocabulary, after) and _puts_spaces(vocabulary):
        # llama.cpp puts a space before whatever it is given; behind something else there is none.
        before = _ids(vocabulary, _BEFORE, special)
        return _ids(vocabulary, _BEFORE + text, special)[len(before) :]
    return _ids(vocabulary, text, special)


_BEFORE = "\ue0ff".encode()
"""A character for private use: no piece of a vocabulary holds it with others."""


def _cuts(vocabulary: Any, token: int) -> bool:
    """Tell whether a token is looked for before all else, so that after it a text begins anew."""
    found = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
    found |= llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
    return bool(llama_cpp.llama_vocab_get_attr(vocabulary, token) & found)


def _puts_spaces(vocabulary: Any) -> bool:
    return bool(llama_cpp.llama_vocab_type(vocabulary) == llama_cpp.LLAMA_VOCAB_TYPE_SPM)


def _ids(vocabulary: Any, text: bytes, special: bool) -> list[int]:
    size = len(text) + 16
    while True:
        ids = (llama_cpp.llama_token * size)()
        count = int(llama_cpp.llama_tokenize(vocabulary, text, len(text), ids, size, False, special))
        if count >= 0:
            return list(ids[:count])
        size = -count
