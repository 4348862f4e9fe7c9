"""Fixtures that the tests of every package share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Store
from studio.models import BaseModel, prepare, resolve
from studio.project import Project, create_project
from studio.rendering import ChatTokenizer

# Before torch is imported, and for the trainers that tests start: on models this small, and with two tests at a time,
# threads that wait for each other take ten times as long as the work.
os.environ["OMP_NUM_THREADS"] = "1"

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files beside the repository; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data files are not beside this repository (../shared/data)")
    return SHARED_DATA


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project in a folder of its own."""
    return create_project(tmp_path / "project")


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    """The open database of `project`."""
    with project.open_store() as opened:
        yield opened


@pytest.fixture(scope="session")
def base_model() -> BaseModel:
    """The small default model with its tokenizer; its weights are prepared where a test trains."""
    model = resolve("smollm2")
    prepare(model, "tokenizer")
    return model


@pytest.fixture(scope="session")
def model_folder(base_model: BaseModel) -> Path:
    """The default model's Hugging Face folder, tokenizer and template in it."""
    return base_model.folder


@pytest.fixture(scope="session")
def tokenizer(model_folder: Path) -> ChatTokenizer:
    """The default model's tokenizer."""
    return ChatTokenizer.load(model_folder)
