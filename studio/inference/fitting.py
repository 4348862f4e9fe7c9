"""What is left out of a chat that has become longer than the model can read: the oldest exchanges, whole."""

from bisect import bisect_left
from dataclasses import dataclass

from store.examples import Message
from studio.errors import StudioError
from studio.rendering import ChatTokenizer, render_prompt

_INSTRUCTIONS = frozenset({"system", "developer"})


@dataclass(frozen=True)
class Fitted:
    """What the model is given."""

    messages: list[Message]
    ids: list[int]
    dropped: int = 0
    """Exchanges that were left out: questions with all that answered them."""
    why: str = ""
    """What was left out and why, for a person; empty where nothing was."""


def fit(tokenizer: ChatTokenizer, messages: list[Message], room: int) -> Fitted:
    """Leave out as many of the oldest exchanges as it takes, never the system prompt nor the last question.

    Args:
        tokenizer: renders the prompt.
        messages: a conversation that waits for an answer.
        room: tokens that the prompt may have.

    Raises:
        StudioError: the last question alone is too long, or the chat template refuses the conversation.
    """
    ids = render_prompt(tokenizer, messages).ids
    if len(ids) <= room:
        return Fitted(messages, ids)
    opening, exchanges = _parted(messages)

    def without(dropped: int) -> list[Message]:
        return opening + [message for exchange in exchanges[dropped:] for message in exchange]

    def excess(dropped: int) -> int:
        return len(render_prompt(tokenizer, without(dropped)).ids) - room

    last = len(exchanges) - 1
    if last <= 0 or (over := excess(last)) > 0:
        alone = len(ids) if last <= 0 else over + room
        raise StudioError(
            f"The last question has {alone:,} tokens with the system prompt, and there is room for {room:,}.",
            "Shorten it, ask for shorter replies, or choose a larger context if the model has one.",
        )
    dropped = bisect_left(range(1, last), True, key=lambda count: excess(count) <= 0) + 1
    kept = without(dropped)
    exchanges_were = "exchange was" if dropped == 1 else f"{dropped:,} exchanges were"
    why = f"the oldest {exchanges_were} left out: the chat has {len(ids):,} tokens, and there is room for {room:,}"
    return Fitted(kept, render_prompt(tokenizer, kept).ids, dropped, why)


def _parted(messages: list[Message]) -> tuple[list[Message], list[list[Message]]]:
    """Return the instructions at the start, and the rest by questions: each with all that follows it."""
    at = next((i for i, message in enumerate(messages) if message["role"] not in _INSTRUCTIONS), len(messages))
    exchanges: list[list[Message]] = []
    for message in messages[at:]:
        if message["role"] == "user" or not exchanges:
            exchanges.append([])
        exchanges[-1].append(message)
    return messages[:at], exchanges
