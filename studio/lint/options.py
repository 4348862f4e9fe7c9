"""What `[lint]` in studio.toml may set: every name, its default and its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.errors import StudioError


@dataclass(frozen=True)
class Option:
    """A threshold, a text, a switch or a list of texts; its default says which."""

    default: int | float | bool | str | tuple[str, ...]
    meaning: str
    only_of_sets: bool = False
    """Whether only checks of all examples together use it, so that no example need be looked at again for it."""


OPTIONS: dict[str, Option] = {
    "off": Option((), "names of checks that are not to be run"),
    "max_length": Option(1024, "tokens of a training row, as a new run's recipe has it; what is longer is cut"),
    "labels": Option((), "all classes that an answer may be; empty where answers are no classes"),
    "schema": Option("", "a JSON schema that answers must fit: a file in the project's folder"),
    "control_texts": Option(
        (
            *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"),
            *("<|start_header_id|>", "<|end_header_id|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"),
            *("<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "</s>"),
            *("### Response:", "### Instruction:", "### Human:", "### Assistant:"),
        ),
        "texts that only chat templates write, besides the control tokens of the project's model",
    ),
    "refusals": Option(
        (
            *("i'm sorry, but", "i am sorry, but", "i'm sorry, i can't", "i'm sorry, i cannot", "i must decline"),
            *("i'm unable to", "i am unable to", "i'm not able to help", "i can't help with", "i cannot help with"),
            *("i can't assist with", "i cannot assist with", "i can't provide", "i cannot provide", "i can't do that"),
            *("i can't fulfill", "i cannot fulfill", "i cannot fulfil", "as an ai, i can't", "as an ai, i cannot"),
            *("as an ai, i don't have", "as an ai, i do not have", "language model, i can't"),
            *("language model, i cannot", "language model, i don't have", "language model, i do not have"),
            *("i don't have the capability", "i don't have the ability", "我无法", "抱歉，我不能"),
        ),
        "phrases of refusals, in lower case, looked for in the first 400 characters of answers",
    ),
    "boilerplate": Option(
        (
            *("as an ai language model", "as an ai model", "as a language model", "as an artificial intelligence"),
            *("as an ai assistant", "as an ai,", "i'm just an ai", "i am just an ai", "i'm an ai language model"),
            *("my knowledge cutoff", "as of my last update", "作为一个人工智能", "作为人工智能", "作为一个ai"),
        ),
        "phrases by which a model speaks of itself, in lower case, looked for in the first 400 characters of answers",
    ),
    "longest_run": Option(50, "times that one character may come in a row"),
    "repeated_share": Option(0.2, "share of a text that the same four words may make up"),
    "looped_share": Option(
        0.5, "share of a text that may be word for word what was there before, four words at a time"
    ),
    "compression": Option(8.0, "times that a long text may become smaller when it is packed"),
    "repeated_prompt": Option(60, "characters of a prompt from which on its standing in the answer is reported"),
    "language": Option("", "the language of answers, as two letters: en; empty where it is not looked at"),
    "shortest_decision": Option(1.5, "seconds below which no verdict was thought over"),
    "reading_speed": Option(150.0, "characters that can be skimmed in a second; people read about 25"),
    "like_inputs": Option(92.0, "likeness, up to 100, from which on two short inputs are nearly the same", True),
    "rows_of_class": Option(10, "rows that each class should have in training", True),
    "imbalance": Option(5.0, "times that the largest class may be as large as the smallest", True),
    "roundness": Option(150.0, "multiples of 5, 10, 50 or 100 among numbers: 100 is what chance makes", True),
    "limit_share": Option(0.05, "share of numbers that may be the very lowest or the very highest one", True),
    "ranges": Option((), 'what numbers may be: "0 to 100" of answers, "price: 0 to 5000" of a field in JSON', True),
    "length_distance": Option(4.0, "robust standard deviations that the logarithm of a length may be off", True),
    "same_ends": Option(0.1, "share of answers that may begin, or end, with the same three words", True),
    "longer_chosen": Option(0.6, "share of pairs in which the chosen answer may be the longer one", True),
    "author_wins": Option(0.9, "share of pairs that one author may win against the others", True),
    "held_out": Option(100, "different prompts that a held-out split should have", True),
}
"""All options by name. What checks are told is complete: the project's own values over these defaults.

Instead of the name of its file they are told the schema itself, None without one.
"""


def defaults() -> dict[str, Any]:
    """Return every option at its default."""
    return {name: option.default for name, option in OPTIONS.items()}


def complete(own: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return every option, with a project's own values where it has any; `where` names their file for errors.

    Raises:
        StudioError: an option is not known, or its value is of the wrong kind.
    """
    for name, value in own.items():
        if name not in OPTIONS:
            raise StudioError(f"{where}: [lint] has no setting {name!r}.", _nearest(name))
        _check(name, value, where)
    return {**defaults(), **{name: tuple(value) if isinstance(value, list) else value for name, value in own.items()}}


def _check(name: str, value: Any, where: str) -> None:
    default = OPTIONS[name].default
    if isinstance(default, tuple):
        is_right, wanted = isinstance(value, list) and all(isinstance(each, str) for each in value), "a list of texts"
    elif isinstance(default, bool):
        is_right, wanted = isinstance(value, bool), "true or false"
    elif isinstance(default, str):
        is_right, wanted = isinstance(value, str), "a text"
    else:
        is_right, wanted = _is_number(value, default), "a number of 0 or more"
        if isinstance(default, int):
            wanted = "a whole number of 0 or more"
    if not is_right:
        raise StudioError(f"{where}: lint.{name} must be {wanted}, not {value!r}.", f"It says {OPTIONS[name].meaning}.")


def _is_number(value: Any, default: int | float) -> bool:
    accepted = int if isinstance(default, int) else (int, float)
    return isinstance(value, accepted) and not isinstance(value, bool) and value >= 0


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, OPTIONS, 1)
    return f"Did you mean {close[0]}?" if close else f"It knows {', '.join(sorted(OPTIONS))}."
