"""What transformers and PEFT call what a recipe names."""

from studio.training.recipe import Recipe

OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw_8bit": "adamw_8bit", "paged_adamw_8bit": "paged_adamw_8bit"}

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj"]
"""The linear layers of attention; PEFT takes those that a model has."""


def scheduler_of(recipe: Recipe) -> str:
    """Return the learning rate's course; transformers' `constant` knows no warmup."""
    rises = recipe.scheduler == "constant" and recipe.warmup
    return "constant_with_warmup" if rises else recipe.scheduler
