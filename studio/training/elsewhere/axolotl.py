"""A recipe as Axolotl's YAML, with the rows in Axolotl's shapes."""

from collections.abc import Iterator
from typing import Any

from studio.errors import StudioError
from studio.training.elsewhere.material import Material
from studio.training.elsewhere.rows import Row, as_format, as_prompts, as_texts, last_alone, typed, without_tools
from studio.training.elsewhere.trl_settings import best, every, named_warmup, notes_on_trl
from studio.training.elsewhere.written import HERE, Written, comment, lines_of
from studio.training.elsewhere.yaml_text import as_yaml
from studio.training.recipe import Recipe
from studio.training.rows.balance import weights
from studio.training.trainer.names import ATTENTION, OPTIMIZERS, scheduler_of

_TRANSFORM = '''

def prompts(cfg, *args, **kwargs):
    """Give Axolotl the rows as they are."""
    return lambda example, tokenizer=None: {"prompt": example["prompt"], "fields": example["fields"]}, {}
'''


def write(material: Material) -> Written:
    """Return a configuration with the rows and the tokenizer that it names.

    Raises:
        StudioError: Axolotl has no word for the loss.
    """
    recipe = material.recipe
    if recipe.method == "dpo" and recipe.loss == "cpo":
        raise StudioError("Axolotl has no CPO.", "Write it out with --as trl.")
    data, unsaid = {}, []
    for split, rows in material.rows.items():
        said, problems = _rows(recipe, material.tokenizer, rows)
        unsaid += problems
        data[f"data/{split}.jsonl"] = lines_of(said)
    notes = [*unsaid, *_notes(recipe, has_parent=material.adapter is not None)]
    text = f"# {material.name}\n{comment(notes)}\n" + as_yaml(_settings(material))
    files = {**data, **{f"tokenizer/{name}": content for name, content in material.tokenizer.items()}}
    if recipe.method == "grpo":
        from studio.training.elsewhere.rewards import reward_file

        files["rewards.py"] = (_by_name(reward_file(material.checks), material.checks) + _TRANSFORM).encode()
    folders = {"parent": material.adapter} if material.adapter else {}
    return Written("axolotl.yaml", text, notes, f"{HERE}: axolotl train axolotl.yaml", files, folders)


def _rows(recipe: Recipe, tokenizer: dict[str, bytes], rows: list[Row]) -> tuple[list[Row], list[str]]:
    match recipe.method:
        case "sft" | "distill":
            return as_format("axolotl-chat", map(last_alone, rows) if recipe.loss_on == "completion" else rows)
        case "grpo":
            return as_prompts(rows)
        case "kto":
            return as_texts(tokenizer, rows)
        case "reward":
            return as_format("axolotl-icr", rows)
    if recipe.loss == "orpo":
        # Its two answers come with the whole conversation before them.
        kept, unsaid = without_tools(rows)
        pairs = [typed(row) for row in kept]
        whole = [{side: [*pair.prompt, *getattr(pair, side)] for side in ("chosen", "rejected")} for pair in pairs]  # type: ignore[union-attr]
        return whole, unsaid
    return as_format("axolotl-dpo", rows)


def _notes(recipe: Recipe, *, has_parent: bool) -> Iterator[str]:
    if recipe.method == "kto":
        yield "Axolotl's KTO knows no chat template of a model: these rows are texts that were rendered already."
    if recipe.method == "reward":
        yield "Axolotl's reward type holds one question with a system text; longer conversations are left out."
    if recipe.method == "dpo" and recipe.loss not in ("sigmoid", "ipo", "simpo", "orpo"):
        yield "dpo_loss_type is a setting of newer versions of Axolotl."
    if recipe.loss == "robust" and recipe.method == "dpo":
        yield "The share of wrong verdicts is dpo_label_smoothing."
    if recipe.tuning == "lora" and recipe.lora_targets == "attention":
        yield "The layers of attention are named as in most models; change lora_target_modules where yours differ."
    if recipe.method in ("sft", "distill") and recipe.loss_on == "completion":
        yield "Only the last answer is learnt: earlier ones of the assistant are marked with train: false in the rows."
    yield from notes_on_trl(recipe, has_parent=has_parent)
    if recipe.fast:
        yield "Axolotl has its own words for speed (sample_packing, dpo_padding_free, kernels); none is set here."


def _settings(material: Material) -> dict[str, Any]:
    recipe, rows = material.recipe, len(material.rows["train"])
    return {
        "base_model": material.model,
        "tokenizer_config": "./tokenizer",
        "chat_template": "tokenizer_default",
        **_of_method(material),
        "datasets": [_data_set(recipe, "train")],
        "test_datasets": [_data_set(recipe, "validation")],
        "dataset_prepared_path": "./prepared",
        "output_dir": "./out",
        **_adapter(recipe, has_parent=material.adapter is not None),
        "sequence_len": recipe.max_length,
        "excess_length_strategy": "truncate",
        "num_epochs": recipe.epochs,
        **({"max_steps": recipe.max_steps} if recipe.max_steps else {}),
        "micro_batch_size": recipe.batch_size,
        "gradient_accumulation_steps": recipe.gradient_accumulation,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler": scheduler_of(recipe),
        **named_warmup(recipe, rows),
        "optimizer": OPTIMIZERS[recipe.optimizer],
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "seed": recipe.seed,
        "bf16": {"auto": "auto", "bf16": True, "fp32": False}[recipe.dtype],
        "gradient_checkpointing": recipe.gradient_checkpointing,
        "attn_implementation": "sdpa",
        **_watching(recipe, rows),
    }


