"""What a run is: one typed recipe, every field with its default, its explanation and where that default comes from."""

import difflib
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from store.snapshots import SnapshotKind
from studio.errors import StudioError

Method = Literal["sft", "dpo", "kto", "reward", "grpo", "distill"]
METHODS: tuple[Method, ...] = get_args(Method)

METHODS_IN_WORDS: dict[Method, str] = {
    "sft": "learn the answers of the examples",
    "dpo": "learn from pairs which answer is better",
    "kto": "learn from answers called good or bad by themselves",
    "reward": "learn to score answers as the pairs do",
    "grpo": "learn by trying: answers are rewarded by the project's checks",
    "distill": "learn the answers that a teacher gave to the prompts",
}

KINDS: dict[Method, SnapshotKind] = {
    "sft": "sft",
    "dpo": "preference",
    "kto": "unpaired",
    "reward": "preference",
    "grpo": "prompts",
    "distill": "distillation",
}
"""What rows each method learns from."""

EXPERIMENTAL_LOSSES = ("simpo", "orpo", "cpo")
"""Losses without a reference model, which TRL marks as experimental."""

Group = Literal["data", "optimiser", "loss", "adapter", "hardware", "watching"]

_TEXTS: tuple[Method, ...] = ("sft", "distill")
_PAIRS: tuple[Method, ...] = ("dpo",)
_TRL, _PEFT, _OURS = "TRL's default", "PEFT's default", "chosen for small data on one machine"


@dataclass(frozen=True)
class Setting:
    """What is known of one field of a recipe, but for its value."""

    name: str
    explanation: str
    group: Group
    source: str
    """Where its default comes from."""
    choices: tuple[str, ...]
    methods: tuple[Method, ...]
    """The methods that it matters for."""
    is_main: bool
    """Whether most runs want to look at it; others are folded away."""


