"""Runs that have brought something, of a model of two layers: an adapter, all weights, or a model that scores."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store import runs
from store.database import Store
from studio.models import BaseModel, chat_gguf, resolve
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.launch import start_run
from studio.training.waiting import queue
from tests.studio.inference.small_models import (
    fields_of,
    make_adapter,
    make_model,
    small_fields,
    tensors_of,
    write_gguf,
)
from tests.studio.training import conftest as training

Ended = Callable[..., RunFolder]

judged = training.judged


@pytest.fixture(scope="session")
def small_model(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder whose licence stands in its card."""
    folder = make_model(base_model, tmp_path_factory.mktemp("release") / "small-model")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Small\n")
    return folder


@pytest.fixture(scope="session")
def small_gguf(base_model: BaseModel, small_model: Path) -> Path:
    """The same as llama.cpp runs it."""
    fields = small_fields(fields_of(base_model.source))
    return write_gguf(small_model.with_name("small.gguf"), fields, tensors_of(small_model))


@pytest.fixture(scope="session")
def small_adapter(small_model: Path) -> Path:
    """An adapter of it that changes it much."""
    return make_adapter(small_model, small_model.with_name("adapter"))


@pytest.fixture
def ended(
    judged: Project,
    store: Store,
    small_model: Path,
    small_gguf: Path,
    small_adapter: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Ended:
    """Return what makes a run of `judged` that has ended."""
    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(small_model.parent / "cache"))

    kept = chat_gguf(resolve(str(small_model)))
    assert kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(small_gguf, kept)

    def stay(store: Store, run_id: str, _folder: RunFolder) -> None:
        runs.update(store, run_id, status="stopped")

    monkeypatch.setattr(queue, "spawn_trainer", stay)

    def end(*, task: str = "CAUSAL_LM", full: bool = False) -> RunFolder:
        method = "dpo" if task == "CAUSAL_LM" else "reward"
        overrides = ["lora_rank=4", "device=cpu", "dtype=fp32", *(["tuning=full"] if full else [])]
        run_id = start_run(judged, store, method, model=str(small_model), overrides=overrides)
        folder = RunFolder(judged.runs / run_id)
        if full:
            shutil.copytree(small_model, folder.model)
            shutil.copyfile(small_gguf, folder.model_gguf)
        else:
            shutil.copytree(small_adapter, folder.adapter)
            config = folder.adapter / "adapter_config.json"
            config.write_text(json.dumps({**json.loads(config.read_bytes()), "task_type": task}))
        result = {"held_out_loss": 0.25, "general_loss_before": 2.0, "general_loss_after": 2.2}
        runs.update(store, run_id, status="done", result=result)
        return folder

    return end