def _of_method(material: Material) -> dict[str, Any]:
    recipe, checks = material.recipe, material.checks
    match recipe.method:
        case "sft" | "distill":
            return {"train_on_inputs": recipe.loss_on == "conversation", "sample_packing": recipe.packing}
        case "reward":
            return {"reward_model": True, "num_labels": 1, "model_type": "AutoModelForSequenceClassification"}
        case "kto":
            good, bad = weights(recipe, [row["label"] for row in material.rows["train"]])
            weighed = {"kto_desirable_weight": good, "kto_undesirable_weight": bad}
            return {"rl": "kto", "rl_beta": recipe.beta, "remove_unused_columns": False, **weighed}
        case "grpo":
            return {
                "rl": "grpo",
                "trl": {
                    "beta": recipe.beta,
                    "max_completion_length": recipe.completion_length,
                    "num_generations": recipe.generations,
                    "temperature": recipe.temperature,
                    "reward_funcs": [f"rewards.reward_{number}" for number in range(1, len(checks) + 1)],
                    "reward_weights": [float(check["weight"]) for check in checks],
                },
            }
    return _of_pairs(recipe)


def _of_pairs(recipe: Recipe) -> dict[str, Any]:
    match recipe.loss:
        case "orpo":
            return {"rl": "orpo", "orpo_alpha": recipe.beta, "remove_unused_columns": False}
        case "simpo":
            # SimPO is TRL's CPO without its loss on the chosen answer, or with a share of it.
            simpo = {"simpo_gamma": recipe.simpo_gamma, "cpo_alpha": recipe.sft_weight}
            return {"rl": "simpo", "rl_beta": recipe.beta, **simpo}
    found: dict[str, Any] = {"rl": "ipo" if recipe.loss == "ipo" else "dpo", "rl_beta": recipe.beta}
    losses = [recipe.loss, "sft"] if recipe.sft_weight else [recipe.loss]
    if losses not in (["sigmoid"], ["ipo"]):
        found |= {"rl": "dpo", "dpo_loss_type": losses}
    if recipe.sft_weight:
        found["dpo_loss_weights"] = [1.0, recipe.sft_weight]
    if recipe.label_smoothing:
        found["dpo_label_smoothing"] = recipe.label_smoothing
    return found


def _data_set(recipe: Recipe, split: str) -> dict[str, Any]:
    file = {"path": f"./data/{split}.jsonl", "ds_type": "json", "split": "train"}
    roles = {"message_property_mappings": {"role": "role", "content": "content"}}
    match recipe.method:
        case "sft" | "distill":
            learnt = {"message_field_training": "train"}
            if recipe.loss_on != "conversation":
                learnt |= {"roles_to_train": ["assistant"], "train_on_eos": "turn"}  # type: ignore[dict-item]
            return {**file, "type": "chat_template", "field_messages": "messages", **roles, **learnt}
        case "reward":
            return {**file, "type": "bradley_terry.chat_template"}
        case "kto":
            columns = {"field_prompt": "prompt", "field_completion": "completion", "field_label": "label"}
            return {**file, "type": {**columns, "prompt_format": "{prompt}", "completion_format": "{completion}"}}
        case "grpo":
            return {**file, "type": "rewards.prompts"}
    if recipe.loss == "orpo":
        return {**file, "type": "chat_template.argilla"}
    fields = {"field_messages": "messages", "field_chosen": "chosen", "field_rejected": "rejected"}
    return {**file, "type": "chat_template.default", **fields, **roles}


def _adapter(recipe: Recipe, *, has_parent: bool) -> dict[str, Any]:
    if recipe.tuning == "full":
        return {}
    is_4bit = recipe.quantisation == "4bit"
    targets = (
        {"lora_target_linear": True} if recipe.lora_targets == "all-linear" else {"lora_target_modules": ATTENTION}
    )
    return {
        "adapter": "qlora" if is_4bit else "lora",
        **({"load_in_4bit": True} if is_4bit else {}),
        **({"lora_model_dir": "./parent"} if has_parent else {}),
        "lora_r": recipe.lora_rank,
        "lora_alpha": recipe.lora_alpha,
        "lora_dropout": recipe.lora_dropout,
        **targets,
        **({"peft_use_dora": True} if recipe.use_dora else {}),
        **({"peft_use_rslora": True} if recipe.use_rslora else {}),
    }


def _watching(recipe: Recipe, rows: int) -> dict[str, Any]:
    if not recipe.evaluations:
        return {"logging_steps": 1, "eval_strategy": "no", "save_strategy": "epoch"}
    measured = every(recipe, rows)
    found: dict[str, Any] = {"logging_steps": 1, "eval_steps": measured, "save_steps": measured}
    found["save_total_limit"] = recipe.keep_checkpoints
    found |= best(recipe)
    if recipe.early_stopping:
        found["early_stopping_patience"] = recipe.early_stopping
    return found


def _by_name(rewards: str, checks: list[Row]) -> str:
    """Return the rewards with a name of its own for each, by which Axolotl finds it."""
    names = ", ".join(f"reward_{number}" for number in range(1, len(checks) + 1))
    return rewards + (f"\n{names}{',' if len(checks) == 1 else ''} = REWARDS\n" if checks else "")
