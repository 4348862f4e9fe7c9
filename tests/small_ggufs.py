"""Tokenizers made on the spot, as GGUF files without weights."""

import json
from collections.abc import Sequence
from pathlib import Path

import gguf
from tokenizers import Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel

from studio.training.base.pre_tokenizers import pre_tokenizer

TEXTS = (
    "The order OP-48213 has not come; I paid 1,249.50 EUR on 2024-03-07. What now?",
    "I'LL say it's DONE, they're late, we'Ve waited. SHOUTING camelCase PascalCase XMLHttpRequest",
    "  leading, trailing   and    inner spaces \t tabs\t\there   ",
    "line\n\nbreaks\r\n\r\n  indented\n\t\n   \n1. first\n2. second\n\n\n\n",
    "def f(x):\n    return x**2 + 3.14159 if x >= 100000 else {'a': [1, 2, 3]}  # café\n",
    "Éclair ÉCOLE école naïve Straße ŒUVRE Ⅷ ½ ² ١٢٣ १२३ ٣",
    "漢字とカナ、ひらがな。한국어 텍스트 中文,标点!１２３ ＡＢＣ",
    "emoji 👩‍👩‍👧‍👦 🇩🇪 ✅❌ ☕️ and math ∑∫√≠≤ → ⇒ $x^2$ €5 £7",
    "हिन्दी में क्षेत्र แบบไทย עברית العربية السَّلَامُ e\u0301 a\u0308",
    "!!! ??? ... --- ___ *** ### <<>> ~~~ ``` | \\ / @user #tag a/b/c /path/to/file.txt",
    "nul\u200bzero\u00a0nbsp\u2003em\u3000wide \u0085next",
    "<|im_start|>user\n<s> </s> <unk> [INST] hello [/INST]<|im_end|>",
    "",
    " ",
    "\n",
    "a",
)


def bytes_gguf(rules: str, out: Path, *, written: str = "") -> Path:
    """A byte-level tokenizer trained on the texts with the rules of one kind; `written`: what it says they are."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer(rules)
    trainer = trainers.BpeTrainer(
        vocab_size=700, show_progress=False, initial_alphabet=ByteLevel.alphabet(), min_frequency=1
    )
    tokenizer.train_from_iterator([*TEXTS, *(text.lower() for text in TEXTS)], trainer)
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    tokens = [token for token, _ in sorted(vocabulary.items(), key=lambda item: item[1])]
    merges = tokenizer_merges(tokenizer)
    # A word that no merge leads to: found whole or not at all.
    tokens += ["ĠSHOUTINGcamel", "SHOUTING", "<|im_start|>", "<|im_end|>", "[INST]"]
    kinds = [1] * (len(tokens) - 3) + [3, 3, 4]
    return _write(out, "gpt2", tokens, kinds, rules=written or rules, merges=merges)


def pieces_gguf(out: Path, *, prefix: bool, swallows: bool = False) -> Path:
    """A tokenizer of pieces with scores, some of which need bytes."""
    words = sorted({word for text in TEXTS[:6] for word in text.split() if word.isascii()})
    letters = sorted({letter for text in TEXTS[:10] for letter in text if letter.isprintable() and letter != " "})
    grown = [f"▁{word[:length]}" for word in words for length in range(1, len(word) + 1)]
    inner = [word[start:] for word in words for start in range(1, len(word))]
    control = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"]
    data = [f"<0x{byte:02X}>" for byte in range(256)]
    # Phi-3's added tokens swallow the spaces after them, so none of them is made of spaces.
    own = ["[INST]"] if swallows else ["[INST]", "  ", "\n\n"]
    normal = list(dict.fromkeys(["▁", *grown, *inner, *letters]))
    normal = [piece for piece in normal if piece not in control + own]
    tokens = [*control, *data, *own, *normal]
    kinds = [2, *[3] * 5, *[6] * 256, *[4] * len(own), *[1] * len(normal)]
    scores = [*[0.0] * (len(tokens) - len(normal)), *(-float(i) for i in range(len(normal)))]
    return _write(
        out, "llama", tokens, kinds, scores=scores, prefix=prefix, name="Phi-3 small" if swallows else "small"
    )


def tokenizer_merges(tokenizer: Tokenizer) -> list[str]:
    """The merges of a byte-level tokenizer, as a GGUF has them."""
    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def _write(
    out: Path,
    model: str,
    tokens: Sequence[str],
    kinds: Sequence[int],
    *,
    rules: str = "default",
    merges: Sequence[str] = (),
    scores: Sequence[float] = (),
    prefix: bool | None = None,
    name: str = "small",
) -> Path:
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_name(name)
    writer.add_context_length(128)
    writer.add_embedding_length(8)
    writer.add_block_count(1)
    writer.add_head_count(1)
    writer.add_tokenizer_model(model)
    writer.add_tokenizer_pre(rules)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if merges:
        writer.add_token_merges(merges)
    if scores:
        writer.add_token_scores(scores)
        writer.add_unk_token_id(0)
        writer.add_bos_token_id(1)
    if prefix is not None:
        writer.add_add_space_prefix(prefix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out
