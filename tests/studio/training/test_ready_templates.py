"""Ready chat templates for base models: what they render, what is learnt of it, and what a model never learnt."""

import json
import shutil
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.models import BaseModel
from studio.ready_templates import READY, ready, untrained_tokens
from studio.rendering import ChatTokenizer
from studio.training.recipe import make_recipe
from studio.training.rows.data import prepare_row

pytestmark = pytest.mark.model

TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Where is it?"},
    {"role": "assistant", "content": "Here."},
]


@pytest.mark.parametrize(("name", "end"), [("plain", "<|im_end|>\n\n"), ("chatml", "<|im_end|>\n")])
def test_an_answer_is_learnt_with_its_end(base_model: BaseModel, name: str, end: str) -> None:
    tokenizer = ChatTokenizer.load(base_model.folder, ready(name, base_model))
    prepared = prepare_row(tokenizer, make_recipe("sft", []), {"example": 1, "messages": TALK})
    learnt = [label for label in prepared.columns["labels"] if label != -100]
    assert tokenizer.decode(learnt) == f"Here.{end}"
    assert set(learnt) & tokenizer.eos_ids
    assert "Be kind." in prepared.whole[0].text


def test_a_tokenizer_that_lacks_the_tokens_is_refused(base_model: BaseModel, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base_model.folder / name, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "eos_token": None}))
    text = (folder / "tokenizer.json").read_text().replace("<|im_start|>", "<|begin|>")
    (folder / "tokenizer.json").write_text(text)
    base = BaseModel("other", folder, "hf", folder)
    with pytest.raises(StudioError, match="no answer could end"):
        ready("plain", base)
    with pytest.raises(StudioError, match=r"no token <\|im_start\|>"):
        ready("chatml", base)


def test_tokens_that_were_never_learnt_are_found(base_model: BaseModel, tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    template = READY["chatml"]
    assert untrained_tokens(base_model, ChatTokenizer.load(base_model.folder, template)) == []
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    weights = load_file(folder / "model.safetensors")
    tokenizer = ChatTokenizer.load(folder, template)
    assert untrained_tokens(BaseModel("tiny", folder, "hf", folder), tokenizer) == ["<|im_end|>"], "padding is empty"
    start = tokenizer.tokenizer.token_to_id("<|im_start|>")
    weights["model.embed_tokens.weight"][start] *= 0.001
    save_file(weights, folder / "model.safetensors")
    assert untrained_tokens(BaseModel("tiny", folder, "hf", folder), tokenizer) == ["<|im_start|>", "<|im_end|>"]
