"""In which order rows are trained on: the same for a seed and an epoch, wherever training goes on from."""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch.utils.data import BatchSampler, RandomSampler, Sampler, SequentialSampler
from transformers import TrainerCallback, TrainerState


class ByEpoch(Sampler):  # type: ignore[misc]
    """Has another sampler begin each epoch from a seed of its own, where it would go on from chance or from the last.

    Samplers that group by length draw from the process's generator, and some go on with their own: after a resume
    both would give another order than the run that was not broken off.
    """

    def __init__(self, inner: Any, seed: int) -> None:
        self.inner, self.seed, self.epoch = inner, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch is gone through next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.inner)

    def __iter__(self) -> Iterator[int]:
        seed = self.seed + self.epoch
        generator = getattr(self.inner, "generator", None)
        if generator is not None:
            generator.manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            order = list(self.inner)
        yield from order


def make_repeatable(trainer: Any) -> None:
    """Let the trainer's order of rows hang on the seed and the epoch alone."""
    given = trainer._get_train_sampler

    def sampler(*arguments: Any, **named: Any) -> Any:
        made = given(*arguments, **named)
        # Those that shuffle plainly are made so by accelerate, and others may see to it themselves.
        is_repeatable = isinstance(made, (RandomSampler, SequentialSampler, BatchSampler)) or hasattr(made, "set_epoch")
        return made if made is None or is_repeatable else ByEpoch(made, trainer.args.data_seed)

    trainer._get_train_sampler = sampler


class EpochTeller(TrainerCallback):  # type: ignore[misc]
    """Tells the sampler its epoch: accelerate loses the way to it in a resume over several processes."""

    def on_epoch_begin(
        self, args: Any, state: TrainerState, _control: Any, train_dataloader: Any = None, **_: Any
    ) -> None:
        """Tell it."""
        if train_dataloader is not None:
            _set_epoch(train_dataloader, state.global_step // _updates(train_dataloader, args))


def batches_of_step(trainer: Any, step: int) -> list[list[int]]:
    """Return the rows of each forward pass that an optimiser step was made of, over all processes."""
    loader = trainer.callback_handler.train_dataloader
    passes = trainer.args.gradient_accumulation_steps * trainer.args.world_size
    updates = _updates(loader, trainer.args)
    epoch, within = divmod(step - 1, updates)
    _set_epoch(loader, epoch)
    return [list(batch) for batch in islice(_batches(loader), within * passes, (within + 1) * passes)]


def _updates(loader: Any, args: Any) -> int:
    return max(1, math.ceil(len(loader) / int(args.gradient_accumulation_steps)))


def _batches(loader: Any) -> Any:
    """Return what makes the batches of all processes, inside of what shares them out."""
    found = loader.batch_sampler
    while hasattr(found, "batch_sampler"):
        found = found.batch_sampler
    return found


def _set_epoch(loader: Any, epoch: int) -> None:
    batches = _batches(loader)
    every: list[Any] = [batches, getattr(batches, "sampler", None)]
    for each in every:
        if hasattr(each, "set_epoch"):
            each.set_epoch(epoch)
