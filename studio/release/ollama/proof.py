"""Whether Ollama's template writes what the chat template does: tried on conversations of many kinds, byte for byte."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from store.examples import Message
from studio.errors import StudioError
from studio.release.ollama.evaluation import evaluate
from studio.release.ollama.template import write
from studio.release.ollama.turns import Inexpressible, Source, Turns, derive

TEXTS = (
    "Where is my order?",
    "It left on Monday.\nWrite again on Friday.\n\n  - or call",
    "café naïve 漢字 한국어 हिन्दी عربي 👩‍👧 €5",
    "{{ .Content }} {% if a %} {{- x -}} {# y #}",
    "\"quoted\" 'single' `code` \\n \\u00e9 $1 & <b>bold</b>",
    "<|im_end|> <|eot_id|> <end_of_turn> </s> [/INST] <|user|>",
    "def f(x):\n\treturn {'a': [x, {}]}",
    "x",
)
"""Texts that a careless template would change; none begins or ends with white space."""

SHAPES = ("u", "su", "uau", "suau", "uauau", "suauau")
ROLES = {"s": "system", "u": "user", "a": "assistant"}

ODD: tuple[tuple[str, list[Message]], ...] = (
    ("White space at the ends of a text is kept", [{"role": "user", "content": "  two spaces \n"}]),
    (
        "An empty system message is written",
        [{"role": "system", "content": ""}, {"role": "user", "content": "a"}],
    ),
    (
        "Two questions in a row become one",
        [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    ),
    (
        "A conversation that an answer begins is written",
        [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}],
    ),
)
"""What Ollama may write otherwise without harm to ordinary conversations."""


@dataclass(frozen=True)
class OllamaTemplate:
    """What Ollama gets for a chat template."""

    text: str
    """Empty where it can't be said in Ollama's language."""
    notes: tuple[str, ...]
    """What differs, a sentence each."""
    tried: int = 0
    """Conversations that were rendered both ways, all of them equal."""
    takes_system: bool = True


def template_for(source: Source, *, adds_bos: bool) -> OllamaTemplate:
    """Return Ollama's template for a chat template; one that writes anything else is never returned.

    Args:
        source: the chat template.
        adds_bos: whether the GGUF says that the token that begins a text is to be added.
    """
    try:
        turns = derive(source)
        text = write(turns, source.bos, adds_bos=adds_bos)
        tried = _check(source, turns, text, adds_bos=adds_bos)
    except Inexpressible as error:
        why = " ".join(str(error).split())
        return OllamaTemplate("", (f"Ollama's language can't say this chat template: it {why}.",))
    notes = list(_notes(source, turns, text, adds_bos=adds_bos))
    return OllamaTemplate(text, tuple(notes), tried, takes_system=turns.system != "refused")


def conversations(turns: Turns) -> Iterator[list[Message]]:
    """Yield ordinary conversations that wait for an answer."""
    for shape in SHAPES:
        if shape[0] == "s" and turns.system == "refused":
            continue
        for first in range(len(TEXTS)):
            yield [
                {"role": ROLES[role], "content": TEXTS[(first + place) % len(TEXTS)]}
                for place, role in enumerate(shape)
            ]


def rendered(template: str, messages: list[Message]) -> str:
    """Return what Ollama writes: turns of the same role in a row become one before its template sees them."""
    system = "\n\n".join(str(each["content"]) for each in messages if each["role"] == "system")
    together: list[dict[str, Any]] = []
    for each in messages:
        if together and together[-1]["Role"] == each["role"]:
            together[-1]["Content"] += f"\n\n{each['content']}"
        else:
            together.append({"Role": each["role"], "Content": each["content"]})
    return evaluate(template, {"System": system, "Messages": together})


def expected(source: Source, messages: list[Message], *, adds_bos: bool) -> str:
    """Return what Ollama has to write: the chat template's text, less the first token where the GGUF adds that.

    Raises:
        StudioError: the chat template refuses the conversation.
    """
    text = source.render(messages)
    return text.removeprefix(source.bos) if adds_bos and source.bos else text


def _check(source: Source, turns: Turns, text: str, *, adds_bos: bool) -> int:
    tried = 0
    for messages in conversations(turns):
        try:
            wanted = expected(source, messages, adds_bos=adds_bos)
        except StudioError as error:
            raise Inexpressible(f"refuses an ordinary conversation ({error})") from error
        if rendered(text, messages) != wanted:
            roles = ", ".join(str(each["role"]) for each in messages)
            raise Inexpressible(f"treats texts or turns in ways of its own ({roles})")
        tried += 1
    return tried


def _notes(source: Source, turns: Turns, text: str, *, adds_bos: bool) -> Iterator[str]:
    bos = source.named_tokens.get("bos_token", "")
    if adds_bos and bos and not turns.begins_with_bos:
        yield f"Ollama puts {bos} before every text, because the GGUF says so; the chat template does not write it so."
    if turns.system == "refused":
        yield "The chat template refuses system messages; Ollama leaves them out without a word."
    if "tools" in source.text or "tool_calls" in source.text:
        yield "Tools and tool calls are left out: use llama-server with --jinja for them."
    for difference, messages in ODD:
        if turns.system == "refused" and messages[0]["role"] == "system":
            continue
        try:
            if rendered(text, messages) != expected(source, messages, adds_bos=adds_bos):
                yield f"{difference}; the chat template does otherwise."
        except StudioError:
            yield f"{difference}; the chat template refuses that."
