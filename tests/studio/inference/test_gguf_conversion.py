"""A Hugging Face folder made a GGUF: it is the same model, chat and runs work on it, and what is wrong is said."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from architectures import SMALL, llama_logits, small_folder, with_adapter, worst_kl
from small_ggufs import bytes_gguf

from studio.errors import StudioError
from studio.inference.gguf import describe
from studio.inference.gguf.conversion import convert
from studio.inference.gguf.merged import merge
from studio.inference.gguf.metadata import Metadata
from studio.inference.gguf.of_run import make
from studio.models import BaseModel, base_gguf, chat_gguf, prepare, resolve
from studio.training.base.gguf_tokenizer import write_tokenizer
from studio.training.folder import RunFolder

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("conversion")]

IDS = [300, 12, 45, 260, 410, 7, 333, 90, 500, 21, 64, 280, 399, 5, 17, 450]
"""Some tokens: any will do."""

Logits = np.ndarray[Any, np.dtype[np.float32]]


class Small(NamedTuple):
    """A small random model with an adapter, as transformers has both and as a GGUF."""

    folder: Path
    adapter: Path
    gguf: Path
    plain: Logits
    changed: Logits
    told: list[str]
    base: BaseModel


@pytest.fixture(scope="module")
def small_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer of a known kind, and a vocabulary that no converter has seen."""
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(bytes_gguf("smollm", folder / "small.gguf"), folder)
    config = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def small(small_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    import torch

    place = tmp_path_factory.mktemp("small")
    vocabulary = len(json.loads((small_tokenizer / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    sizes = {"vocab_size": vocabulary, "hidden_size": 256, "intermediate_size": 256, "initializer_range": 0.06}
    with pytest.MonkeyPatch.context() as patch:
        for name, size in sizes.items():
            patch.setitem(SMALL, name, size)
        model = small_folder("Llama", small_tokenizer, place / "base")
    tuned = with_adapter(model, place / "adapter")
    with torch.no_grad():
        changed: Logits = tuned(torch.tensor([IDS])).logits[0].numpy()
        with tuned.disable_adapter():
            plain: Logits = tuned(torch.tensor([IDS])).logits[0].numpy()
    told: list[str] = []
    base = resolve(str(place / "base"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNING_STUDIO_CACHE", str(place / "cache"))
        assert base_gguf(base) is None
        prepare(base, "gguf", on_progress=told.append)
        gguf = chat_gguf(base)
        assert gguf
        yield Small(place / "base", place / "adapter", gguf, plain, changed, told, base)


def test_it_is_the_same_model(small: Small) -> None:
    assert worst_kl(small.plain, llama_logits(small.gguf, ids=IDS)) < 1e-3
    assert worst_kl(small.changed, small.plain) > 0.1, "the adapter must change something, or the others prove nothing"
    assert any("%" in text for text in small.told)
    assert base_gguf(small.base) == small.gguf
    assert small.folder not in small.gguf.parents, "nothing is written into a folder that somebody brought"
    facts = describe(small.gguf)
    assert (facts.architecture, facts.quantisation, facts.tokenizer) == ("llama", "F16", "gpt2, smollm")
    assert facts.special["eos"] == facts.vocabulary - 2
    assert facts.chat_template


def test_an_adapter_works_over_any_quantisation_of_its_base(small: Small, tmp_path: Path) -> None:
    import llama_cpp

    from studio.inference.gguf import adapter_to_gguf

    adapter = tmp_path / "adapter.gguf"
    adapter_to_gguf(small.adapter, small.gguf, adapter)
    bases = {"F16": small.gguf}
    for name in ("Q8_0", "Q4_K_M"):
        bases[name] = tmp_path / f"{name}.gguf"
        settings = llama_cpp.llama_model_quantize_default_params()
        settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{name}")
        llama_cpp.llama_model_quantize(str(small.gguf).encode(), str(bases[name]).encode(), settings)
        assert describe(bases[name]).quantisation == name
    for name, base in bases.items():
        with_it, without = (worst_kl(small.changed, llama_logits(base, lora, IDS)) for lora in (adapter, None))
        assert with_it < (1e-3 if name == "F16" else without / 4), name


def test_a_run_over_a_folder_can_be_chatted_with(small: Small, small_tokenizer: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "dpo-7")
    assert not run.can_chat
    shutil.copytree(small.adapter, run.adapter)
    shutil.copytree(small_tokenizer, run.tokenizer)
    assert run.can_chat
    make(run, small.base)
    assert worst_kl(small.changed, llama_logits(small.gguf, run.adapter_gguf, IDS)) < 1e-3
    assert (describe(run.adapter_gguf).kind, describe(run.adapter_gguf).run) == ("adapter", "dpo-7")


def test_merged_is_the_base_with_its_adapter_and_says_what_it_is(small: Small, tmp_path: Path) -> None:
    out, parts = tmp_path / "merged.gguf", []
    metadata = Metadata("orders", "apache-2.0", "dpo-7", "answers about orders", "small", "{{ messages }}")
    merge(small.gguf, small.adapter, out, metadata=metadata, on_progress=parts.append)
    assert worst_kl(small.changed, llama_logits(out, ids=IDS)) < 1e-3
    assert len(parts) > 10
    assert parts == sorted(parts)
    assert parts[-1] == 1
    facts = describe(out)
    assert (facts.name, facts.licence, facts.run, facts.chat_template) == (
        *("orders", "apache-2.0", "dpo-7", "{{ messages }}"),
    )
    made = out.stat().st_mtime_ns
    merge(small.gguf, small.adapter, out, metadata=metadata)
    assert out.stat().st_mtime_ns == made, "a finished one is recognised"
    out.write_bytes(out.read_bytes()[:1000])
    merge(small.gguf, small.adapter, out, metadata=metadata)
    assert worst_kl(small.changed, llama_logits(out, ids=IDS)) < 1e-3, "a half one is not"
    merge(small.gguf, None, out, metadata=metadata)
    assert worst_kl(small.plain, llama_logits(out, ids=IDS)) < 1e-3, "nor is one of other things"
    assert list(tmp_path.iterdir()) == [out]


def test_an_adapter_of_another_base_is_refused(small: Small, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    other = tmp_path / "other"
    shutil.copytree(small.adapter, other)
    weights = load_file(other / "adapter_model.safetensors")
    save_file(
        {name: weight[: len(weight) // 2] for name, weight in weights.items()}, other / "adapter_model.safetensors"
    )
    with pytest.raises(StudioError, match="another shape"):
        merge(small.gguf, other, tmp_path / "merged.gguf")
    assert list(tmp_path.iterdir()) == [other]


def test_what_the_converter_does_not_know_is_said(small: Small, tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    shutil.copytree(small.folder, strange)
    config = (strange / "config.json").read_text()
    (strange / "config.json").write_text(config.replace("LlamaForCausalLM", "StrangeForCausalLM"))
    with pytest.raises(StudioError, match="StrangeForCausalLM"):
        convert(strange, tmp_path / "strange.gguf")
    assert list(tmp_path.iterdir()) == [strange]


def test_without_the_converter_it_is_said_how_to_have_it(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    with pytest.raises(StudioError, match="not installed") as caught:
        convert(small.folder, tmp_path / "small.gguf")
    assert "pip install" in caught.value.hint
