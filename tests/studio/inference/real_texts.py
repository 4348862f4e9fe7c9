"""Every text in a folder of data files, whatever their shape."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.inference.proof.conversations import Conversation


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _rows(path: Path) -> list[Any]:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def conversations_in(folder: Path) -> Iterator[Conversation]:
    """Yield a conversation of each row: all that stands in it asked, its first text answered."""
    for path in sorted(folder.glob("*.*")):
        if path.suffix not in (".json", ".jsonl", ".csv"):
            continue
        for number, row in enumerate(_rows(path), 1):
            asked, answered = "\n".join(_strings(row)), next(_strings(row), "")
            messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
            yield Conversation(f"{path.name}:{number}", messages)
