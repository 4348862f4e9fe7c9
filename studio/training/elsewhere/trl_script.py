"""A recipe as a script that needs nothing of the studio: plain TRL, PEFT and datasets."""

import json
from collections.abc import Iterator
from typing import Any

from studio.training.elsewhere.material import Material
from studio.training.elsewhere.rows import as_format, as_prompts
from studio.training.elsewhere.trl_settings import arguments, classes, lora, notes_on_trl
from studio.training.elsewhere.written import HERE, Written, comment, lines_of
from studio.training.recipe import METHODS_IN_WORDS, Recipe

_SHAPES = {"dpo": "trl-preference", "reward": "trl-preference", "kto": "trl-kto"}


def write(material: Material) -> Written:
    """Return a script with the rows, the tokenizer and the adapter that it reads."""
    recipe = material.recipe
    data, unsaid = {}, []
    for split, rows in material.rows.items():
        if recipe.method == "grpo":
            said, problems = as_prompts(rows)
        else:
            said, problems = as_format(_shape(recipe), rows)
        unsaid += problems
        data[f"data/{split}.jsonl"] = lines_of(said)
    notes = [*unsaid, *_notes(recipe, has_parent=material.adapter is not None)]
    files = {**data, **{f"tokenizer/{name}": content for name, content in material.tokenizer.items()}}
    if recipe.method == "grpo":
        from studio.training.elsewhere.rewards import reward_file

        files["rewards.py"] = reward_file(material.checks).encode()
    folders = {"parent": material.adapter} if material.adapter else {}
    return Written("train.py", _script(material, notes), notes, f"{HERE}: python train.py", files, folders)


def _shape(recipe: Recipe) -> str:
    if recipe.method in ("sft", "distill"):
        return "trl-prompt-completion" if recipe.loss_on == "completion" else "trl-sft"
    return _SHAPES[recipe.method]


def _notes(recipe: Recipe, *, has_parent: bool) -> Iterator[str]:
    if classes(recipe).module != "trl":
        yield f"{recipe.loss} is experimental in TRL and may change there."
    if recipe.fast:
        yield "The studio computes without padding, a prompt once for both answers, and batches rows of alike length."
    if recipe.method != "grpo":
        yield "Rows whose prompt alone fills max_length are left out by the studio; here they are cut."
    yield "Special tokens that stand in the rows' own text are read as such here; the studio takes them as text."
    if recipe.loss_on == "assistant" and recipe.method in ("sft", "distill"):
        yield "assistant_only_loss needs a chat template with generation markers, or one that TRL has its own for."
    if recipe.method == "kto":
        yield "TRL compares each answer with another's of its batch; the studio settles the batches beforehand."
    if recipe.method == "grpo":
        yield "Held-out prompts are answered by chance as well; the studio takes the likeliest answer to measure."
    if recipe.lora_targets == "attention" and recipe.tuning == "lora":
        yield "The layers of attention are named as in most models; look at print(model) where yours differ."
    yield from notes_on_trl(recipe, has_parent=has_parent)


def _script(material: Material, notes: list[str]) -> str:
    recipe, names = material.recipe, classes(material.recipe)
    return "\n".join(
        [
            f'"""{material.name}: {METHODS_IN_WORDS[recipe.method]}. Start it with: python train.py [MODEL]"""',
            "",
            comment(notes),
            "import sys",
            "from pathlib import Path",
            "",
            *_imports(recipe, has_parent=material.adapter is not None),
            "",
            "HERE = Path(__file__).resolve().parent",
            "# A folder, or a name of the Hugging Face hub.",
            f"MODEL = sys.argv[1] if len(sys.argv) > 1 else {_literal(material.model)}",
            "",
            *_model(recipe),
            "",
            'tokenizer = PreTrainedTokenizerFast.from_pretrained(HERE / "tokenizer")',
            *(["model.config.pad_token_id = tokenizer.pad_token_id"] if recipe.method == "reward" else []),
            'files = {split: str(HERE / "data" / f"{split}.jsonl") for split in ("train", "validation")}',
            'data = load_dataset("json", data_files=files)',
            "",
            *_adapter(recipe, has_parent=material.adapter is not None),
            f"arguments = {names.config}(",
            '    output_dir=str(HERE / "checkpoints"),',
            *_keywords(arguments(recipe, material.rows["train"])),
            *(["    reward_weights=WEIGHTS,"] if recipe.method == "grpo" else []),
            "    bf16=bf16,",
            '    use_cpu=device == "cpu",',
            ")",
            f"trainer = {names.trainer}(",
            "    model=model,",
            "    args=arguments,",
            '    train_dataset=data["train"],',
            '    eval_dataset=data["validation"],',
            "    processing_class=tokenizer,",
            *_last_arguments(recipe, has_parent=material.adapter is not None),
            ")",
            *(_EXACT if recipe.quantisation == "4bit" else ()),
            "trainer.train()",
            "print(trainer.evaluate())",
            f'trainer.save_model(str(HERE / "{"adapter" if recipe.tuning == "lora" else "model"}"))',
            "",
        ]
    )