def _setting(
    default: Any,
    group: Group,
    explanation: str,
    *,
    source: str = _OURS,
    choices: tuple[str, ...] = (),
    methods: tuple[Method, ...] = METHODS,
    main: bool = False,
) -> Any:
    known = {"group": group, "explanation": explanation, "source": source, "choices": choices}
    return field(default=default, metadata={**known, "methods": methods, "is_main": main})


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, but for its data and its base model."""

    method: Method
    epochs: float = _setting(3.0, "optimiser", "Passes over the training data.", source=_TRL, main=True)
    max_steps: int = _setting(0, "optimiser", "Stop after so many optimiser steps; 0 leaves it to the epochs.")
    learning_rate: float = _setting(
        2e-4, "optimiser", "Peak learning rate; LoRA needs about ten times that of full training.", main=True
    )
    warmup: float = _setting(0.1, "optimiser", "Share of the steps in which the learning rate rises.")
    scheduler: str = _setting(
        "cosine", "optimiser", "How the learning rate falls.", choices=("cosine", "linear", "constant")
    )
    optimizer: str = _setting(
        "adamw",
        "optimiser",
        "AdamW; the 8 bit forms need a GPU and bitsandbytes, and save memory in full training.",
        choices=("adamw", "adamw_8bit", "paged_adamw_8bit"),
    )
    batch_size: int = _setting(
        1, "optimiser", "Rows in one forward pass; more fill a GPU better and need more memory.", main=True
    )
    gradient_accumulation: int = _setting(
        4, "optimiser", "Forward passes before each optimiser step: the effective batch is this times batch_size."
    )
    max_grad_norm: float = _setting(1.0, "optimiser", "Gradients longer than this are scaled down.", source=_TRL)
    weight_decay: float = _setting(0.0, "optimiser", "Pull of the trained weights towards zero.", source=_TRL)
    seed: int = _setting(1, "optimiser", "Seed of the data order and of the adapter's start.", main=True)

    max_length: int = _setting(
        1024,
        "data",
        "Tokens of a row that are kept, from its start; reward leaves out longer rows, grpo longer prompts.",
        source=_TRL,
        main=True,
    )
    answers: str = _setting(
        "examples",
        "data",
        "Whose answers are learnt: those that the examples end with, or the better ones of the judged pairs.",
        choices=("examples", "chosen"),
        methods=("sft",),
        main=True,
    )
    loss_on: str = _setting(
        "completion",
        "data",
        "Which tokens are learnt: the last answer, every answer of the assistant, or the whole conversation.",
        choices=("completion", "assistant", "conversation"),
        methods=_TEXTS,
        main=True,
    )
    packing: bool = _setting(
        False,
        "data",
        "Fill each row up to max_length with examples that don't see each other.",
        source=_TRL,
        methods=_TEXTS,
    )
    replay: float = _setting(
        0.0,
        "data",
        "With a parent: rows of its data that are mixed in against forgetting, as a share of the new ones.",
    )
    teacher: str = _setting(
        "",
        "data",
        "Whose answers are learnt: a model or run, as Examples names it; empty takes the newest of any.",
        methods=("distill",),
        main=True,
    )

    loss: str = _setting(
        "sigmoid",
        "loss",
        "The loss on a pair; simpo, orpo and cpo need no reference and are experimental in TRL.",
        source=_TRL,
        choices=("sigmoid", "ipo", "hinge", "robust", "sigmoid_norm", "apo_zero", "apo_down", *EXPERIMENTAL_LOSSES),
        methods=_PAIRS,
        main=True,
    )
    beta: float = _setting(
        0.1,
        "loss",
        "How strongly the tuned model is held to the base; smaller moves further.",
        source=_TRL,
        methods=("dpo", "kto", "grpo"),
        main=True,
    )
    label_smoothing: float = _setting(
        0.0,
        "loss",
        "robust, simpo, cpo: the share of verdicts that is thought to be wrong; repeats (`studio compare`) measure it.",
        source=_TRL,
        methods=_PAIRS,
    )
    sft_weight: float = _setting(
        0.0, "loss", "Weight of a loss on the chosen answer alone that is mixed in; 0 mixes none.", methods=_PAIRS
    )
    simpo_gamma: float = _setting(
        0.5, "loss", "simpo: the margin by which the chosen answer has to lead.", source=_TRL, methods=_PAIRS
    )
    desirable_weight: float = _setting(
        0.0,
        "loss",
        "Weight of good answers; 0 balances good and bad by their number.",
        methods=("kto",),
    )
    undesirable_weight: float = _setting(
        0.0, "loss", "Weight of bad answers; 0 balances good and bad by their number.", methods=("kto",)
    )
    checks: str = _setting(
        "",
        "loss",
        "Names of the checks that reward an answer, with commas; empty takes all of [[checks]] in studio.toml.",
        methods=("grpo",),
        main=True,
    )
    generations: int = _setting(
        4, "loss", "Answers tried for each prompt; they are compared with each other.", methods=("grpo",), main=True
    )
    completion_length: int = _setting(
        128, "loss", "Tokens that an answer which is tried may have.", methods=("grpo",), main=True
    )
    temperature: float = _setting(1.0, "loss", "How freely answers are tried.", source=_TRL, methods=("grpo",))

    tuning: str = _setting(
        "lora", "adapter", "Train a LoRA adapter, or all weights of the model.", choices=("lora", "full"), main=True
    )
    lora_rank: int = _setting(16, "adapter", "Rank of the LoRA adapter.", main=True)
    lora_alpha: int = _setting(32, "adapter", "Scale of the LoRA adapter; its effect is alpha / rank.", main=True)
    lora_dropout: float = _setting(0.0, "adapter", "Dropout inside the adapter.", source=_PEFT)
    lora_targets: str = _setting(
        "all-linear",
        "adapter",
        "Layers that get an adapter: every linear one, or those of attention alone.",
        choices=("all-linear", "attention"),
    )
    use_dora: bool = _setting(
        False, "adapter", "DoRA: learn the length and the direction of weights apart; slower.", source=_PEFT
    )
    use_rslora: bool = _setting(False, "adapter", "rsLoRA: scale by alpha / sqrt(rank), for high ranks.", source=_PEFT)
    quantisation: str = _setting(
        "none",
        "adapter",
        "QLoRA: hold the base model in 4 bits; needs a GPU and bitsandbytes.",
        choices=("none", "4bit"),
    )

    device: str = _setting(
        "auto",
        "hardware",
        "Where to train; auto takes cuda where there is one.",
        choices=("auto", "cuda", "cpu"),
    )
    dtype: str = _setting(
        "auto",
        "hardware",
        "Number format of the base model; auto takes bf16 where the device computes in it.",
        choices=("auto", "bf16", "fp32"),
    )
    gradient_checkpointing: bool = _setting(False, "hardware", "Trade time for memory.")
    fast: bool = _setting(
        True,
        "hardware",
        "No padding, prompts shared by both answers, the base model's log-probabilities computed once.",
        methods=(*_TEXTS, *_PAIRS),
    )

    evaluations: int = _setting(4, "watching", "How often the held-out rows are measured in the course of the run.")
    held_out_rows: int = _setting(
        500, "watching", "Held-out rows that are measured at most, the same ones in every run; 0 measures all."
    )
    early_stopping: int = _setting(
        0, "watching", "Stop after so many measurements of the held-out rows without a better one; 0 never does."
    )
    keep_best: bool = _setting(
        True, "watching", "Keep the weights of the best measurement of the held-out rows, not those of the last step."
    )
    keep_checkpoints: int = _setting(2, "watching", "Checkpoints that are kept beside the best.")
    samples: int = _setting(3, "watching", "Held-out prompts that the model answers at each measurement.")
    sample_tokens: int = _setting(64, "watching", "Tokens that such an answer may have.")
    general_text: bool = _setting(
        True, "watching", "Measure the loss on general text before and after, which rises where a model forgets."
    )


def least_batch(method: str) -> int:
    """Return how many rows a batch has at least: kto holds each answer against another of its batch."""
    return 2 if method == "kto" else 1


def make_recipe(method: str, overrides: list[str], *, rows: int | None = None) -> Recipe:
    """Return the method's preset for so many training rows with `KEY=VALUE` changes.

    Raises:
        StudioError: the method or a key is not known, or a value does not fit.
    """
    from studio.training.presets import preset
    from studio.training.recipe_checks import idle

    if method not in METHODS:
        raise StudioError(f"There is no method {method!r}.", f"Known are {', '.join(METHODS)}.")
    changes = dict(_parse_override(method, text) for text in overrides)
    base = Recipe(method=method, **preset(method, rows, changes).values)
    recipe = checked(replace(base, **changes))
    for problem in idle(recipe):
        raise problem
    return recipe


def kind_of(recipe: Recipe) -> SnapshotKind:
    """Return what the rows of a run are made from."""
    return "preference" if recipe.method == "sft" and recipe.answers == "chosen" else KINDS[recipe.method]


def settings(method: str) -> list[Setting]:
    """Return what is known of each field that matters for a method, in order."""
    return [_setting_of(f) for f in settable() if method in f.metadata["methods"]]


def as_table(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as plain values, for the store."""
    return asdict(recipe)


