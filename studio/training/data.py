"""A run's rows as the trainer takes them: token ids and loss mask from the one renderer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from studio.errors import StudioError
from studio.rendering import ChatTokenizer, Rendering, render


@dataclass(frozen=True)
class Tokenised:
    """Rows ready for training, and what was lost on the way."""

    rows: list[dict[str, list[int]]]
    cut: int
    """Rows that lost tokens at their end because they are longer than max_length."""
    dropped: int
    """Rows that are left out because their prompt alone fills max_length."""
    tokens: int
    problems: list[str] = field(default_factory=list)
    """Rows that are left out because they can't be rendered: which, and why."""


def load_rows(path: Path) -> list[dict[str, Any]]:
    """Read a split of the run's data."""
    with path.open("rb") as file:
        return [orjson.loads(line) for line in file]


def tokenise(tokenizer: ChatTokenizer, method: str, rows: list[dict[str, Any]], max_length: int) -> Tokenised:
    """Render rows for a method.

    SFT rows become `input_ids` and `labels` (-100 where no loss is counted); preference rows become
    `prompt_ids`, `chosen_ids` and `rejected_ids`, as TRL's own collators take them.
    """
    prepare = _preference if method == "dpo" else _conversation
    kept, cut, tokens, dropped = [], 0, 0, 0
    problems = []
    for row in rows:
        try:
            prepared = prepare(tokenizer, row, max_length)
        except StudioError as error:
            problems.append(f"example {row['example']}: {error}")
            continue
        if prepared is None:
            dropped += 1
            continue
        ready, was_cut, length = prepared
        kept.append(ready)
        cut += was_cut
        tokens += length
    return Tokenised(kept, cut, dropped, tokens, problems)


Prepared = tuple[dict[str, list[int]], bool, int]


def _conversation(tokenizer: ChatTokenizer, row: dict[str, Any], max_length: int) -> Prepared | None:
    if row["messages"][-1].get("weight") == 0:
        raise StudioError("Its last answer has the weight 0, which says that it is not to be learnt.")
    rendering = render(tokenizer, row["messages"], row.get("tools"))
    if rendering.prompt_length >= max_length:
        return None
    ids = rendering.ids[:max_length]
    trained = rendering.trained[:max_length]
    labels = [token if counts else -100 for token, counts in zip(ids, trained, strict=True)]
    return {"input_ids": ids, "labels": labels}, len(rendering.ids) > max_length, len(ids)


def _preference(tokenizer: ChatTokenizer, row: dict[str, Any], max_length: int) -> Prepared | None:
    chosen, rejected = (
        render(tokenizer, row["prompt"] + row[side], row.get("tools")) for side in ("chosen", "rejected")
    )
    if chosen.prompt_length >= max_length:
        return None
    _check_same_prompt(chosen, rejected)
    start = chosen.prompt_length
    prepared = {
        "prompt_ids": chosen.ids[:start],
        "chosen_ids": chosen.ids[start:max_length],
        "rejected_ids": rejected.ids[start:max_length],
    }
    cut = max(len(chosen.ids), len(rejected.ids)) > max_length
    return prepared, cut, min(len(chosen.ids), max_length) + min(len(rejected.ids), max_length)


def _check_same_prompt(chosen: Rendering, rejected: Rendering) -> None:
    start = chosen.prompt_length
    if rejected.prompt_length != start or rejected.ids[:start] != chosen.ids[:start]:
        raise StudioError(
            "The chat template renders this prompt differently for its two answers.",
            "Use a template that does not look ahead.",
        )
