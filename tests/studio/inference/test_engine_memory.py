"""Which models stay loaded: all there is room for, the ones used last where there is not."""

import io
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_gguf import write_model, write_recurrent_model

from studio.inference.llama.context import Context
from studio.inference.llama.inbox import Inbox
from studio.inference.llama.loading import Loading
from studio.inference.llama.memory import Models, Wanted
from studio.inference.llama.scoring import compare
from studio.models import CHAT_FILE, BaseModel, prepare


def _context(models: Models, path: Path) -> Context:
    wanted = [Wanted(path, None, 256, 1.0)]
    for _ in models.take(1, wanted):
        time.sleep(0.001)
    with models.hold(wanted) as [context]:
        return context


class Silent(io.BytesIO):
    """A pipe on which nothing comes and that nobody closes."""

    def __next__(self) -> bytes:
        time.sleep(3600)
        raise StopIteration


class Impatient(Inbox):
    """Asked so many times whether something is urgent, it says yes once."""

    def __init__(self, limit: int) -> None:
        super().__init__(Silent())
        self.asked, self._limit = 0, limit

    @property
    def is_urgent(self) -> bool:
        self.asked += 1
        return self.asked == self._limit


def _open_inbox() -> Inbox:
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


def test_what_nobody_waits_for_any_more_is_not_loaded(base_model: BaseModel) -> None:
    prepare(base_model, "gguf")
    loading = Loading(base_model.folder / CHAT_FILE, _open_inbox(), 1)
    loading.wanted_by.clear()
    while not loading.is_done:
        time.sleep(0.001)
    assert loading.result() is None


@pytest.mark.parametrize("write", [write_model, write_recurrent_model])
def test_what_was_broken_off_for_another_is_scored_as_without(tmp_path: Path, write: Any) -> None:
    """A recurrent model forgets all with the tokens that it was broken off in."""
    path = write(tmp_path / "model.gguf")

    def scored(limit: int) -> tuple[list[float], int]:
        inbox = Impatient(limit)
        model = {"gguf": str(path), "adapter": None, "context": 512, "scale": 1.0}
        request = {"id": 1, "model": model, "sequences": [[7 * n % 250 for n in range(300)]], "starts": [100]}
        told = [step for step in compare(request, Models(inbox), inbox) if step]
        return next(step["logprobs"] for step in told if step["event"] == "scored"), inbox.asked

    alone, asked = scored(0)
    for part in (0.2, 0.6, 0.95):
        found, _ = scored(int(part * asked))
        assert found == pytest.approx(alone, abs=1e-4)
