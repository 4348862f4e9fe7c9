"""What a run is: one typed recipe, saved in the run's folder as `recipe.toml`."""

import difflib
import math
import tomllib
from dataclasses import Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import tomlkit

from studio.errors import StudioError

Method = Literal["sft", "dpo"]
METHODS: tuple[Method, ...] = get_args(Method)


def _setting(default: Any, explanation: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"explanation": explanation, "choices": choices})


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, but for its data and its base model."""

    method: Method
    epochs: float = _setting(3.0, "Passes over the training data.")
    learning_rate: float = _setting(2e-4, "Peak learning rate; LoRA needs about ten times that of full training.")
    warmup: float = _setting(0.1, "Share of the steps in which the learning rate rises.")
    scheduler: str = _setting("cosine", "How the learning rate falls.", ("cosine", "linear", "constant"))
    batch_size: int = _setting(1, "Rows in one forward pass; more fill a GPU better and need more memory.")
    gradient_accumulation: int = _setting(4, "Forward passes before each optimiser step.")
    max_length: int = _setting(1024, "Tokens of a row that are kept, from its start.")
    packing: bool = _setting(False, "SFT: fill each row up to max_length with examples that don't see each other.")
    max_grad_norm: float = _setting(1.0, "Gradients longer than this are scaled down.")
    weight_decay: float = _setting(0.0, "Pull of the adapter's weights towards zero.")
    beta: float = _setting(0.1, "DPO: how strongly the tuned model is held to the base; smaller moves further.")
    loss: str = _setting("sigmoid", "DPO: the loss.", ("sigmoid", "ipo", "hinge", "robust"))
    lora_rank: int = _setting(16, "Rank of the LoRA adapter.")
    lora_alpha: int = _setting(32, "Scale of the LoRA adapter; its effect is alpha / rank.")
    lora_dropout: float = _setting(0.0, "Dropout inside the adapter.")
    seed: int = _setting(1, "Seed of the data order and of the adapter's start.")
    device: str = _setting("auto", "Where to train; auto takes cuda where there is one.", ("auto", "cuda", "cpu"))
    dtype: str = _setting(
        "auto",
        "Number format of the base model; auto takes bf16 where the device computes in it.",
        ("auto", "bf16", "fp32"),
    )
    evaluations: int = _setting(4, "How often the held-out rows are measured in the course of the run.")
    gradient_checkpointing: bool = _setting(False, "Trade time for memory.")


PRESETS: dict[Method, dict[str, Any]] = {
    "sft": {"learning_rate": 2e-4, "epochs": 3.0},
    "dpo": {"learning_rate": 1e-4, "epochs": 3.0},
}
"""What differs from the defaults, for a few dozen to a few hundred rows and a LoRA adapter."""


def make_recipe(method: str, overrides: list[str]) -> Recipe:
    """Return the method's preset with `KEY=VALUE` changes.

    Raises:
        StudioError: the method or a key is not known, or a value does not fit.
    """
    if method not in METHODS:
        raise StudioError(f"There is no method {method!r}.", f"Known are {', '.join(METHODS)}.")
    recipe = Recipe(method=method, **PRESETS[method])
    changes = dict(_parse_override(text) for text in overrides)
    return _checked(replace(recipe, **changes))


def settings_of(recipe: Recipe) -> list[tuple[str, Any, str]]:
    """Return each field that can be set as name, value and explanation."""
    return [(f.name, getattr(recipe, f.name), f.metadata["explanation"]) for f in _settable()]


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe with each field's explanation beside it."""
    document = tomlkit.document()
    document.add("method", tomlkit.item(recipe.method))
    for name, value, explanation in settings_of(recipe):
        document.add(name, tomlkit.item(value).comment(explanation))
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe back.

    Raises:
        StudioError: the file is absent, no TOML, or holds what no recipe has.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return _checked(Recipe(**table))
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise StudioError(f"{path} is no usable recipe: {error}.", "Start a new run.") from error


def as_table(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as plain values, for the store."""
    return asdict(recipe)


def _settable() -> list["Field[Any]"]:
    return [f for f in fields(Recipe) if f.name != "method"]


def _parse_override(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    name = name.strip()
    known = {f.name: f for f in _settable()}
    if not sign:
        raise StudioError(f"--set takes KEY=VALUE, not {text!r}.")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
        raise StudioError(f"A recipe has no setting {name!r}.", hint)
    return name, _convert(name, known[name].type, value.strip())


_TYPES_IN_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _convert(name: str, wanted: Any, value: str) -> Any:
    try:
        if wanted is bool:
            return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
        return wanted(value)
    except (ValueError, KeyError):
        raise StudioError(f"{name} must be {_TYPES_IN_WORDS[wanted]}, not {value!r}.") from None


def _checked(recipe: Recipe) -> Recipe:
    for item in _settable():
        choices, value = item.metadata["choices"], getattr(recipe, item.name)
        if choices and value not in choices:
            raise StudioError(f"{item.name} can't be {value!r}.", f"It is one of {', '.join(choices)}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise StudioError(f"{item.name} must be a finite number, not {value}.")
    if recipe.packing and recipe.method != "sft":
        raise StudioError(f"{recipe.method} can't pack its rows.", "Only sft can: leave packing=false.")
    positive = ("epochs", "learning_rate", "batch_size", "gradient_accumulation", "max_length", "lora_rank", "beta")
    for name in positive:
        if getattr(recipe, name) <= 0:
            raise StudioError(f"{name} must be above 0, not {getattr(recipe, name)}.")
    return recipe
