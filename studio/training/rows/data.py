"""A run's rows as the trainer takes them: token ids and loss mask from the one renderer."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from studio.errors import StudioError
from studio.rendering import ChatTokenizer, Rendering, render, render_prompt
from studio.training.recipe import Recipe
from studio.training.rows.turns import learnt


class TooLongError(StudioError):
    """A row whose prompt alone fills max_length, so that nothing of its answer would be learnt."""


@dataclass(frozen=True)
class Prepared:
    """A row as the trainer takes it, and what it was cut from."""

    columns: dict[str, Any]
    whole: tuple[Rendering, ...]
    """The conversation, or the prompt with the chosen and with the rejected answer, before anything is cut."""
    max_length: int

    @property
    def is_cut(self) -> bool:
        """Whether it lost tokens at its end."""
        return any(len(rendering.ids) > self.max_length for rendering in self.whole)


@dataclass(frozen=True)
class Tokenised:
    """Rows ready for training, and what was lost on the way."""

    rows: list[dict[str, Any]]
    cut: int
    """Rows that lost tokens at their end because they are longer than max_length."""
    dropped: int
    """Rows that are left out because their prompt alone fills max_length."""
    problems: list[str] = field(default_factory=list)
    """Rows that are left out because they can't be rendered: which, and why."""
    examples: list[int] = field(default_factory=list)
    """The example of each row."""


class _Shared(dict[int, int]):
    """Numbers that many lists hold as one object each: 8 bytes a token, where numbers of their own take 36."""

    def __missing__(self, number: int) -> int:
        self[number] = number
        return number


def load_rows(path: Path) -> list[dict[str, Any]]:
    """Read a split of the run's data."""
    return list(read_rows(path))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a split of the run's data."""
    with path.open("rb") as file:
        yield from map(orjson.loads, file)


_NUMBERS = _Shared()


