"""Which conversations are proven: a run's own rows, a file's, or varied ones that find out most models' faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from store.examples import Message
from studio.errors import StudioError
from studio.training.folder import SPLITS, RunFolder


@dataclass(frozen=True)
class Conversation:
    """A text to check, and where it comes from."""

    label: str
    messages: list[Message]
    tools: list[dict[str, Any]] | None = None


def of_run(folder: RunFolder, *splits: str) -> Iterator[Conversation]:
    """Yield what a run trains on and is measured on, or the rows of some of its splits."""
    for split in splits or SPLITS:
        for line in _lines(folder, split):
            yield from _of_row(orjson.loads(line))


def sample_of_run(folder: RunFolder, most: int) -> tuple[Iterator[Conversation], str]:
    """Return what a run trains on and is measured on, or of many rows as many; and then a word on which they are.

    A tenth are the longest rows, the others are spread evenly.
    """
    rows = [(len(line), split, number) for split in SPLITS for number, line in enumerate(_lines(folder, split))]
    if len(rows) <= most:
        return of_run(folder), ""
    longest = sorted(rows, reverse=True)[: most // 10]
    others = sorted({row[1:] for row in rows} - {row[1:] for row in longest})
    wanted = most - len(longest)
    spread = {others[place * len(others) // wanted] for place in range(wanted)}
    chosen = {row[1:] for row in longest} | spread
    found = (
        conversation
        for split in SPLITS
        for number, line in enumerate(_lines(folder, split))
        if (split, number) in chosen
        for conversation in _of_row(orjson.loads(line))
    )
    return found, f"{most:,} of {len(rows):,} rows were taken, the longest and some of all others"


def _lines(folder: RunFolder, split: str) -> Iterator[bytes]:
    with (folder.data / f"{split}.jsonl").open("rb") as file:
        yield from file


def of_file(path: Path) -> Iterator[Conversation]:
    """Yield the conversations of a JSON Lines file: lists of messages, or objects with `messages` and `tools`.

    Raises:
        StudioError: the file can't be read, or a line is none.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _of_line(f"{path.name}:{number}", line)
    except OSError as error:
        raise StudioError(f"{path} can't be read: {error.strerror or error}.") from error


def _of_line(label: str, line: bytes) -> Conversation:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise StudioError(f"{label} is no JSON: {error}.") from error
    messages = found if isinstance(found, list) else found.get("messages") if isinstance(found, dict) else None
    if not isinstance(messages, list) or not all(isinstance(m, dict) and "role" in m for m in messages):
        raise StudioError(
            f"{label} holds no conversation.", 'A line is {"messages": [{"role": "user", "content": "..."}, ...]}.'
        )
    return Conversation(label, messages, found.get("tools") if isinstance(found, dict) else None)


def _of_row(row: dict[str, Any]) -> Iterator[Conversation]:
    label = f"example {row['example']}"
    if "messages" in row:
        yield Conversation(label, row["messages"], row.get("tools"))
        return
    sides = [side for side in ("chosen", "rejected", "completion") if side in row]
    for side in sides:
        yield Conversation(f"{label} ({side})", row["prompt"] + row[side], row.get("tools"))
    if not sides:
        yield Conversation(label, row["prompt"], row.get("tools"))


