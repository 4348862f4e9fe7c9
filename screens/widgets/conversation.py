"""Messages as spans of text for reading: who speaks, then what."""

import json
from typing import TYPE_CHECKING, Any

from screens.widgets.text_view import Span
from store.examples import Message

if TYPE_CHECKING:
    from studio.inference.conversation import Conversation


def conversation(messages: list[Message]) -> list[Span]:
    """Return messages under the names of who speaks; a lone answer needs no name."""
    if len(messages) == 1 and messages[0].get("role") == "assistant":
        return [Span(message_text(messages[0]))]
    spans: list[Span] = []
    for message in messages:
        if spans:
            spans.append(Span("\n"))
        spans += [Span(f"{message.get('role', '?')}:", "bold"), Span(f" {message_text(message)}")]
    return spans


def transcript(conversation: "Conversation", side: int, coming: str | None) -> list[Span]:
    """Return a chat as one of its models had it, with the answer that is coming."""
    parts = [_turn(str(m["role"]), message_text(m)) for m in conversation.opening]
    for exchange in conversation.exchanges:
        parts.append(_turn("you", exchange.question))
        answer = exchange.answers[side]
        if answer is not None:
            parts += [_turn(conversation.models[side], answer.text), [Span(stats_words(answer.stats), "dim")]]
    if coming is not None:
        parts.append(_turn(conversation.models[side], coming or "..."))
    return [span for number, part in enumerate(parts) for span in ([Span("\n")] if number else []) + part]


def stats_words(stats: dict[str, Any]) -> str:
    """Return how long an answer is and how fast it came."""
    words = [f"{stats.get('tokens', 0)} tokens"]
    if stats.get("tokens_per_second"):
        words.append(f"{stats['tokens_per_second']:.1f} tokens/s")
    if stats.get("first_token_seconds"):
        words.append(f"first after {stats['first_token_seconds']:.1f} s")
    ends = {"cancelled": "stopped", "length": "cut at the longest length"}
    words += [ends[stats["reason"]]] if stats.get("reason") in ends else []
    return f"[{', '.join(words)}]"


def _turn(who: str, text: str) -> list[Span]:
    return [Span(f"{who}: ", "bold"), Span(text)]


def message_text(message: Message) -> str:
    """Return what a message says, its tool calls as JSON below."""
    content = message.get("content")
    parts = [content] if isinstance(content, str) else [_json(content)] if content is not None else []
    if message.get("tool_calls"):
        parts.append(_json(message["tool_calls"]))
    return "\n".join(parts)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