def with_shared_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose lists of token ids take as little memory as Python lists can."""
    number = _NUMBERS.__getitem__
    return {name: list(map(number, held)) if isinstance(held, list) else held for name, held in row.items()}


def tokenise(tokenizer: ChatTokenizer, recipe: Recipe, rows: Iterable[dict[str, Any]]) -> Tokenised:
    """Prepare rows for a run; those that `prepare_row` refuses are left out and counted."""
    kept, examples, problems = [], [], []
    cut = dropped = 0
    for row in rows:
        try:
            prepared = prepare_row(tokenizer, recipe, row)
        except TooLongError:
            dropped += 1
        except StudioError as error:
            problems.append(f"example {row['example']}: {error}")
        else:
            kept.append(with_shared_numbers(prepared.columns))
            examples.append(row["example"])
            cut += prepared.is_cut
    return Tokenised(kept, cut, dropped, problems, examples)


def prepare_row(tokenizer: ChatTokenizer, recipe: Recipe, row: dict[str, Any]) -> Prepared:
    """Render a row for a run's method, as TRL's own collators take it.

    | method | columns |
    |---|---|
    | sft, distill | `input_ids` and `labels`, which are -100 where no loss is counted |
    | dpo | `prompt_ids`, `chosen_ids` and `rejected_ids` |
    | kto | `prompt_ids`, `completion_ids` and `label`, true of a good answer |
    | reward | `chosen_ids` and `rejected_ids`, each with the prompt |
    | grpo | `prompt_ids` and `fields`, the JSON of what the checks may refer to |

    Raises:
        TooLongError: within max_length nothing of it would be learnt.
        StudioError: it can't be rendered, or is not meant to be learnt.
    """
    return _PREPARE[recipe.method](tokenizer, recipe, row)


def _conversation(tokenizer: ChatTokenizer, recipe: Recipe, row: dict[str, Any]) -> Prepared:
    messages, tools = row["messages"], row.get("tools")
    rendering = render(tokenizer, messages, tools)
    rendering = replace(rendering, trained=learnt(tokenizer, recipe.loss_on, rendering, messages, tools))
    _check_length(rendering.trained.index(True), recipe.max_length)
    ids, trained = rendering.ids[: recipe.max_length], rendering.trained[: recipe.max_length]
    labels = [token if counts else -100 for token, counts in zip(ids, trained, strict=True)]
    return Prepared({"input_ids": ids, "labels": labels}, (rendering,), recipe.max_length)


def _preference(tokenizer: ChatTokenizer, recipe: Recipe, row: dict[str, Any]) -> Prepared:
    chosen, rejected = _both(tokenizer, row)
    start, end = chosen.prompt_length, recipe.max_length
    _check_length(start, end)
    columns = {
        "prompt_ids": chosen.ids[:start],
        "chosen_ids": chosen.ids[start:end],
        "rejected_ids": rejected.ids[start:end],
    }
    return Prepared(columns, (chosen, rejected), end)


def _scored(tokenizer: ChatTokenizer, recipe: Recipe, row: dict[str, Any]) -> Prepared:
    chosen, rejected = _both(tokenizer, row)
    longest = max(len(chosen.ids), len(rejected.ids))
    if longest > recipe.max_length:
        # The score is read at the end: of an answer that is cut it would be that of another answer.
        raise TooLongError(
            f"Its prompt and an answer have {longest:,} tokens, more than max_length={recipe.max_length}.",
            "Raise max_length, or shorten the answer.",
        )
    return Prepared({"chosen_ids": chosen.ids, "rejected_ids": rejected.ids}, (chosen, rejected), recipe.max_length)


def _unpaired(tokenizer: ChatTokenizer, recipe: Recipe, row: dict[str, Any]) -> Prepared:
    rendering = render(tokenizer, row["prompt"] + row["completion"], row.get("tools"))
    start, end = rendering.prompt_length, recipe.max_length
    _check_length(start, end)
    ids = {"prompt_ids": rendering.ids[:start], "completion_ids": rendering.ids[start:end]}
    return Prepared({**ids, "label": row["label"]}, (rendering,), end)


def _asked(tokenizer: ChatTokenizer, recipe: Recipe, row: dict[str, Any]) -> Prepared:
    rendering = render_prompt(tokenizer, row["prompt"], row.get("tools"))
    # All of a prompt is needed: an answer to a part of it would be rewarded for something else.
    _check_length(len(rendering.ids), recipe.max_length + 1)
    fields = orjson.dumps(row.get("fields") or {}).decode()
    return Prepared({"prompt_ids": rendering.ids, "fields": fields}, (rendering,), recipe.max_length)


_PREPARE: dict[str, Callable[[ChatTokenizer, Recipe, dict[str, Any]], Prepared]] = {
    "sft": _conversation,
    "distill": _conversation,
    "dpo": _preference,
    "reward": _scored,
    "kto": _unpaired,
    "grpo": _asked,
}


def _both(tokenizer: ChatTokenizer, row: dict[str, Any]) -> tuple[Rendering, Rendering]:
    """Return the prompt with the chosen and with the rejected answer."""
    chosen, rejected = (
        render(tokenizer, row["prompt"] + row[side], row.get("tools")) for side in ("chosen", "rejected")
    )
    _check_same_prompt(chosen, rejected)
    return chosen, rejected


def _check_length(prompt: int, max_length: int) -> None:
    if prompt >= max_length:
        raise TooLongError(
            f"Its prompt alone has {prompt:,} tokens and fills max_length={max_length}.",
            "Raise max_length, or shorten the prompt.",
        )


def _check_same_prompt(chosen: Rendering, rejected: Rendering) -> None:
    start = chosen.prompt_length
    if rejected.prompt_length != start or rejected.ids[:start] != chosen.ids[:start]:
        raise StudioError(
            "The chat template renders this prompt differently for its two answers.",
            "Use a template that does not look ahead.",
        )
