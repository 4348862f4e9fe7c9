"""Which models stay loaded: all there is room for, the ones used last where there is not."""

import io
import time
from pathlib import Path

from tiny_gguf import write_model

from studio.inference.llama.context import Context
from studio.inference.llama.inbox import Inbox
from studio.inference.llama.memory import Models, Wanted


def _context(models: Models, path: Path) -> Context:
    wanted = [Wanted(path, None, 256, 1.0)]
    for _ in models.take(1, wanted):
        time.sleep(0.001)
    with models.hold(wanted) as [context]:
        return context


def _open_inbox() -> Inbox:
    class Silent(io.BytesIO):
        """A pipe on which nothing comes and that nobody closes."""

        def __next__(self) -> bytes:
            time.sleep(3600)
            raise StopIteration

    return Inbox(Silent())


def test_models_stay_while_there_is_room(tmp_path: Path) -> None:
    paths = [write_model(tmp_path / f"{number}.gguf", number) for number in range(4)]
    models = Models(_open_inbox(), budget=lambda: 10**9)
    contexts = [_context(models, path) for path in paths]
    assert [_context(models, path) for path in paths] == contexts


def test_the_one_used_longest_ago_makes_room(tmp_path: Path) -> None:
    first, second, third = (write_model(tmp_path / f"{number}.gguf", number) for number in range(3))
    room = 10**9
    models = Models(_open_inbox(), budget=lambda: room)
    kept, left = _context(models, first), _context(models, second)
    _context(models, first)
    room = models.held + first.stat().st_size
    _context(models, third)
    assert _context(models, first) is kept
    assert _context(models, second) is not left


def test_one_in_use_is_never_freed(tmp_path: Path) -> None:
    first, second = (write_model(tmp_path / f"{number}.gguf", number) for number in range(2))
    models = Models(_open_inbox(), budget=lambda: 0)
    wanted = [Wanted(first, None, 256, 1.0)]
    for _ in models.take(1, wanted):
        time.sleep(0.001)
    with models.hold(wanted) as [context]:
        _context(models, second)
        assert context.evaluate([5, 6], lambda: False)
