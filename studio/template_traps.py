"""Known traps of chat templates, found by rendering small conversations: each makes models worse without a word."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from store.examples import Message
from studio.bounded import BeyondBounds
from studio.chat_template import render_template
from studio.errors import StudioError
from studio.rendering import ChatTokenizer

_SYSTEM, _ASKED, _ANSWERED, _THEN = "Sqsystemqs", "Sqaskedqs", "Sqansweredqs", "Sqthenqs"
"""Words that no template contains."""


@dataclass(frozen=True)
class Trap:
    """Something about a template that a person should know before training with it."""

    name: str
    level: Literal["error", "warning", "info"]
    meaning: str
    """What it does and what to do about it, in one or two sentences."""


def traps(tokenizer: ChatTokenizer) -> list[Trap]:
    """Return what is known to go wrong with this template and this tokenizer; errors first."""
    if _is_endless(tokenizer):
        # Each look would wait for its end anew.
        return [Trap("endless", "error", "It goes on for too long, or makes too much, and was stopped; use another.")]
    found = [trap for look in _LOOKS for trap in look(tokenizer)]
    return sorted(found, key=lambda trap: ("error", "warning", "info").index(trap.level))


def _is_endless(tokenizer: ChatTokenizer) -> bool:
    try:
        render_template(tokenizer.template, _ONE, None, tokenizer.named_tokens, add_generation_prompt=True)
    except StudioError as error:
        return isinstance(error.__cause__, BeyondBounds)
    return False


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _text(tokenizer: ChatTokenizer, messages: list[Message], *, prompt: bool = False) -> str | None:
    """Return a rendering; None where the template refuses."""
    try:
        return render_template(tokenizer.template, messages, None, tokenizer.named_tokens, add_generation_prompt=prompt)
    except StudioError:
        return None


_ONE = [_turn("user", _ASKED)]
_ANSWER = [*_ONE, _turn("assistant", _ANSWERED)]


def _refuses(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    whole = _text(tokenizer, _ANSWER)
    if whole is None:
        yield Trap("refuses", "error", "It refuses a question with an answer, so nothing can be trained with it.")
    elif _ASKED not in whole or _ANSWERED not in whole:
        yield Trap("drops-text", "error", "It leaves out what the user or the assistant says.")


def _generation_prompt(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    without, with_prompt = _text(tokenizer, _ONE), _text(tokenizer, _ONE, prompt=True)
    if without is not None and without == with_prompt:
        yield Trap(
            "no-generation-prompt",
            "warning",
            "It has no generation prompt: nothing tells the model that its turn begins, so it may go on with the "
            "user's words. Add the assistant's header where add_generation_prompt is true.",
        )


def _only_appends(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    prompt, whole = _text(tokenizer, _ONE, prompt=True), _text(tokenizer, _ANSWER)
    if prompt is not None and whole is not None and not whole.startswith(prompt):
        yield Trap(
            "prompt-changes",
            "error",
            "A prompt reads otherwise once its answer follows, so training would see other tokens than chat. "
            "Make the answer's turn begin with the very text of the generation prompt.",
        )


def _system(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    given = _text(tokenizer, [_turn("system", _SYSTEM), *_ONE])
    without = _text(tokenizer, _ONE)
    if given is None:
        yield Trap("no-system", "warning", "It refuses a system turn; put such words into the user's first turn.")
    elif _SYSTEM not in given:
        yield Trap("drops-system", "error", "It leaves the system prompt out without a word.")
    elif without is not None:
        before, after = given.split(_SYSTEM, 1)
        own = without[len(before) :].partition(after)[0] if before and after and without.startswith(before) else ""
        if own.strip() and after in without:
            yield Trap(
                "default-system",
                "warning",
                f"Without a system prompt it puts its own in: {own.strip()[:120]!r}. Training learns it too; "
                "say a system prompt yourself, or take it out of the template.",
            )


def _beginning(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    bos = tokenizer.named_tokens.get("bos_token", "")
    text = _text(tokenizer, _ONE) or ""
    encoded = tokenizer.tokenizer.encode("a", add_special_tokens=True).ids
    adds = bool(bos) and encoded[:1] == [tokenizer.tokenizer.token_to_id(bos)]
    if bos and text.startswith(bos + bos):
        yield Trap("double-bos", "error", f"It writes {bos} twice at the beginning.")
    elif bos and text.startswith(bos) and adds:
        yield Trap(
            "double-bos",
            "info",
            f"It writes {bos} and the tokenizer adds one as well. Here the text is encoded without additions, so "
            "there is one; a tool that encodes the rendered text anew gets two.",
        )


def _ending(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    whole = _text(tokenizer, _ANSWER)
    eos = tokenizer.named_tokens.get("eos_token", "")
    if whole is None or _ANSWERED not in whole:
        return
    tail = whole.rpartition(_ANSWERED)[2]
    end = tokenizer.special_pattern.search(tail)
    if end is None:
        yield Trap(
            "no-end-of-turn",
            "warning",
            "No special token ends an answer, so the model never learns to stop. End the assistant's turn with "
            f"{eos or 'the end-of-sequence token'}.",
        )
    elif eos and end[0] != eos:
        yield Trap(
            "eos-is-another",
            "warning",
            f"An answer ends with {end[0]}, but the tokenizer's eos_token is {eos}. Chat here stops at both; other "
            f"tools must be told to stop at {end[0]}.",
        )


def _spaces(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    text = _text(tokenizer, [_turn("user", f"  {_ASKED}  "), _turn("assistant", f"  {_ANSWERED}\n")])
    if text is not None and (f"  {_ASKED}  " not in text or f"  {_ANSWERED}\n" not in text):
        yield Trap("trims", "info", "It takes spaces off the ends of what people say, so code may lose its indent.")


def _conversations(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    turns = [*_ANSWER, _turn("user", _THEN), _turn("assistant", "b")]
    text = _text(tokenizer, turns)
    if text is None or any(word not in text for word in (_ASKED, _ANSWERED, _THEN)):
        yield Trap("one-turn", "warning", "It drops or refuses earlier turns: only single questions can be trained.")
    if _text(tokenizer, [*_ONE, *_ONE]) is None:
        yield Trap("alternates", "info", "It refuses two turns of the same speaker in a row.")


def _tools(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    if "tool_calls" not in tokenizer.template:
        yield Trap("no-tools", "info", "It has no place for tool calls; examples with tools can't be trained with it.")


def _mask(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    if "endgeneration" not in tokenizer.template:
        yield Trap(
            "no-assistant-mask",
            "info",
            "It has no {% generation %} marks. Here the loss mask comes from the prompt and the answer; TRL's "
            "assistant_only_loss would need them.",
        )


def _clock(tokenizer: ChatTokenizer) -> Iterator[Trap]:
    if "strftime_now" in tokenizer.template:
        yield Trap(
            "clock",
            "warning",
            "It writes today's date into the prompt: what was trained is not what is asked tomorrow. Write a fixed "
            "date, or none, in a template of the project.",
        )


_LOOKS: tuple[Callable[[ChatTokenizer], Iterator[Trap]], ...] = (
    *(_refuses, _only_appends, _generation_prompt, _system, _beginning, _ending),
    *(_conversations, _clock, _spaces, _tools, _mask),
)
