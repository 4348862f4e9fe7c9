"""A run's rows as the trainer takes them: token ids and loss mask from the one renderer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from studio.errors import StudioError
from studio.rendering import ChatTokenizer, Rendering, render


class TooLongError(StudioError):
    """A row whose prompt alone fills max_length, so that nothing of its answer would be learnt."""


@dataclass(frozen=True)
class Prepared:
    """A row as the trainer takes it, and what it was cut from."""

    columns: dict[str, list[int]]
    whole: tuple[Rendering, ...]
    """The conversation, or the prompt with the chosen and with the rejected answer, before anything is cut."""
    max_length: int

    @property
    def is_cut(self) -> bool:
        """Whether it lost tokens at its end."""
        return any(len(rendering.ids) > self.max_length for rendering in self.whole)

    @property
    def tokens(self) -> int:
        """Tokens that the trainer computes on."""
        return sum(min(len(rendering.ids), self.max_length) for rendering in self.whole)


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
    examples: list[int] = field(default_factory=list)
    """The example of each row."""


def load_rows(path: Path) -> list[dict[str, Any]]:
    """Read a split of the run's data."""
    with path.open("rb") as file:
        return [orjson.loads(line) for line in file]


def tokenise(tokenizer: ChatTokenizer, method: str, rows: list[dict[str, Any]], max_length: int) -> Tokenised:
    """Prepare rows for a method; those that `prepare_row` refuses are left out and counted."""
    kept, examples, problems = [], [], []
    cut = dropped = tokens = 0
    for row in rows:
        try:
            prepared = prepare_row(tokenizer, method, row, max_length)
        except TooLongError:
            dropped += 1
        except StudioError as error:
            problems.append(f"example {row['example']}: {error}")
        else:
            kept.append(prepared.columns)
            examples.append(row["example"])
            cut += prepared.is_cut
            tokens += prepared.tokens
    return Tokenised(kept, cut, dropped, tokens, problems, examples)


def prepare_row(tokenizer: ChatTokenizer, method: str, row: dict[str, Any], max_length: int) -> Prepared:
    """Render a row for a method.

    An SFT row becomes `input_ids` and `labels` (-100 where no loss is counted); a preference row becomes
    `prompt_ids`, `chosen_ids` and `rejected_ids`, as TRL's own collators take them.

    Raises:
        TooLongError: its prompt alone fills max_length.
        StudioError: it can't be rendered, or is not meant to be learnt.
    """
    return (_preference if method == "dpo" else _conversation)(tokenizer, row, max_length)


def _conversation(tokenizer: ChatTokenizer, row: dict[str, Any], max_length: int) -> Prepared:
    if row["messages"][-1].get("weight") == 0:
        raise StudioError("Its last answer has the weight 0, which says that it is not to be learnt.")
    rendering = render(tokenizer, row["messages"], row.get("tools"))
    _check_length(rendering, max_length)
    ids = rendering.ids[:max_length]
    trained = rendering.trained[:max_length]
    labels = [token if counts else -100 for token, counts in zip(ids, trained, strict=True)]
    return Prepared({"input_ids": ids, "labels": labels}, (rendering,), max_length)


def _preference(tokenizer: ChatTokenizer, row: dict[str, Any], max_length: int) -> Prepared:
    chosen, rejected = (
        render(tokenizer, row["prompt"] + row[side], row.get("tools")) for side in ("chosen", "rejected")
    )
    _check_length(chosen, max_length)
    _check_same_prompt(chosen, rejected)
    start = chosen.prompt_length
    columns = {
        "prompt_ids": chosen.ids[:start],
        "chosen_ids": chosen.ids[start:max_length],
        "rejected_ids": rejected.ids[start:max_length],
    }
    return Prepared(columns, (chosen, rejected), max_length)


def _check_length(rendering: Rendering, max_length: int) -> None:
    if rendering.prompt_length >= max_length:
        raise TooLongError(
            f"Its prompt alone has {rendering.prompt_length:,} tokens and fills max_length={max_length}.",
            "Raise max_length, or shorten the prompt.",
        )


def _check_same_prompt(chosen: Rendering, rejected: Rendering) -> None:
    start = chosen.prompt_length
    if rejected.prompt_length != start or rejected.ids[:start] != chosen.ids[:start]:
        raise StudioError(
            "The chat template renders this prompt differently for its two answers.",
            "Use a template that does not look ahead.",
        )
