"""How much memory a run needs, and what is changed where that is too much."""

import math
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from studio.errors import StudioError
from studio.training.plan.architecture import Architecture, Weight, read_architecture
from studio.training.plan.facts import SPARE, Memory
from studio.training.plan.fitting import changes
from studio.training.plan.load import Load, load_of
from studio.training.plan.memory import Machine, estimate, is_fast
from studio.training.plan.room import Room, room_of
from studio.training.recipe import Recipe, make_recipe

GIB = 1 << 30
ROW = {"prompt_ids": [1] * 100, "chosen_ids": [2] * 500, "rejected_ids": [3] * 400}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder: the heads of its files are all that is read."""
    config = {
        "hidden_size": 64,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 1000,
    }
    shapes = {"model.embed_tokens.weight": [1000, 64], "model.norm.weight": [64]}
    for layer in range(2):
        for name, shape in (("self_attn.q_proj", [64, 64]), ("self_attn.k_proj", [32, 64]), ("mlp.up_proj", [256, 64])):
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    start, head = 0, {}
    for name, shape in shapes.items():
        size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, start + size]}
        start += size
    written = orjson.dumps({"__metadata__": {"format": "pt"}, **head})
    (tmp_path / "config.json").write_bytes(orjson.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(len(written).to_bytes(8, "little") + written + b"\0" * start)
    return tmp_path


@pytest.fixture
def shape(folder: Path) -> Architecture:
    """Its shape."""
    return read_architecture(folder)


def needed(recipe: Recipe, shape: Architecture, free: int = 1 << 50, device: str = "cpu") -> Memory:
    fast = is_fast(recipe, shape)
    load = load_of(recipe, [ROW], fast=fast)
    return estimate(recipe, shape, load, Machine(device, True, free), rows=100, fast=fast)


def test_a_shape_is_read_from_the_heads_of_the_files(shape: Architecture) -> None:
    linear = 2 * (64 * 64 + 32 * 64 + 256 * 64)
    assert shape.parameters == 1000 * 64 + 64 + linear
    assert shape.in_linear == linear
    assert shape.in_file == 4 * shape.parameters
    assert (shape.queries, shape.keys, shape.layers) == (64, 32, 2)
    assert shape.adapter(8, "attention") == 2 * 8 * (128 + 96)
    assert shape.adapter(8, "all-linear") == 2 * 8 * (128 + 96 + 320)


def test_a_model_that_lies_there_in_two_forms_is_counted_once(folder: Path, shape: Architecture) -> None:
    whole = folder / "model.safetensors"
    (folder / "consolidated.safetensors").write_bytes(whole.read_bytes())
    assert read_architecture(folder) == shape
    part = folder / "model-00001-of-00001.safetensors"
    whole.rename(part)
    index = {"weight_map": {weight.name: part.name for weight in shape.weights}}
    (folder / "model.safetensors.index.json").write_bytes(orjson.dumps(index))
    assert read_architecture(folder) == shape


def test_a_model_of_an_unknown_form_says_so(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"{}")
    with pytest.raises(StudioError, match="shape of the model"):
        read_architecture(folder)


def test_pairs_share_their_prompt_or_are_padded() -> None:
    recipe = make_recipe("dpo", ["batch_size=2"])
    assert load_of(recipe, [ROW], fast=True) == Load(2 * 1000, 2 * 900, 600)
    assert load_of(recipe, [ROW], fast=False) == Load(4 * 600, 4 * 600, 600)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (["batch_size=1"], ["batch_size=4"]),
        (["gradient_checkpointing=true"], []),
        ([], ["tuning=full"]),
        ([], ["use_dora=true"]),
        (["lora_rank=8"], ["lora_rank=64"]),
        ([], ["fast=false"]),
    ],
)
def test_what_needs_less_is_reckoned_less(shape: Architecture, less: list[str], more: list[str]) -> None:
    first, second = (needed(make_recipe("dpo", overrides), shape) for overrides in (less, more))
    assert first.needed < second.needed
    assert first.needed == sum(part.size for part in first.parts)


def llama(hidden: int, inner: int, layers: int, queries: int, keys: int) -> Architecture:
    """Return the shape of a model of tests/bench/memory.py, whose weights lie in its file in fp32."""
    shapes = {"embed_tokens": (49152, hidden), "norm": (hidden,)}
    for n in range(layers):
        shapes |= {f"layers.{n}.{name}_proj": (width, hidden) for name, width in (("q", queries), ("k", keys))}
        shapes |= {f"layers.{n}.v_proj": (keys, hidden), f"layers.{n}.o_proj": (hidden, queries)}
        shapes |= {f"layers.{n}.{name}_proj": (inner, hidden) for name in ("gate", "up")}
        shapes |= {f"layers.{n}.down_proj": (hidden, inner), f"layers.{n}.norm": (hidden,), f"{n}.norm": (hidden,)}
    weights = tuple(Weight(f"{name}.weight", sizes, 4 * math.prod(sizes)) for name, sizes in shapes.items())
    return Architecture(layers, hidden, inner, queries, keys, 49152, weights, attends_otherwise=False)


SMALL, LARGER = llama(256, 1024, 16, 256, 128), llama(960, 2560, 32, 960, 320)


@pytest.mark.parametrize(
    ("shape_of", "method", "overrides", "length", "measured"),
    [
        (SMALL, "sft", [], 256, 781),
        (SMALL, "sft", ["tuning=full"], 256, 1357),
        (SMALL, "sft", [], 1024, 1142),
        (LARGER, "sft", [], 256, 2554),
        (SMALL, "dpo", ["fast=false"], 512, 1979),
        (SMALL, "dpo", ["tuning=full"], 512, 2026),
        (LARGER, "sft", ["tuning=full"], 128, 7353),
    ],
)
def test_what_is_reckoned_is_what_was_measured(
    shape_of: Architecture, method: str, overrides: list[str], length: int, measured: int
) -> None:
    """By the table of docs/before-a-run.md, in MiB: another formula has to be measured anew."""
    recipe = make_recipe(method, ["batch_size=1", f"max_length={length}", "general_text=false", *overrides])
    prompt = length // 3
    row: dict[str, list[int]] = {"input_ids": [1] * length, "labels": [-100] * prompt + [1] * (length - prompt)}
    if method == "dpo":
        row = {"prompt_ids": [1] * prompt} | dict.fromkeys(("chosen_ids", "rejected_ids"), [2] * (length - prompt))
    fast = is_fast(recipe, shape_of)
    machine = Machine("cpu", True, 1 << 50)
    found = estimate(recipe, shape_of, load_of(recipe, [row], fast=fast), machine, rows=4, fast=fast)
    assert found.needed / 2**20 == pytest.approx(measured, rel=0.15)


def test_what_does_not_fit_is_changed_until_it_does(shape: Architecture) -> None:
    recipe = make_recipe("dpo", ["batch_size=8", "gradient_accumulation=1", "max_length=1024"])
    asked = needed(recipe, shape).needed

    def limited(room: int) -> list[str]:
        free = int(room / (1 - SPARE)) + 1
        found = changes(recipe, lambda each: needed(each, shape, free), has_4bit=False)
        return [text for change in found for text in change.overrides]

    assert limited(asked) == []
    one = needed(make_recipe("dpo", ["batch_size=1", "gradient_accumulation=8"]), shape).needed
    assert limited(one) == ["batch_size=1", "gradient_accumulation=8"]
    all_of_it = limited(0)
    assert all_of_it[:3] == ["batch_size=1", "gradient_accumulation=8", "gradient_checkpointing=true"]
    assert "quantisation=4bit" not in all_of_it
    assert "max_length=256" in all_of_it


def test_the_weights_of_a_large_model_are_held_in_4_bits(shape: Architecture) -> None:
    large = replace(shape, weights=tuple(Weight(f"layers.{n}.q_proj.weight", (8192, 8192), 1 << 28) for n in range(99)))
    recipe = make_recipe("dpo", ["gradient_checkpointing=true"])
    [change] = changes(recipe, lambda each: needed(each, large, 12 * GIB, "cuda"), has_4bit=True)
    assert change.overrides == ("quantisation=4bit",)
    assert change.needed < 12 * GIB


def test_a_gpu_without_bf16_of_its_own_takes_it_where_memory_lacks(shape: Architecture) -> None:
    large = replace(shape, weights=tuple(Weight(f"layers.{n}.q_proj.weight", (8192, 8192), 1 << 28) for n in range(30)))
    recipe = make_recipe("dpo", ["batch_size=1", "gradient_accumulation=1", "general_text=false"])

    def memory(each: Recipe) -> Memory:
        machine = Machine("cuda", each.dtype == "bf16", 8 * GIB)
        return estimate(each, large, load_of(each, [ROW], fast=True), machine, rows=100, fast=True)

    [change] = changes(recipe, memory, has_4bit=True, has_smaller=True)
    assert change.overrides == ("dtype=bf16",)
    assert ("dtype=bf16",) not in [each.overrides for each in changes(recipe, memory, has_4bit=True)]
    exact = replace(recipe, dtype="fp32")
    assert ("dtype=bf16",) not in [each.overrides for each in changes(exact, memory, has_4bit=True, has_smaller=True)]


def test_the_disk_that_a_run_needs_goes_by_what_it_trains(shape: Architecture) -> None:
    def room(*overrides: str) -> Room:
        return room_of(make_recipe("sft", list(overrides)), shape)

    adapter = shape.adapter(16, "all-linear")
    assert room("lora_rank=16", "keep_checkpoints=2") == Room(12 * adapter, 4, 6 * adapter)
    assert room("lora_rank=16", "optimizer=adamw_8bit", "device=auto").checkpoint == int(6.1 * adapter)
    assert room("lora_rank=16", "use_dora=true").learnt == 4 * adapter + 2 * shape.parameters
    whole = room("tuning=full", "keep_checkpoints=1")
    assert whole == Room(12 * shape.parameters, 3, 6 * shape.parameters)
    assert whole.lacks(whole.needed) == ""
    assert "checkpoints of" in whole.lacks(whole.needed - 1)
    kept = {method: room_of(make_recipe(method, []), shape, from_adapter=True).checkpoint for method in ("sft", "dpo")}
    alone = {method: room_of(make_recipe(method, []), shape).checkpoint for method in ("sft", "dpo")}
    assert kept == {"sft": alone["sft"], "dpo": alone["dpo"] * 16 // 12}, "DPO keeps what it began with beside it"


def test_all_weights_give_way_to_an_adapter(shape: Architecture) -> None:
    recipe = make_recipe("sft", ["tuning=full"])
    row = {"input_ids": [1] * 300, "labels": [1] * 300}

    def memory(each: Recipe) -> Memory:
        return estimate(each, shape, load_of(each, [row], fast=True), Machine("cuda", True, 0), rows=100, fast=True)

    found = changes(recipe, memory, has_4bit=True)
    assert ("tuning=lora",) in [change.overrides for change in found]
    assert found[-1].overrides == ("max_length=256",), "the longest row has 300, so that 512 would not help"
    assert [change.needed for change in found] == sorted((change.needed for change in found), reverse=True)


def test_an_adapter_on_weights_in_4_bits_comes_before_rows_that_are_cut(shape: Architecture) -> None:
    large = replace(shape, weights=tuple(Weight(f"layers.{n}.q_proj.weight", (8192, 8192), 1 << 28) for n in range(99)))
    recipe = make_recipe("dpo", ["tuning=full", "batch_size=1"])
    found = changes(recipe, lambda each: needed(each, large, 12 * GIB, "cuda"), has_4bit=True)
    made = [change.overrides for change in found]
    assert made[-2:] == [("tuning=lora",), ("quantisation=4bit",)]
    assert found[-1].needed < 12 * GIB


@pytest.mark.parametrize(
    ("method", "overrides", "is_held"),
    [
        ("grpo", ["beta=0.1", "tuning=full"], True),
        ("grpo", ["beta=0", "tuning=full"], False),
        ("grpo", ["beta=0.1"], False),
        ("kto", ["tuning=full", "max_steps=2"], True),
        ("kto", ["tuning=full", "epochs=0.5"], True),
        ("kto", ["tuning=full"], False),
        ("dpo", ["tuning=full", "max_steps=2"], False),
    ],
)
def test_a_second_model_as_the_reference_is_counted(
    shape: Architecture, method: str, overrides: list[str], is_held: bool
) -> None:
    parts = {part.name: part.size for part in needed(make_recipe(method, overrides), shape).parts}
    found = [size for name, size in parts.items() if "reference" in name]
    assert found == ([4 * shape.parameters] if is_held else [])
