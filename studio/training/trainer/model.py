"""The model that is trained: loaded as the recipe says, and the adapter that is put on it."""

from importlib.util import find_spec
from typing import Any

import torch
from peft import LoraConfig, TaskType, load_peft_weights, set_peft_model_state_dict
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, BitsAndBytesConfig

from studio.errors import StudioError
from studio.training.recipe import Recipe
from studio.training.trainer.hardware import Hardware
from studio.training.trainer.names import ATTENTION


def load_model(folder: str, recipe: Recipe, hardware: Hardware) -> Any:
    """Load the base model in the number format that it is trained in; one that scores gets a head for that.

    Raises:
        StudioError: the recipe wants it in 4 bits, and that can't be done here.
    """
    kind = AutoModelForSequenceClassification if recipe.method == "reward" else AutoModelForCausalLM
    # Steps of full training are smaller than bf16 can add to a weight; the computing is in bf16 all the same.
    dtype = torch.float32 if recipe.tuning == "full" else hardware.torch_dtype
    wanted: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
    if recipe.method == "reward":
        wanted["num_labels"] = 1
    if recipe.quantisation == "4bit":
        _check_4bit(hardware)
        here = {"": torch.cuda.current_device()}
        # What is not held in 4 bits stays as it is: PEFT's preparation would make it fp32, and so all that is computed.
        model = kind.from_pretrained(folder, quantization_config=_in_4_bits(hardware), device_map=here, **wanted)
    else:
        model = kind.from_pretrained(folder, **wanted).to(hardware.device)
    model.config.use_cache = False
    return model


def adapter_config(recipe: Recipe) -> LoraConfig:
    """Return the shape of a new adapter."""
    return LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear" if recipe.lora_targets == "all-linear" else ATTENTION,
        use_dora=recipe.use_dora,
        use_rslora=recipe.use_rslora,
        task_type=TaskType.SEQ_CLS if recipe.method == "reward" else TaskType.CAUSAL_LM,
    )


def keep_exact(model: Any, parent_adapter: str | None = None) -> None:
    """Let what is trained be fp32, since bf16 would round small steps away; to be called before there is an optimiser.

    PEFT makes an adapter so, but not the head of a model that scores; and TRL undoes it over weights in 4 bits, with
    those of an adapter that training goes on from, which are read again.
    """
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    if parent_adapter:
        set_peft_model_state_dict(model, load_peft_weights(parent_adapter, device=str(model.device)))


def _check_4bit(hardware: Hardware) -> None:
    if hardware.device != "cuda":
        raise StudioError("quantisation=4bit needs a GPU, and there is none here.", "Use quantisation=none.")
    if find_spec("bitsandbytes") is None:
        raise StudioError(
            "quantisation=4bit needs the package bitsandbytes, which is not installed.", "pip install bitsandbytes."
        )


def _in_4_bits(hardware: Hardware) -> BitsAndBytesConfig:
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=hardware.torch_dtype,
    )
