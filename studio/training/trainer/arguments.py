"""A recipe as the arguments that all of TRL's trainers take."""

from importlib.util import find_spec
from typing import Any

import torch

from studio.errors import StudioError
from studio.training.folder import RunFolder
from studio.training.recipe import Recipe
from studio.training.trainer.hardware import Hardware
from studio.training.trainer.names import OPTIMIZERS, scheduler_of
from studio.training.trainer.steps import even_batch, measured_every, steps_of, warmup_of


def arguments_of(
    recipe: Recipe, folder: RunFolder, hardware: Hardware, train_rows: int, held_out_rows: int
) -> dict[str, Any]:
    """Return the arguments; the method's own come on top.

    Raises:
        StudioError: the optimiser is not to be had here, or there are too few prompts for a step.
    """
    steps = steps_of(recipe, train_rows)
    every = measured_every(recipe, steps)
    return {
        "output_dir": str(folder.checkpoints),
        "num_train_epochs": recipe.epochs,
        # Said outright: a resume in a part of an epoch would work out another number.
        "max_steps": steps,
        "learning_rate": recipe.learning_rate,
        "warmup_steps": warmup_of(recipe, steps),
        "lr_scheduler_type": scheduler_of(recipe),
        "optim": _optimizer(recipe, hardware),
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": even_batch(held_out_rows, recipe.batch_size),
        "gradient_accumulation_steps": recipe.gradient_accumulation,
        "max_length": recipe.max_length,
        "max_grad_norm": recipe.max_grad_norm,
        "weight_decay": recipe.weight_decay,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "activation_checkpointing": recipe.gradient_checkpointing,
        "use_cpu": hardware.device == "cpu",
        "bf16": hardware.torch_dtype == torch.bfloat16,
        "eval_strategy": "steps",
        "eval_steps": every,
        "eval_on_start": True,
        "save_strategy": "steps",
        "save_steps": every,
        # Which checkpoints stay is settled elsewhere, since the best has to be among them.
        "save_total_limit": None,
        "logging_steps": 1,
        # Else a loss that is no number is logged as 0, and a ruined model passes for a perfect one.
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": hardware.device == "cuda",
    }


def _optimizer(recipe: Recipe, hardware: Hardware) -> str:
    if recipe.optimizer != "adamw":
        if hardware.device != "cuda":
            raise StudioError(
                f"optimizer={recipe.optimizer} needs a GPU, and there is none here.", "Use optimizer=adamw."
            )
        if find_spec("bitsandbytes") is None:
            raise StudioError(
                f"optimizer={recipe.optimizer} needs the package bitsandbytes, which is not installed.",
                "pip install bitsandbytes, or use optimizer=adamw.",
            )
    return OPTIMIZERS[recipe.optimizer]
