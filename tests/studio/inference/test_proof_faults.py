"""The proof names each kind of broken conversion by its own message, and finds nothing wrong with a sound one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import gguf
import numpy as np
import orjson
import pytest

from studio.cli import main
from studio.inference.engine import Engine
from studio.inference.gguf import adapter_to_gguf
from studio.inference.proof.adapters import check_adapter
from studio.inference.proof.conversations import varied
from studio.inference.proof.evidence import Check, Evidence
from studio.inference.proof.logits import Amount, check_logits, sequences_of
from studio.inference.proof.proving import open_gguf
from studio.inference.proof.settings import check_settings
from studio.inference.proof.tokens import check_tokens
from studio.inference.proof.vocabulary import Vocabulary, check_special_tokens, check_template, read_vocabulary
from studio.inference.proof.weights import Weights, check_weights
from studio.models import BaseModel
from studio.rendering import ChatTokenizer
from tests.studio.inference.small_models import (
    HEADS,
    KEY_HEADS,
    TEMPLATE,
    Fields,
    Tensors,
    changed_adapter,
    fields_of,
    make_adapter,
    make_model,
    rotated,
    small_fields,
    tensors_of,
    write_gguf,
)

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("engine")]


@dataclass(frozen=True)
class Small:
    """A sound conversion, and what it is made of."""

    model: Path
    peft: Path
    gguf: Path
    adapter: Path
    fields: Fields
    tensors: Tensors

    def broken(
        self, out: Path, change: Callable[[Fields, Tensors], None], *, numbers_only: bool = False
    ) -> gguf.GGUFReader:
        """Write the GGUF again after a change, and open it; without its vocabulary that takes a moment."""
        fields = {key: value for key, value in self.fields.items() if not (numbers_only and "tokenizer." in key)}
        tensors = dict(self.tensors)
        change(fields, tensors)
        return open_gguf(write_gguf(out / "broken.gguf", fields, tensors))


@pytest.fixture(scope="module")
def small(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("small")
    model = make_model(base_model, folder / "model")
    peft = make_adapter(model, folder / "adapter")
    fields, tensors = small_fields(fields_of(base_model.source)), tensors_of(model)
    made = write_gguf(folder / "model.gguf", fields, tensors)
    adapter_to_gguf(peft, made, folder / "adapter.gguf")
    return Small(model, peft, made, folder / "adapter.gguf", fields, tensors)


@pytest.fixture(scope="module")
def tokenizer(small: Small) -> ChatTokenizer:
    return ChatTokenizer.load(small.model)


def kinds(check: Check) -> list[str]:
    return [finding.kind for finding in check.findings]


def test_a_sound_conversion_is_proven_by_the_command(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = [{"role": "user", "content": "In 1999?"}, {"role": "assistant", "content": "No: 1 - 2 = -1 <|im_end|>."}]
    (tmp_path / "asked.jsonl").write_bytes(orjson.dumps(turns))
    files = {
        "--tokenizer": small.model,
        "--weights": small.model,
        "--gguf": small.gguf,
        "--adapter": small.adapter,
        "--trained-adapter": small.peft,
        "--conversations": tmp_path / "asked.jsonl",
    }
    with pytest.raises(SystemExit) as ended:
        main(["parity", *(str(word) for pair in files.items() for word in pair), "--json"])
    found = orjson.loads(capsys.readouterr().out)
    assert {check["name"]: check["outcome"] for check in found["checks"]} == dict.fromkeys(
        ("rendering", "tokens", "template", "special tokens", "settings", "weights", "adapter", "logits"), "equal"
    )
    assert not ended.value.code
    assert found["equal"]
    assert found["sentence"].startswith("equal: 1 texts")


def test_what_is_broken_shows_in_its_logits(
    engine: Engine, small: Small, tokenizer: ChatTokenizer, tmp_path: Path
) -> None:
    reader = small.broken(tmp_path, plain_rows)
    weak = changed_adapter(small.adapter, tmp_path / "weak.gguf", scaled(0.5))
    sequences = sequences_of(tokenizer, varied(), Amount(texts=4, positions=120, longest=40))
    check = check_logits(engine, reader, tmp_path / "broken.gguf", weak, small.model, small.peft, sequences)
    assert (check.outcome, kinds(check)) == ("different", ["logits"])
    assert check.figures["worst_kl"] > 0.01
    found = Evidence("small", (Check("tokens", "equal", "1 text"), check))
    assert not found.equal
    assert found.sentence.startswith("DIFFERENT: logits; llama.cpp does not say what torch says")


def scaled(by: float) -> Callable[[Fields, Tensors], None]:
    def change(fields: Fields, _: Tensors) -> None:
        alpha, *rest = fields["adapter.lora.alpha"]
        fields["adapter.lora.alpha"] = (alpha * by, rest[0], rest[1])

    return change


@pytest.fixture(scope="module")
def vocabulary(small: Small) -> Vocabulary:
    return read_vocabulary(open_gguf(small.gguf))


def test_another_template_is_shown_where_it_parts(
    small: Small, tokenizer: ChatTokenizer, vocabulary: Vocabulary
) -> None:
    other = replace(vocabulary, template=tokenizer.template.replace("assistant", "bot"))
    check = check_template(tokenizer, other, small.gguf, is_own=True)
    assert kinds(check) == ["template"]
    assert check.difference is not None
    assert check.difference.other[0].text.startswith("bot")
    assert check_template(tokenizer, other, small.gguf, is_own=False).outcome == "noted"


def test_a_file_with_swapped_tokens_and_another_template_is_named_both(
    small: Small, tokenizer: ChatTokenizer, tmp_path: Path
) -> None:
    def swap(fields: Fields, _: Tensors) -> None:
        tokens, *rest = fields["tokenizer.ggml.tokens"]
        fields["tokenizer.ggml.tokens"] = ([tokens[0], tokens[2], tokens[1], *tokens[3:]], rest[0], rest[1])

        fields[TEMPLATE] = (fields[TEMPLATE][0].replace("assistant", "bot"), *fields[TEMPLATE][1:])

    found = read_vocabulary(small.broken(tmp_path, swap))
    template = check_template(tokenizer, found, tmp_path / "broken.gguf", is_own=True)
    assert template.findings[0].message.startswith("broken.gguf carries another chat template than the one")
    check = check_special_tokens(tokenizer, found, tmp_path / "broken.gguf")
    assert set(kinds(check)) == {"special token"}
    words = "Token 1 is '<|im_start|>' where it was trained and '<|im_end|>' in broken.gguf."
    assert check.findings[0].message == words


def test_another_end_of_turn_is_named(small: Small, tokenizer: ChatTokenizer, vocabulary: Vocabulary) -> None:
    other = replace(vocabulary, named={**vocabulary.named, "eos": 1})
    first, second = check_special_tokens(tokenizer, other, small.gguf).findings
    assert first.message.startswith("eos is token 2 ('<|im_end|>') in the tokenizer and token 1 ('<|im_start|>')")
    assert second.message.startswith("Answers were trained to end with '<|im_end|>', and model.gguf stops at '<|im_s")


def test_a_special_token_that_is_ordinary_text_is_named(
    small: Small, tokenizer: ChatTokenizer, vocabulary: Vocabulary
) -> None:
    other = replace(vocabulary, kinds=[vocabulary.kinds[0], 1, 1, *vocabulary.kinds[3:]])
    (finding,) = check_special_tokens(tokenizer, other, small.gguf).findings
    assert finding.message.startswith("model.gguf holds '<|im_start|>', '<|im_end|>' as ordinary text")


def test_a_first_token_that_other_programs_add_is_noted(
    small: Small, tokenizer: ChatTokenizer, vocabulary: Vocabulary
) -> None:
    check = check_special_tokens(tokenizer, replace(vocabulary, adds_bos=True), small.gguf)
    assert (check.outcome, kinds(check)) == ("noted", ["bos"])


def plain_rows(_: Fields, tensors: Tensors) -> None:
    for layer, (part, heads) in [(0, ("q", HEADS)), (1, ("k", KEY_HEADS))]:
        name = f"blk.{layer}.attn_{part}.weight"
        rows = tensors[name].shape[0]
        tensors[name] = tensors[name].reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(rows, -1)


def other_layers(_: Fields, tensors: Tensors) -> None:
    one, two = "blk.0.ffn_up.weight", "blk.1.ffn_up.weight"
    tensors[one], tensors[two] = tensors[two], tensors[one]


def untied(_: Fields, tensors: Tensors) -> None:
    tensors["output.weight"] = np.random.default_rng(1).normal(size=tensors["token_embd.weight"].shape)


def other_embeddings(_: Fields, tensors: Tensors) -> None:
    tensors["token_embd.weight"] = np.random.default_rng(1).normal(size=tensors["token_embd.weight"].shape)


def gate_as_up(_: Fields, tensors: Tensors) -> None:
    one, two = "blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"
    tensors[one], tensors[two] = tensors[two], tensors[one]


def shifted_norm(_: Fields, tensors: Tensors) -> None:
    tensors["output_norm.weight"] = tensors["output_norm.weight"] + 1


def missing(_: Fields, tensors: Tensors) -> None:
    del tensors["blk.1.ffn_down.weight"]


def rounded_away(_: Fields, tensors: Tensors) -> None:
    tensors["blk.1.attn_v.weight"] = np.round(tensors["blk.1.attn_v.weight"], 1)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (plain_rows, "rope", "blk.0.attn_q.weight has the trained rows in another order; blk.1.attn_k.weight"),
        (other_layers, "layer", "blk.0.ffn_up.weight holds the weights of blk.1.ffn_up.weight"),
        (gate_as_up, "layer", "blk.0.ffn_gate.weight holds the weights of blk.0.ffn_up.weight"),
        (untied, "embeddings", "an output layer of its own; the model's is tied"),
        (other_embeddings, "embeddings", "The embeddings are not the trained ones"),
        (shifted_norm, "norm", "output_norm.weight is more by one"),
        (missing, "missing", "lacks blk.1.ffn_down.weight"),
        (rounded_away, "values", "blk.1.attn_v.weight is off by up to 0.05"),
    ],
)
def test_wrong_weights_are_named_by_their_cause(
    small: Small, tmp_path: Path, change: Callable[[Fields, Tensors], None], kind: str, words: str
) -> None:
    check = check_weights(
        small.broken(tmp_path, change, numbers_only=True), Weights(small.model), tmp_path / "broken.gguf"
    )
    assert (check.outcome, kinds(check)) == ("different", [kind])
    assert words in check.findings[0].message


def test_an_output_layer_that_is_missing_is_no_tied_one(small: Small, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(small.model, tie_word_embeddings=False)
    torch.nn.init.normal_(model.lm_head.weight)
    model.save_pretrained(tmp_path / "untied")
    reader = small.broken(tmp_path, lambda _, __: None, numbers_only=True)
    check = check_weights(reader, Weights(tmp_path / "untied"), small.gguf)
    assert kinds(check) == ["embeddings"]
    assert "has no output layer" in check.findings[0].message


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("rope.freq_base", 500000.0, "says rope.freq_base 500000; rope_theta is 10000 in the model's config.json."),
        ("rope.scaling.type", "linear", "says rope.scaling.type linear; rope_type is default in the model's config"),
        ("attention.head_count", 8, "says attention.head_count 8; num_attention_heads is 4"),
        ("attention.head_count_kv", 4, "says attention.head_count_kv 4; num_key_value_heads is 2"),
        (
            "attention.layer_norm_rms_epsilon",
            1e-5,
            "says attention.layer_norm_rms_epsilon 1e-05; rms_norm_eps is 1e-06",
        ),
        ("block_count", 1, "says block_count 1; num_hidden_layers is 2"),
        ("context_length", 64, "says context_length 64; max_position_embeddings is 512"),
    ],
)
def test_a_setting_that_is_not_the_models_is_named(
    small: Small, tmp_path: Path, key: str, value: float | str, words: str
) -> None:
    kinds_of = {int: gguf.GGUFValueType.UINT32, float: gguf.GGUFValueType.FLOAT32, str: gguf.GGUFValueType.STRING}

    def say(fields: Fields, _: Tensors) -> None:
        fields[f"llama.{key}"] = (value, kinds_of[type(value)], None)

    check = check_settings(small.broken(tmp_path, say, numbers_only=True), small.model, tmp_path / "broken.gguf")
    assert (check.outcome, kinds(check)) == ("different", ["setting"])
    assert words in check.findings[0].message


def test_settings_of_every_writing_of_config_json_are_read(small: Small, tmp_path: Path) -> None:
    reader = small.broken(tmp_path, lambda _, __: None, numbers_only=True)
    assert check_settings(reader, small.model, small.gguf).outcome == "equal"
    config = orjson.loads((small.model / "config.json").read_bytes())
    config.pop("rope_parameters")
    earlier = {**config, "rope_theta": 500000.0, "rope_scaling": {"type": "linear", "factor": 4.0}}
    layered = {**config, "rope_parameters": {"full_attention": {"rope_theta": 500000.0, "rope_type": "linear"}}}
    for found in (earlier, layered, {"text_config": earlier}):
        (tmp_path / "config.json").write_bytes(orjson.dumps(found))
        first, second = check_settings(reader, tmp_path, small.gguf).findings
        assert "rope_theta is 500000" in first.message
        assert "rope_type is linear" in second.message
    (tmp_path / "config.json").write_bytes(orjson.dumps({**config, "rope_parameters": {"rope_type": "llama3"}}))
    (finding,) = check_settings(reader, tmp_path, small.gguf).findings
    assert "lacks rope_freqs.weight" in finding.message
    (tmp_path / "config.json").unlink()
    assert check_settings(reader, tmp_path, small.gguf).outcome == "not checked"


def test_other_rules_for_cutting_are_named_and_what_does_not_run_is_no_proof(
    engine: Engine, small: Small, tokenizer: ChatTokenizer, tmp_path: Path
) -> None:
    def change(fields: Fields, _: Tensors) -> None:
        fields["tokenizer.ggml.pre"] = ("llama-bpe", gguf.GGUFValueType.STRING, None)
        fields["llama.attention.head_count_kv"] = (HEADS, gguf.GGUFValueType.UINT32, None)

    reader, made = small.broken(tmp_path, change), tmp_path / "broken.gguf"
    check = check_tokens(engine, tokenizer, made, varied())
    assert check.outcome == "different"
    assert check.findings[0].hint.startswith(
        "broken.gguf says tokenizer.ggml.pre llama-bpe, and the tokenizer's rules are those of smollm. "
    )
    sequences = sequences_of(tokenizer, varied(), Amount(texts=1, positions=9))
    logits = check_logits(engine, reader, made, None, small.model, None, sequences)
    assert (logits.outcome, kinds(logits)) == ("different", ["loading"])
    assert "blk.0.attn_k.weight" in logits.findings[0].message


def lacking(_: Fields, tensors: Tensors) -> None:
    for side in "ab":
        del tensors[f"blk.1.attn_q.weight.lora_{side}"]


def half(_: Fields, tensors: Tensors) -> None:
    del tensors["blk.0.attn_v.weight.lora_a"]


def twice_in_one(_: Fields, tensors: Tensors) -> None:
    tensors["blk.0.attn_v.weight.lora_b"] = tensors["blk.0.attn_v.weight.lora_b"] * 2


def nothing(_: Fields, tensors: Tensors) -> None:
    tensors["blk.1.ffn_down.weight.lora_b"] = tensors["blk.1.ffn_down.weight.lora_b"] * 0


def turned_twice(_: Fields, tensors: Tensors) -> None:
    name = "blk.0.attn_q.weight.lora_b"
    tensors[name] = rotated(tensors[name], HEADS)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (scaled(2), "scale", "acts at 2 times the strength that was trained: its alpha is 16, and 8 is right."),
        (twice_in_one, "scale", "acts at 2 times the strength that was trained in 1 of 8 tensors."),
        (nothing, "values", "holds other numbers than were trained in blk.1.ffn_down.weight (layer 1)."),
        (lacking, "missing layer", "lacks blk.1.attn_q.weight (layer 1), which training changed."),
        (half, "missing layer", "lacks one of the two matrices of blk.0.attn_v.weight"),
        (turned_twice, "rope", "changes the rows of blk.0.attn_q.weight (layer 0) in another order"),
    ],
)
def test_a_wrong_adapter_is_named_by_its_cause(
    small: Small, tmp_path: Path, change: Callable[[Fields, Tensors], None], kind: str, words: str
) -> None:
    broken = changed_adapter(small.adapter, tmp_path / "adapter.gguf", change)
    base = small.broken(tmp_path, lambda _, __: None, numbers_only=True)
    check = check_adapter(base, broken, small.peft)
    assert (check.outcome, kinds(check)) == ("different", [kind])
    assert words in check.findings[0].message
