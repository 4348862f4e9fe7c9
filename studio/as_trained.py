"""What a run would make of chosen examples: the very rows, as the trainer's own code prepares them."""

from dataclasses import dataclass
from typing import Any

from store.database import Store
from studio.errors import StudioError
from studio.preview import Seen
from studio.rendering import ChatTokenizer, Rendering, render
from studio.snapshots import Outcome, outcomes
from studio.training.recipe import KINDS, Method, make_recipe
from studio.training.rows.data import prepare_row

SHOWN: tuple[Method, ...] = ("sft", "dpo")
"""Methods whose rows are shown: all others make theirs in the same two ways."""


@dataclass(frozen=True)
class RowSeen:
    """An example or a judged pair as a run would train on it."""

    example: int
    method: Method
    sequences: list[Seen]
    left_out: str = ""
    """Why it is no row of a run at all; nothing is rendered then."""


def rows_as_trained(tokenizer: ChatTokenizer, store: Store, example_ids: list[int]) -> list[RowSeen]:
    """Return what runs of every method would make of some examples, by example."""
    found = [_row_seen(tokenizer, method, each) for method in SHOWN for each in _outcomes(store, method, example_ids)]
    place = {number: i for i, number in enumerate(example_ids)}
    return sorted(found, key=lambda row: place[row.example])


def _outcomes(store: Store, method: Method, example_ids: list[int]) -> list[Outcome]:
    return outcomes(store, KINDS[method], example_ids)


def _row_seen(tokenizer: ChatTokenizer, method: Method, outcome: Outcome) -> RowSeen:
    example = outcome.item.example_id
    if outcome.row is None:
        return RowSeen(example, method, [], outcome.reason)
    row, recipe = outcome.row._asdict(), make_recipe(method, [])
    try:
        whole, left_out = prepare_row(tokenizer, recipe, row).whole, ""
    except StudioError as error:
        try:
            whole, left_out = _whole(tokenizer, row), str(error)
        except StudioError:
            return RowSeen(example, method, [], str(error))
    sides = ("",) if len(whole) == 1 else ("chosen", "rejected")
    seen = [
        Seen(each, tokenizer.special_ids, recipe.max_length, left_out, side)
        for each, side in zip(whole, sides, strict=True)
    ]
    return RowSeen(example, method, seen)


def _whole(tokenizer: ChatTokenizer, row: dict[str, Any]) -> tuple[Rendering, ...]:
    if "messages" in row:
        return (render(tokenizer, row["messages"], row["tools"]),)
    return tuple(render(tokenizer, row["prompt"] + row[side], row["tools"]) for side in ("chosen", "rejected"))
