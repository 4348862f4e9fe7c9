"""A llama.cpp process for the tests of this folder, and models small enough for what does not hang on their size."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_gguf import write_adapter, write_model

from studio.inference.engine import Engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for a module's tests, as the app has one for a session."""
    with Engine(tmp_path_factory.mktemp("engine") / "engine.log") as running:
        yield running


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two layers."""
    return write_model(tmp_path_factory.mktemp("tiny-gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def tiny_adapter(tiny: Path) -> Path:
    """An adapter for it."""
    return write_adapter(tiny.parent / "adapter.gguf")