_EXACT = (
    "# TRL makes an adapter over 4 bits bf16, in which small steps get lost.",
    "for weight in trainer.model.parameters():",
    "    if weight.requires_grad:",
    "        weight.data = weight.data.float()",
)


def _imports(recipe: Recipe, *, has_parent: bool) -> Iterator[str]:
    names = classes(recipe)
    model = "AutoModelForSequenceClassification" if recipe.method == "reward" else "AutoModelForCausalLM"
    used = [model, "PreTrainedTokenizerFast"]
    used += ["BitsAndBytesConfig"] if recipe.quantisation == "4bit" else []
    used += ["EarlyStoppingCallback"] if _stops_early(recipe) else []
    yield "import torch"
    yield "from datasets import load_dataset"
    if recipe.tuning == "lora":
        yield f"from peft import {'PeftModel' if has_parent else 'LoraConfig'}"
    yield f"from transformers import {', '.join(sorted(used))}"
    yield f"from {names.module} import {names.config}, {names.trainer}"
    if recipe.method == "grpo":
        yield ""
        yield "from rewards import REWARDS, WEIGHTS"


def _model(recipe: Recipe) -> Iterator[str]:
    device = '"cuda" if torch.cuda.is_available() else "cpu"' if recipe.device == "auto" else _literal(recipe.device)
    able = 'device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)'
    bf16 = able if recipe.dtype == "auto" else recipe.dtype == "bf16"
    yield f"device = {device}"
    yield f"bf16 = {bf16}"
    if recipe.tuning == "full":
        yield "# Steps of full training are smaller than bf16 can add to a weight; the computing is in bf16."
        yield "dtype = torch.float32"
    else:
        yield "dtype = torch.bfloat16 if bf16 else torch.float32"
    is_reward = recipe.method == "reward"
    yield f"model = {'AutoModelForSequenceClassification' if is_reward else 'AutoModelForCausalLM'}.from_pretrained("
    yield "    MODEL,"
    yield "    dtype=dtype,"
    yield '    attn_implementation="sdpa",'
    if is_reward:
        yield "    num_labels=1,"
    if recipe.quantisation == "4bit":
        yield "    quantization_config=BitsAndBytesConfig("
        yield '        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,'
        yield "        bnb_4bit_compute_dtype=dtype,"
        yield "    ),"
    yield ")"


def _adapter(recipe: Recipe, *, has_parent: bool) -> Iterator[str]:
    if recipe.tuning == "full":
        return
    if has_parent:
        yield 'model = PeftModel.from_pretrained(model, HERE / "parent", is_trainable=True)'
        return
    yield "adapter = LoraConfig("
    yield from _keywords(lora(recipe))
    yield ")"


def _last_arguments(recipe: Recipe, *, has_parent: bool) -> Iterator[str]:
    if recipe.tuning == "lora" and not has_parent:
        yield "    peft_config=adapter,"
    if recipe.method == "grpo":
        yield "    reward_funcs=REWARDS,"
    if _stops_early(recipe):
        yield f"    callbacks=[EarlyStoppingCallback({recipe.early_stopping})],"


def _stops_early(recipe: Recipe) -> bool:
    return bool(recipe.early_stopping and recipe.evaluations)


def _keywords(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield f"    {name}={_literal(value)},"


def _literal(value: Any) -> str:
    """Return how Python says it, with the quotes that people use."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value) if isinstance(value, str) else repr(value)
