"""Messages as spans of text for reading: who speaks, then what."""

import json
from typing import Any

from screens.widgets.text_view import Span
from store.examples import Message

LONGEST_LAID_OUT = 100_000


def conversation(messages: list[Message]) -> list[Span]:
    """Return messages under the names of who speaks; a lone answer needs no name."""
    if len(messages) == 1 and messages[0].get("role") == "assistant":
        return [Span(message_text(messages[0]))]
    spans: list[Span] = []
    for message in messages:
        if spans:
            spans.append(Span("\n"))
        spans += [Span(f"{speaker(message)}:", "bold"), Span(f" {message_text(message)}")]
    return spans


def message_text(message: Message) -> str:
    """Return what a message says, what was thought before it above, the tools it calls below."""
    content = message.get("content")
    thought = [f"(thinks) {message[key]}" for key in ("thinking", "reasoning_content") if message.get(key)]
    if isinstance(content, str) and message.get("role") == "tool":
        content = _laid_out(content)
    parts = [content] if isinstance(content, str) and (content or not message.get("tool_calls")) else []
    return "\n".join([*thought, *parts, *map(call_text, message.get("tool_calls") or [])])


def speaker(message: Message) -> str:
    """Return who speaks; of a tool's result which tool, and which call it answers."""
    name, call = message.get("name"), message.get("tool_call_id")
    words = [str(message.get("role", "?")), *([str(name)] if name else []), *([f"to call {call}"] if call else [])]
    return " ".join(words)


def call_text(call: Any) -> str:
    """Return the call of a tool: its name, then an argument a line."""
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or "name" not in function:
        return f"calls {_json(call)}"
    known = f" (call {call['id']})" if call.get("id") else ""
    arguments = function.get("arguments")
    if not isinstance(arguments, dict):
        return f"calls {function['name']}{known}" + ("" if arguments is None else f"\n  {_json(arguments)}")
    return "\n".join([f"calls {function['name']}{known}", *(f"  {k}: {_json(v)}" for k, v in arguments.items())])


def _laid_out(result: str) -> str:
    """Return what a tool gave back, JSON in lines; the rendered text shows it as the model reads it."""
    if len(result) > LONGEST_LAID_OUT or not result.lstrip().startswith(("{", "[")):
        return result
    try:
        return json.dumps(json.loads(result), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return result


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
