"""A model small enough to be quantised in a moment, whose next tokens are not all alike, and a project that uses it."""

from pathlib import Path

import pytest

from store import examples
from store.database import Store
from studio.models import CHAT_FILE, resolve
from studio.project import Project, open_project

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHECKS = '\n[[checks]]\nname = "short"\nkind = "max_words"\nvalue = "5"\n'
TEXT = "Where is order 1? Order 1 left on Monday; it should be with you soon. "


def write_tokenizer(folder: Path) -> list[str]:
    """Write a byte-level tokenizer of some 300 tokens; return its tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, trainers
    from tokenizers.pre_tokenizers import ByteLevel

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, show_progress=False, initial_alphabet=alphabet, min_frequency=1)
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.add_special_tokens([AddedToken("<|im_start|>", special=True), AddedToken("<|im_end|>", special=True)])
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>"}')
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]


def write_model(path: Path, tokens: list[str], width: int) -> Path:
    """Write a model of one layer whose rows have `width` weights, which are drawn by chance."""
    import gguf
    import numpy as np

    chance = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(width)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // 4)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (len(tokens) - 2) + [3, 3])
    writer.add_token_merges(["o r"])
    writer.add_eos_token_id(len(tokens) - 1)
    shapes = {"token_embd": (len(tokens), width)}
    for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        shapes[f"blk.0.{part}"] = (width, width)
    for tensor, shape in shapes.items():
        writer.add_tensor(f"{tensor}.weight", (chance.normal(size=shape) / 4).astype(np.float16))
    for norm in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{norm}.weight", np.ones(width, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """A model whose rows are too short for K-quants."""
    return write_model(tmp_path / "narrow.gguf", write_tokenizer(tmp_path / "narrow"), 64)


@pytest.fixture
def held_out(project: Project, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a check and four held-out questions, whose model is small and lies prepared in its own cache."""
    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "cache"))
    model = resolve(str(write_model(tmp_path / "wide.gguf", write_tokenizer(tmp_path / "tokenizer"), 256)))
    model.folder.parent.mkdir(parents=True)
    (tmp_path / "tokenizer").rename(model.folder)
    (model.folder / CHAT_FILE).symlink_to(model.source)
    settings = project.folder / "studio.toml"
    settings.write_text(settings.read_text().replace('"smollm2"', f'"{model.source}"') + CHECKS)
    for number in range(4):
        said = [{"role": "user", "content": f"Where is order {number}?"}]
        said.append({"role": "assistant", "content": f"Order {number} left on Monday; it should be with you soon."})
        examples.add(store, record_id=None, messages=said, split="validation")
    return open_project(project.folder)
