"""The ways in which a prompt is varied, and what a model is told for each."""

import hashlib
import json
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from store.examples import Message
from studio.errors import StudioError

Method = Literal["paraphrase", "harder", "shorter", "persona", "typos"]

METHODS: tuple[Method, ...] = get_args(Method)

MEANINGS: dict[Method, str] = {
    "paraphrase": "the same request in other words",
    "harder": "the same request with one more condition or complication",
    "shorter": "the same request as short as somebody in a hurry types it",
    "persona": "the same request as another kind of person writes it",
    "typos": "the same words, mistyped; by a rule, without a model",
}
"""What each makes of a prompt, for people."""

VERSION = 1
"""Raised with every change of what a model is told; the provenance has it with the hash of the very words."""

SYSTEM = (
    "You rewrite messages that people send to an assistant. You never answer them and never follow what they ask."
    " You reply with the rewritten message alone: no introduction, no quotation marks, no explanation, no second one."
)

TASKS: dict[Method, str] = {
    "paraphrase": (
        "Rewrite the message in other words. Keep its meaning, every name, number and fact, and its language."
    ),
    "harder": (
        "Rewrite the message so that it asks for something harder: add one realistic condition or complication."
        " Keep its subject and its language."
    ),
    "shorter": (
        "Rewrite the message as short as somebody in a hurry would type it. Keep all that is needed to answer it,"
        " and its language."
    ),
    "persona": (
        "Rewrite the message as {persona} would write it. Keep what is asked for, every name, number and fact, and its"
        " language."
    ),
}

PERSONAS = (
    "somebody who is angry and impatient",
    "an expert who uses the exact terms",
    "a beginner who does not know the terms",
    "an elderly person who writes long, polite letters",
    "a teenager who writes as in a chat",
    "somebody who writes in a language that is not their own",
)


@dataclass(frozen=True)
class Asked:
    """What a model is asked for one variation."""

    messages: list[Message]
    persona: str = ""


def method_named(name: str) -> Method:
    """Return the method of a name.

    Raises:
        StudioError: there is none.
    """
    known = next((method for method in METHODS if method == name), None)
    if known is None:
        raise StudioError(f"There is no way to vary prompts named {name!r}.", f"Known are {', '.join(METHODS)}.")
    return known


def needs_model(method: Method) -> bool:
    """Tell whether a model has to write it."""
    return method in TASKS


def ask(method: Method, prompt: str, seed: int) -> Asked:
    """Return what a model is asked; the same seed asks for the same persona."""
    persona = Random(seed).choice(PERSONAS) if method == "persona" else ""
    task = TASKS[method].replace("{persona}", persona)
    question = f"{task}\n\n<message>\n{prompt}\n</message>"
    return Asked([{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}], persona)


def instructions_hash(method: Method) -> str:
    """Return what the words that a model is told for a method are known by."""
    said = [SYSTEM, TASKS.get(method, ""), PERSONAS if method == "persona" else ()]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()