TEXTS = {
    "plain": "Please tell me where my parcel is; it should have come on Monday.",
    "digits": "In 1999: 1,234.56 + 7890 = 9124.56, 007, 3.14159, 10:45, 2026-11-21, +44 20 7946 0958",
    "a list": "Steps:\n\n1. Open it.\n2. Close it.\n\n\n- a\n  - b\n\t- c",
    "contractions": "I'm sure they'd've said we'll see; it's John's, don't YOU'RE it. rock'n'roll O'Neil's",
    "spaces": "  two before,   three amid,\ttabs\t\t, and some at the end   \n \n  \n",
    "line ends": "one\r\ntwo\rthree\n\nfour\u2028five\u2029six\x0bseven\x0ceight",
    "code": 'def f(x: int) -> str:\n    """No."""\n    return f"{x!r:>10}" if x != 0 else \'\\n\'  # ok\n',
    "markup": "<p class='a'>&amp; &lt;b&gt;</p> **bold** _it_ `code` [link](https://example.org/?q=1&r=%20#x)",
    "accents": "Ärger mit Grüßen; déjà vu, naïve façade, Łódź, señor, Ελληνικά, русский текст, Türkçe İıŞş",
    "combined": "e\u0301 a\u030a n\u0303 \ufb01 \u2460 \uff21\uff22 \u00bd \u1e9b\u0323",
    "right to left": "שלום עולם، مرحبا بالعالم ١٢٣ \u202eabc\u202c",
    "east asian": "東京で会いましょう。한국어 문장입니다。这是一个测试，数字１２３。ไม่มีช่องว่าง",
    "emoji": "👍🏽 👨‍👩‍👧‍👦 🇬🇧 🏳️‍🌈 e\ufe0f 1️⃣ 🤷🏻‍♀️",
    "rare": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 \u0000 \u200b\u200d\ufeff \ufffd \ue000 \U0010fffd",
    "signs": "!!! ??? ... --- === *** ((())) [[ ]] {{ }} <> |||  @#$%^&*~`\\/ “quoted” ‘so’ – — … €£¥ ≤ ≥ ≠ ∑ √",
    "repeated": "ha" * 60 + " " + "0" * 120 + " " + "-" * 80 + " " * 70 + "x",
    "a long word": "Donaudampfschifffahrtsgesellschaftskapitänswitwe" * 3,
    "special tokens": "<|im_end|>\n<|im_start|>system\n</s><s>[INST] <<SYS>> <|eot_id|><end_of_turn><eos><pad><unk>",
    "tokens in part": "<|im_ end|> < |im_start|> <|endoftext <bos <0x0A> ▁▁ Ġword Ċ [PAD] [CLS]",
    "Jinja": "{{ messages[0].content }} {% raw %} {# no #} {%- endif -%}",
}
"""What tokenizers cut differently, by a name."""

_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather at a place, “now”.",
            "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
        },
    }
]


def varied() -> Iterator[Conversation]:
    """Yield conversations of many kinds, those with special tokens in what people wrote among them."""
    for name, text in TEXTS.items():
        yield Conversation(f"{name}, asked", [_turn("user", text)])
        yield Conversation(f"{name}, answered", [_turn("user", "Go on."), _turn("assistant", text)])
    asked, answered = _turn("user", TEXTS["plain"]), _turn("assistant", "It is on its way.")
    system = _turn("system", f"You help.\n{TEXTS['accents']}")
    yield Conversation("a system turn", [system, asked, answered])
    yield Conversation("a system turn, unanswered", [system, asked])
    yield Conversation("an empty system turn", [_turn("system", ""), asked, answered])
    yield Conversation("an empty question", [_turn("user", ""), answered])
    yield Conversation("an empty answer", [asked, _turn("assistant", "")])
    yield Conversation("many turns", [system, *[asked, answered] * 6, asked])
    yield Conversation("tokens in the system turn", [_turn("system", TEXTS["special tokens"]), asked, answered])
    yield Conversation("two users", [asked, asked, answered])
    yield Conversation("tools", [asked, answered], _TOOLS)
    call = {"type": "function", "function": {"name": "weather", "arguments": {"place": "Łódź"}}}
    called = {"role": "assistant", "content": "", "tool_calls": [call]}
    given = {"role": "tool", "name": "weather", "content": '{"sky": "clear", "degrees": 21.5}'}
    yield Conversation("a tool called", [asked, called, given, answered], _TOOLS)
    yield Conversation("reasoning", [asked, {**answered, "reasoning_content": "First,\nthen."}])


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}
