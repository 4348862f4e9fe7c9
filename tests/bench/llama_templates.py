"""Where llama.cpp's own renderings part from ours (and so from transformers'), counted by cause.

Two of them: the function `llama_chat_apply_template`, which knows some families and reads no Jinja, and
llama-cpp-python's `Jinja2ChatFormatter`. The causes are those of the table in docs/templates.md. With the name of a
template as an argument it prints the first example of each cause.
"""

import ctypes
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from studio.chat_template import render_template
from studio.errors import StudioError
from studio.inference.proof.conversations import Conversation
from studio.rendering import _SURROGATES
from tests.generated_conversations import generated
from tests.studio.rendering.published_templates import NAMED, published_templates

EQUAL, BOTH_REFUSE = "equal", "refused by both"
REASONING = ("reasoning_content", "thinking", "reasoning")


def main() -> None:
    shown = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, render in (("llama_chat_apply_template", by_c), ("Jinja2ChatFormatter", by_python)):
        causes: Counter[str] = Counter()
        templates: dict[str, set[str]] = {}
        for path in published_templates():
            source = path.read_text(encoding="utf-8")
            for conversation in generated():
                ours, theirs = here(source, conversation), render(source, conversation)
                cause = cause_of(conversation, ours, theirs, is_c=render is by_c)
                causes[cause] += 1
                if path.stem == shown and path.stem not in templates.get(cause, set()):
                    print(f"--- {cause}, {conversation.label}\n{ours!r}\n{theirs!r}")
                templates.setdefault(cause, set()).add(path.stem)
        print(f"\n{name}: {causes.total():,} texts of {len(published_templates())} templates")
        for cause, count in causes.most_common():
            print(f"  {count:>6,} in {len(templates[cause]):>2} templates: {cause}")


def here(source: str, conversation: Conversation) -> str | None:
    try:
        return render_template(source, conversation.messages, conversation.tools, NAMED, add_generation_prompt=True)
    except StudioError:
        return None


def by_c(source: str, conversation: Conversation) -> str | None:
    """Return what llama.cpp's C function makes of the turns; None where it does not know the template."""
    pairs = [(m["role"].encode(), (m.get("content") or "").encode()) for m in conversation.messages]
    chat = (llama_cpp.llama_chat_message * len(pairs))(*(llama_cpp.llama_chat_message(*pair) for pair in pairs))
    size = 100_000
    buffer = ctypes.create_string_buffer(size)
    written = llama_cpp.llama_chat_apply_template(source.encode(), chat, len(pairs), True, buffer, size)
    return buffer.raw[:written].decode(errors="replace") if written >= 0 else None


def by_python(source: str, conversation: Conversation) -> str | None:
    try:
        made: str = formatter(source)(messages=conversation.messages, tools=conversation.tools).prompt
    except Exception:  # whatever a template raises is a refusal
        return None
    return made


@lru_cache(maxsize=1)
def formatter(source: str) -> Jinja2ChatFormatter:
    return Jinja2ChatFormatter(source, NAMED["eos_token"], NAMED["bos_token"])


def cause_of(conversation: Conversation, ours: str | None, theirs: str | None, *, is_c: bool) -> str:
    """Return why two texts differ, by what the conversation holds and what would make them equal."""
    if ours is None or theirs is None:
        return _refusal(conversation, ours, theirs, is_c=is_c)
    ours = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", ours)
    if ours == theirs:
        return EQUAL
    if is_c and conversation.tools:
        return "tools are left out"
    if any(message.get(name) for message in conversation.messages for name in REASONING):
        return "reasoning is left out, or only known by one of its names"
    if any(message.get("content", "") is None for message in conversation.messages):
        return "null is written as the word None"
    without = ours.removeprefix(NAMED["bos_token"])
    if without == theirs:
        return "the beginning token is left to the tokenizer"
    if _squeezed(without) == _squeezed(theirs):
        return "spaces and line ends differ"
    return _rest(without, theirs)


def _refusal(conversation: Conversation, ours: str | None, theirs: str | None, *, is_c: bool) -> str:
    if ours is None and theirs is None:
        return "not known to llama.cpp" if is_c else BOTH_REFUSE
    if theirs is None:
        return "not known to llama.cpp" if is_c else "an error where a field is null or absent"
    if any(message.get("tool_calls") for message in conversation.messages):
        return "tool calls are dropped without a word, which is refused here"
    return "written though the template refuses the conversation"


def _rest(ours: str, theirs: str) -> str:
    before = next(
        (i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
    )
    most = min(len(ours), len(theirs)) - before
    after = next((i for i in range(most) if ours[-1 - i] != theirs[-1 - i]), most)
    if before + after >= len(theirs):
        return "what the template adds of itself is left out: a system prompt, the date, a think block"
    if _squeezed(theirs[len(theirs) - after - 40 :]) and before + after >= len(ours):
        return "something is added that the template does not write"
    return "another wording of turns: the family was guessed, or thoughts of earlier turns are kept"


def _squeezed(text: str) -> str:
    return "".join(text.split())


if __name__ == "__main__":
    main()
