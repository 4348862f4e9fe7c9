"""Dropout inside the adapter, where TRL switches off all dropout of a model."""

from typing import Any

from torch import nn

from studio.training.recipe import Recipe

TRAINED = "default"
"""What PEFT calls the adapter that is trained; others are what it is compared with, and stay without dropout."""


def keep(model: Any, recipe: Recipe) -> None:
    """Let the adapter that is trained have the recipe's dropout."""
    for layer in model.modules():
        layers = getattr(layer, "lora_dropout", None)
        if isinstance(layers, nn.ModuleDict) and TRAINED in layers and isinstance(layers[TRAINED], nn.Dropout):
            layers[TRAINED].p = recipe.lora_dropout
