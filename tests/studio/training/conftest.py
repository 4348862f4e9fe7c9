"""A model small enough to train in seconds, and a project with judged pairs."""

import shutil
from pathlib import Path

import orjson
import pytest

from store.database import Store
from studio.importing import import_file
from studio.models import BaseModel
from studio.project import Project


@pytest.fixture(autouse=True)
def without_converter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a machine without llama.cpp's converter: the proof of each of these runs would take as long as they do."""
    monkeypatch.setenv("TUNING_STUDIO_CONVERTER", str(tmp_path / "no converter"))


@pytest.fixture(scope="session")
def tiny_model(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: two layers of random weights under the default model's real tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-model")
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        eos_token_id=2,
        pad_token_id=2,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for file in base_model.folder.glob("*token*.json"):
        shutil.copy(file, folder)
    shutil.copy(base_model.folder / "chat_template.jinja", folder)
    return folder


@pytest.fixture
def judged(project: Project, store: Store) -> Project:
    """A project with two dozen short judged pairs."""
    rows = [
        {
            "prompt": [{"role": "user", "content": f"Where is order {number}?"}],
            "chosen": [{"role": "assistant", "content": f"Order {number} left on Monday. Write again on Friday."}],
            "rejected": [{"role": "assistant", "content": "No idea."}],
        }
        for number in range(24)
    ]
    path = project.folder / "pairs.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    import_file(project, store, path)
    return project
