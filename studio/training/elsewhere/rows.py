"""The rows of a run in the shapes that other tools read."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from studio import formats
from studio.errors import StudioError
from studio.formats.row import LabelledRow, PreferenceRow, RowError, SftRow
from studio.rendering import ChatTokenizer, segments

Row = dict[str, Any]


def as_format(name: str, rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Return rows in one of the shapes of `studio formats`, and in a sentence each why others are left out."""
    shape = formats.to_write(name)
    said: list[Row] = []
    unsaid: Counter[str] = Counter()
    for row in rows:
        try:
            said += shape.write(typed(row))
        except RowError as reason:
            unsaid[str(reason)] += 1
    return said, [f"{number:,} rows are left out: {reason}." for reason, number in unsaid.items()]


def typed(row: Row) -> SftRow | PreferenceRow | LabelledRow:
    """Return a row of a run's folder as what it is."""
    if "messages" in row:
        return SftRow(row["messages"], row.get("tools"))
    if "chosen" in row:
        return PreferenceRow(row["prompt"], row["chosen"], row["rejected"], row.get("tools"))
    return LabelledRow(row["prompt"], row["completion"], row["label"], row.get("tools"))


def last_alone(row: Row) -> Row:
    """Return a conversation in which the last answer alone is to be learnt."""
    *earlier, last = row["messages"]
    unlearnt = [{**turn, "weight": 0} if turn["role"] == "assistant" else turn for turn in earlier]
    return {**row, "messages": [*unlearnt, last]}


def as_prompts(rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Return prompts, with what the checks may refer to as the JSON of one column; and what is left out."""
    kept, unsaid = without_tools(rows)
    said = [
        {"prompt": row["prompt"], "fields": json.dumps(row.get("fields") or {}, ensure_ascii=False)} for row in kept
    ]
    return said, unsaid


def without_tools(rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows that offer no tools, for a shape that has no place for them; and what is left out."""
    every = list(rows)
    kept = [row for row in every if not row.get("tools")]
    left_out = len(every) - len(kept)
    return kept, [f"{left_out:,} rows are left out: there is no place for their tools."] if left_out else []


def as_texts(tokenizer: dict[str, bytes], rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Return labelled answers as rendered texts, for a tool that knows no chat template; and what is left out."""
    said, unsaid = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for name, content in tokenizer.items():
            (Path(folder) / name).write_bytes(content)
        chat = ChatTokenizer.load(Path(folder))
    for row in rows:
        try:
            head, tail = segments(chat, row["prompt"] + row["completion"], row.get("tools"))
        except StudioError:
            unsaid += 1
        else:
            texts = {"prompt": "".join(s.text for s in head), "completion": "".join(s.text for s in tail)}
            said.append({**texts, "label": row["label"]})
    return said, [f"{unsaid:,} rows are left out: they can't be rendered."] if unsaid else []
