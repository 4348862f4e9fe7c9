"""What was trained, written for llama.cpp: an adapter acts there as it does in PEFT, and a whole model is itself."""

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.inference.gguf import adapter_to_gguf, describe, model_to_gguf
from studio.models import CHAT_FILE, BaseModel, prepare
from studio.rendering import ChatTokenizer, render

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("conversion")]

CONVERSATION = [
    {"role": "user", "content": "My order OP-48213 has not come. What now?"},
    {"role": "assistant", "content": "I will send another copy on Thursday, tracked, at our expense."},
]


def test_logits_agree_with_peft(base_model: BaseModel, tokenizer: ChatTokenizer, tmp_path: Path) -> None:
    import numpy as np
    import torch
    from llama_cpp import Llama
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    prepare(base_model, "weights")
    prepare(base_model, "gguf")
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_pretrained(base_model.folder, dtype=torch.float32)
    tuned = get_peft_model(model, LoraConfig(r=4, lora_alpha=4, use_rslora=True, target_modules="all-linear"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    tuned.eval()
    tuned.save_pretrained(tmp_path / "adapter")
    adapter_to_gguf(tmp_path / "adapter", base_model.source, tmp_path / "adapter.gguf")
    assert describe(tmp_path / "adapter.gguf").licence == "apache-2.0", "its terms hold for what was made of it"

    ids = render(tokenizer, CONVERSATION).ids
    with torch.no_grad():
        ours = tuned(torch.tensor([ids])).logits[0].numpy()
        with tuned.disable_adapter():
            base = tuned(torch.tensor([ids])).logits[0].numpy()
    llama = Llama(
        str(base_model.folder / CHAT_FILE),
        lora_path=str(tmp_path / "adapter.gguf"),
        logits_all=True,
        n_ctx=512,
        verbose=False,
    )
    try:
        llama.eval(ids)
        theirs = np.array(llama.scores[: len(ids)])
    finally:
        llama.close()

    def agreement(a: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> float:
        return float((a.argmax(-1) == theirs.argmax(-1)).mean())

    assert agreement(ours) > 0.98
    assert agreement(base) < agreement(ours) - 0.2, "the adapter must change something, or this proves nothing"


def test_a_whole_model_is_written_as_the_base_that_it_came_from(base_model: BaseModel, tmp_path: Path) -> None:
    import gguf
    import numpy as np
    from gguf.quants import dequantize
    from safetensors.numpy import load_file

    prepare(base_model, "weights")
    weights = load_file(base_model.folder / "model.safetensors")
    changed = "model.layers.1.mlp.up_proj.weight"
    trained = {**weights, changed: weights[changed] + 1}
    model_to_gguf(trained, trained.__getitem__, base_model.source, tmp_path / "model.gguf")
    base, made = (
        {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(path).tensors}
        for path in (base_model.source, tmp_path / "model.gguf")
    )
    assert made.keys() == base.keys()
    differences = {name: float(np.abs(made[name] - base[name]).max()) for name in base}
    assert differences.pop("blk.1.ffn_up.weight") == pytest.approx(1, abs=0.01)
    assert max(differences.values()) < 0.01, "all else is only rounded"
    with pytest.raises(StudioError, match="lacks token_embd"):
        model_to_gguf([], trained.__getitem__, base_model.source, tmp_path / "none.gguf")


def test_an_adapter_that_changes_what_llama_cpp_has_no_name_for_is_refused(
    base_model: BaseModel, tmp_path: Path
) -> None:
    import json

    import numpy as np
    from safetensors.numpy import save_file

    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_alpha": 8, "r": 2}), encoding="utf-8")
    names = [f"base_model.model.model.layers.0.odd_proj.lora_{side}.weight" for side in "AB"]
    save_file({name: np.zeros((2, 2), dtype=np.float32) for name in names}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(StudioError, match="odd_proj"):
        adapter_to_gguf(tmp_path, base_model.source, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()
