"""A llama.cpp process for the tests of this folder."""

from collections.abc import Iterator

import pytest

from studio.inference.engine import Engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for a module's tests, as the app has one for a session."""
    with Engine(tmp_path_factory.mktemp("engine") / "engine.log") as running:
        yield running
