"""Conversations of messages with a role and a content, as TRL and OpenAI write them, checked on the way in."""

import json
from typing import Any

from store.examples import Message, completion_of, prompt_of
from studio.formats.row import RowError

ROLES = {"system", "user", "assistant", "tool"}
OTHER_NAMES = {"developer": "system", "function": "tool"}
KEPT = ("name", "tool_call_id", "thinking", "reasoning_content")
"""Keys of a message that chat templates read besides role, content and tool_calls."""
TEXT_PARTS = {None, "text", "input_text", "output_text"}


def is_conversation(value: Any) -> bool:
    """Tell whether a value looks like a list of messages with role and content."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(m, dict) and isinstance(m.get("role"), str) for m in value)
    )


def read_turns(value: Any, where: str) -> list[Message]:
    """Return a list of messages in the form that examples keep.

    Raises:
        RowError: it is no list of messages, or holds something besides text.
    """
    if not isinstance(value, list) or not value:
        raise RowError(f"{where} is no list of messages")
    return [_plain(turn) or _message(turn, f"{where}[{number}]") for number, turn in enumerate(value)]


def _plain(turn: Any) -> Message | None:
    """Return the message of a turn that has nothing but a known role and a text: nearly all of them."""
    if isinstance(turn, dict) and len(turn) == 2:
        role, content = turn.get("role"), turn.get("content")
        if isinstance(content, str) and isinstance(role, str) and role in ROLES:
            return {"role": role, "content": content}
    return None


def _message(turn: Any, where: str) -> Message:
    if not isinstance(turn, dict):
        raise RowError(f"{where} is no message with role and content")
    role = turn.get("role")
    role = OTHER_NAMES.get(role, role) if isinstance(role, str) else role
    if not isinstance(role, str) or role not in ROLES:
        raise RowError(f"{where} has the role {str(role)[:40]!r}; known are {', '.join(sorted(ROLES))}")
    message: Message = {"role": role, "content": _content(turn, where)}
    calls = turn.get("tool_calls")
    if calls:
        message["tool_calls"] = [read_call(call, f"{where}.tool_calls") for call in _list(calls, where)]
    message.update({key: turn[key] for key in KEPT if isinstance(turn.get(key), str)})
    return message


def _content(turn: dict[str, Any], where: str) -> str:
    content = turn.get("content")
    if isinstance(content, str):
        return content
    if content is None and turn.get("tool_calls"):
        return ""
    if isinstance(content, list):
        parts = [_part(part, where) for part in content]
        # The text of a single part stays the very object that the record holds.
        return parts[0] if len(parts) == 1 else "".join(parts)
    raise RowError(f"{where} has no text as its content")


def _part(part: Any, where: str) -> str:
    is_text = isinstance(part, dict) and part.get("type") in TEXT_PARTS
    text = part.get("text", part.get("value")) if is_text else None
    if not isinstance(text, str):
        raise RowError(f"{where} holds something besides text, which is not read yet")
    return text


def read_call(call: Any, where: str) -> dict[str, Any]:
    """Return a tool call with its arguments as an object, the way chat templates expect it."""
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowError(f"{where} holds a call without a name")
    arguments = function.get("arguments", {})
    if isinstance(arguments, str):
        arguments = parsed(arguments or "{}", f"{where} arguments")
    plain = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
    return {"id": call["id"], **plain} if isinstance(call.get("id"), str) else plain


def read_tools(value: Any) -> list[dict[str, Any]] | None:
    """Return the tools of a row, given as a list or as its JSON, each as `{"type": "function", ...}`."""
    if isinstance(value, str):
        value = parsed(value, "tools") if value.strip() else None
    if not value:
        return None
    return [_tool(tool) for tool in _list(value, "tools")]


def _tool(tool: Any) -> dict[str, Any]:
    if not isinstance(tool, dict):
        raise RowError("tools holds something that is no object")
    return tool if "function" in tool else {"type": "function", "function": tool}


def parsed(text: str, where: str) -> Any:
    """Return the value of a JSON text that stands inside a row."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RowError(f"{where} is not valid JSON") from None


def split_answer(messages: list[Message], where: str) -> tuple[list[Message], list[Message]]:
    """Return the prompt and the answer of a conversation that must have both."""
    prompt, answer = prompt_of(messages), completion_of(messages)
    if not answer:
        raise RowError(f"{where} does not end with an answer of the assistant")
    if not prompt:
        raise RowError(f"{where} has no prompt before its answer")
    return prompt, answer


def only_text(messages: list[Message], shape: str) -> None:
    """Make sure that messages have nothing but role and text.

    Raises:
        RowError: one has a tool call, a name or the like.
    """
    for message in messages:
        extra = sorted(set(message) - {"role", "content"})
        if message["role"] == "tool" or extra:
            what = extra[0] if extra else "a tool's result"
            raise RowError(f"{shape} can't say {what}")


def text_of(fields: dict[str, Any], key: str) -> str:
    """Return a field that must be a text.

    Raises:
        RowError: it is absent or of another kind.
    """
    value = fields.get(key)
    if not isinstance(value, str):
        raise RowError(f"{key} is {json.dumps(value)[:40]}, not a text" if key in fields else f"{key} is missing")
    return value


def optional_text(fields: dict[str, Any], key: str) -> str:
    """Return a field that is a text where it is there, else the empty text."""
    return text_of(fields, key) if fields.get(key) is not None else ""


def system_turn(fields: dict[str, Any]) -> list[Message]:
    """Return the turn that a row's `system` text makes, none where it is absent or empty."""
    system = optional_text(fields, "system")
    return [{"role": "system", "content": system}] if system else []


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise RowError(f"{where} is no list")
    return value