def from_table(table: Mapping[str, Any]) -> Recipe:
    """Return the recipe that the store keeps, also one of an earlier version, which had fewer settings."""
    known = {f.name for f in fields(Recipe)}
    return Recipe(**{name: value for name, value in table.items() if name in known})


def checked(recipe: Recipe) -> Recipe:
    """Return the recipe.

    Raises:
        StudioError: a value can't be, or two do not go together.
    """
    from studio.training.recipe_checks import problems

    for problem in problems(recipe):
        raise problem
    return recipe


def settable() -> list["Field[Any]"]:
    """Return the fields of a recipe but for its method."""
    return [f for f in fields(Recipe) if f.name != "method"]


def _setting_of(each: "Field[Any]") -> Setting:
    return Setting(each.name, **each.metadata)


def _parse_override(method: str, text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    name = name.strip()
    known = {f.name: f for f in settable()}
    if not sign:
        raise StudioError(f"--set takes KEY=VALUE, not {text!r}.")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
        raise StudioError(f"A recipe has no setting {name!r}.", hint)
    methods = known[name].metadata["methods"]
    if method not in methods:
        raise StudioError(f"{name} is no setting of {method}.", f"It is one of {', '.join(methods)}.")
    return name, convert(name, value.strip())


TYPES_IN_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def convert(name: str, value: str) -> Any:
    """Return a setting's value as its type, from how a person writes it.

    Raises:
        StudioError: it is not of that type.
    """
    wanted: Any = next(f.type for f in settable() if f.name == name)
    try:
        if wanted is bool:
            return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
        return wanted(value)
    except (ValueError, KeyError):
        raise StudioError(f"{name} must be {TYPES_IN_WORDS[wanted]}, not {value!r}.") from None
