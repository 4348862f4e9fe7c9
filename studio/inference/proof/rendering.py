"""The text that our renderer makes of a conversation against the text that transformers makes, in its own process."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from studio.chat_template import render_template
from studio.errors import StudioError
from studio.inference.proof.conversations import Conversation
from studio.inference.proof.evidence import Difference, Piece
from studio.named_templates import part_for
from studio.rendering import ChatTokenizer

SHOWN = 40
"""Characters that are shown before and after the first difference."""


@dataclass(frozen=True)
class RenderingDifference:
    """A conversation of which the two do not make the same text."""

    label: str
    generation_prompt: bool
    """Whether it was rendered with the words that let the assistant begin."""
    ours: str | None
    """The text here; None where the conversation is refused."""
    theirs: str | None
    """The text of transformers; None where it refuses the conversation."""
    why: str = ""
    """Where one refuses it: what it says."""

    @property
    def position(self) -> int:
        """Characters before the first difference; 0 where one side refuses."""
        ours, theirs = self.ours or "", self.theirs or ""
        pairs = enumerate(zip(ours, theirs, strict=False))
        return next((i for i, (a, b) in pairs if a != b), min(len(ours), len(theirs)))

    @property
    def sentence(self) -> str:
        """The difference for a person."""
        if self.ours is None or self.theirs is None:
            side = "here" if self.ours is None else "by transformers"
            return f"{self.label} is refused {side} only: {self.why}"
        shown = slice(self.position, self.position + SHOWN)
        return (
            f"{self.label} differs after {self.position:,} characters: "
            f"{self.ours[shown]!r} here, {self.theirs[shown]!r} by transformers"
        )

    @property
    def difference(self) -> Difference:
        """The first difference as it is shown among the evidence."""
        place = self.position
        before = (self.ours or "")[max(0, place - SHOWN) : place]
        return Difference(self.label, place, before, _characters(self.ours, place), _characters(self.theirs, place))


def check_rendering(
    tokenizer_folder: Path, template: str | None, conversations: Iterable[Conversation]
) -> list[RenderingDifference]:
    """Return the conversations that are rendered otherwise than by transformers' `apply_chat_template`.

    Each is rendered with and without the generation prompt. Tool calls that a template would drop without a word are
    refused here and are no difference: nothing is trained or asked with such a text.

    Args:
        tokenizer_folder: where the tokenizer lies.
        template: the chat template; None for the folder's own.
        conversations: what to render.

    Raises:
        StudioError: the tokenizer can't be read, here or by transformers.
    """
    tokenizer = ChatTokenizer.load(tokenizer_folder, template)
    wanted = [each for each in conversations if not _drops_tool_calls(tokenizer.template, each)]
    theirs = _by_transformers(tokenizer_folder, template, wanted)
    return [
        found
        for conversation, pair in zip(wanted, theirs, strict=True)
        for prompt, (text, why) in zip((False, True), pair, strict=True)
        if (found := _compared(tokenizer, conversation, prompt, text, why))
    ]


def _compared(
    tokenizer: ChatTokenizer, conversation: Conversation, prompt: bool, theirs: str | None, why: str
) -> RenderingDifference | None:
    ours: str | None
    try:
        ours = render_template(
            tokenizer.template,
            conversation.messages,
            conversation.tools,
            tokenizer.named_tokens,
            add_generation_prompt=prompt,
        )
    except StudioError as error:
        ours, why = None, why or error.message
    return None if ours == theirs else RenderingDifference(conversation.label, prompt, ours, theirs, why)


def _drops_tool_calls(template: str, conversation: Conversation) -> bool:
    used = part_for(template, tools=conversation.tools is not None)
    return "tool_calls" not in used and any(m.get("tool_calls") for m in conversation.messages)


Refusable = tuple[str | None, str]
"""A text, or None and why there is none."""


def _by_transformers(
    folder: Path, template: str | None, conversations: list[Conversation]
) -> Iterator[tuple[Refusable, Refusable]]:
    asked = [{"folder": str(folder.absolute()), "template": template}]
    rows = [{"messages": each.messages, "tools": each.tools} for each in conversations]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "studio.inference.proof.transformers_rendering"],
        input=b"\n".join(map(orjson.dumps, [*asked, *rows])),
        capture_output=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(rows):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise StudioError(
            f"transformers can't read the tokenizer in {folder}: {said[-1] if said else 'it ended without a word'}.",
            "Without it there is nothing to compare the rendered text with; copy the whole model folder.",
        )
    for line in lines:
        without, with_prompt = orjson.loads(line)
        yield (without[0], without[1]), (with_prompt[0], with_prompt[1])


def _characters(text: str | None, place: int) -> tuple[Piece, ...]:
    shown = (text or "")[place : place + SHOWN]
    return (Piece(shown),) if shown else ()
