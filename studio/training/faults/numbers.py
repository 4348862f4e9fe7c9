"""A loss or a gradient that is no number: the run stops at once, and the examples that it came with are named."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, chain, pairwise
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from studio.errors import StudioError
from studio.training.course.order import batches_of_step
from studio.training.rows.data import Tokenised

NAMED = 12
"""Examples that are named at most."""
_TRLS_NAMES = {"prompt_ids": "prompt"}
"""What GRPO calls a column that has another name here."""


class NumberGuard(TrainerCallback):  # type: ignore[misc]
    """Ends the run where its loss or its gradient is no number, before anything of that step is saved."""

    def __init__(self, trainer: Any, train: Callable[[], Tokenised]) -> None:
        """Guard a trainer; the rows that it has are asked for where one is to be named."""
        self._trainer, self._train = trainer, train
        self._losses: list[torch.Tensor] = []
        _listen(trainer, self._losses)

    def on_step_begin(self, _args: Any, _state: TrainerState, _control: TrainerControl, **_: Any) -> None:
        """Forget the losses of the step before."""
        self._losses.clear()

    def on_log(
        self, _args: Any, state: TrainerState, _control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Look at the step's numbers.

        Raises:
            StudioError: one is none.
        """
        logs = logs or {}
        for name, words in (("loss", "loss"), ("grad_norm", "gradient"), ("eval_loss", "held-out loss")):
            value = logs.get(name)
            if value is not None and not math.isfinite(float(value)):
                raise self._fault(words, float(value), state.global_step, held_out=name == "eval_loss")

    def _fault(self, words: str, value: float, step: int, *, held_out: bool) -> StudioError:
        if not held_out:
            hint = "Look at what is named; where it is sound: try a smaller learning_rate."
            return StudioError(f"The {words} became {value} at step {step}, in {self._examples(step)}.", hint)
        if step:
            return StudioError(f"The {words} became {value} at step {step}.", "Try a smaller learning_rate.")
        return StudioError(f"The {words} is {value} before anything was learnt.", "Try dtype=fp32, or another model.")

    def _examples(self, step: int) -> str:
        batches = batches_of_step(self._trainer, step)
        # In several processes each knows the losses of its own passes alone.
        told_apart = len(self._losses) == len(batches)
        bad = [not bool(torch.isfinite(loss).all()) for loss in self._losses] if told_apart else []
        if any(bad):
            batches = [batch for batch, is_bad in zip(batches, bad, strict=True) if is_bad]
        found = list(dict.fromkeys(self._of_rows(list(chain.from_iterable(batches)))))
        named = ", ".join(map(str, found[:NAMED])) + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")
        return f"{'example' if len(found) == 1 else 'the examples'} {named}"

    def _of_rows(self, rows: list[int]) -> Iterator[int]:
        """Yield the examples of rows, told by what they hold: a method may have put its rows into another order."""
        train, trained_on = self._train(), self._trainer.train_dataset
        if "seq_lengths" in trained_on.column_names:
            columns: tuple[str, ...] = ("input_ids",)
            wanted = [key for row in rows for key in _parts(trained_on[row])]
        else:
            there = trained_on.column_names
            names = {name: name if name in there else _TRLS_NAMES.get(name, name) for name in train.rows[0]}
            names = {ours: theirs for ours, theirs in names.items() if theirs in there}
            columns = tuple(names)
            wanted = [_key(trained_on[row], names.values()) for row in rows]
        examples: dict[Any, int] = dict.fromkeys(wanted, 0)
        for row, example in zip(train.rows, train.examples, strict=True):
            if examples.get(key := _key(row, columns)) == 0:
                examples[key] = example
        yield from (examples[key] for key in wanted if examples[key])


def _key(row: Mapping[str, Any], columns: Iterable[str]) -> Any:
    return tuple(tuple(row[name]) if isinstance(row[name], list) else row[name] for name in columns)


def _parts(row: Mapping[str, Any]) -> list[Any]:
    """Return the keys of the rows that are packed into one."""
    ends = list(accumulate(row["seq_lengths"]))
    return [(tuple(row["input_ids"][start:end]),) for start, end in pairwise([0, *ends])]


def _listen(trainer: Any, losses: list[torch.Tensor]) -> None:
    """Note the loss of each forward pass, without waiting for the device that computes it."""
    given = trainer.training_step

    def step(*arguments: Any, **named: Any) -> Any:
        loss = given(*arguments, **named)
        losses.append(loss)
        return loss

    trainer.training_step = step
