"""Conversations made by dice that always fall the same: system turns, tools, empty turns, odd text, reasoning."""

import random
from typing import Any

from store.examples import Message
from studio.inference.proof.conversations import TEXTS, Conversation

_PIECES = (
    *TEXTS.values(),
    "",
    " ",
    "\n",
    "<think>\nLet me see.\n</think>\n\nYes.",
    "</think>",
    "<tool_call>\n{}\n</tool_call>",
    "[INST] [/INST] <|eot_id|> <end_of_turn> <|im_start|>assistant",
    "<b>bold</b> & 'quoted' \"twice\" \\n",
    "{% raw %}{{ x }}{% endraw %}",
    "null",
    "None",
    "true",
    "a" * 300,
)

_PARAMETERS: tuple[dict[str, Any], ...] = (
    {"type": "object", "properties": {}},
    {"type": "object", "properties": {"a": {"type": "number", "description": "A <b>number</b>."}}, "required": ["a"]},
    {
        "type": "object",
        "properties": {
            "unit": {"type": "string", "enum": ["°C", "°F"], "default": "°C"},
            "places": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "exact": {"type": ["boolean", "null"]},
            "at": {"type": "object", "properties": {"day": {"type": "integer"}}, "additionalProperties": False},
        },
        "required": ["unit"],
    },
)

_ARGUMENTS: tuple[dict[str, Any], ...] = (
    {},
    {"a": 1.5},
    {"places": ["Łódź", "東京"], "exact": None, "unit": "°C"},
    {"at": {"day": 3}, "text": 'it\'s "so"\n<|im_end|>', "exact": True},
)


def generated(count: int = 200, seed: int = 7) -> list[Conversation]:
    """Return as many conversations; the same ones for the same seed."""
    dice = random.Random(seed)
    return [_conversation(dice, f"made {number}") for number in range(count)]


def _conversation(dice: random.Random, label: str) -> Conversation:
    tools = [_tool(dice, number) for number in range(dice.randint(1, 3))] if dice.random() < 0.35 else None
    messages: list[Message] = []
    if dice.random() < 0.5:
        messages.append({"role": "system", "content": _text(dice)})
    for _ in range(dice.choice((1, 1, 2, 2, 3, 6))):
        messages.append({"role": "user", "content": _text(dice)})
        if tools and dice.random() < 0.6:
            messages += _called(dice, tools)
        messages.append(_answer(dice))
    if dice.random() < 0.4:
        messages.pop()
    return Conversation(label, messages, tools)


def _answer(dice: random.Random) -> Message:
    answer: Message = {"role": "assistant", "content": _text(dice)}
    if dice.random() < 0.25:
        answer[dice.choice(("reasoning_content", "thinking", "reasoning"))] = _text(dice)
    if dice.random() < 0.05:
        answer["tool_calls"] = None
    return answer


def _called(dice: random.Random, tools: list[dict[str, Any]]) -> list[Message]:
    names = [dice.choice(tools)["function"]["name"] for _ in range(dice.choice((1, 1, 2)))]
    calls = [
        {"type": "function", "id": f"call{place}abcd", "function": {"name": name, "arguments": dice.choice(_ARGUMENTS)}}
        for place, name in enumerate(names)
    ]
    content = dice.choice(("", "Let me look.", None))
    results = [
        {
            "role": "tool",
            "name": name,
            "tool_call_id": call["id"],
            "content": dice.choice(('{"a": 1}', "", "clear, 21°")),
        }
        for name, call in zip(names, calls, strict=True)
    ]
    return [{"role": "assistant", "content": content, "tool_calls": calls}, *results]


def _tool(dice: random.Random, number: int) -> dict[str, Any]:
    function = {
        "name": f"{dice.choice(('weather', 'add', 'look_up'))}_{number}",
        "description": dice.choice(("Adds.", "The weather, “now”.\nAt a place.", "Looks up <|im_end|> & more.")),
        "parameters": dice.choice(_PARAMETERS),
    }
    return {"type": "function", "function": function}


def _text(dice: random.Random) -> str:
    return "".join(dice.choice(_PIECES) for _ in range(dice.choice((1, 1, 1, 2, 3))))
