"""What several processes that train one run have to agree on."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accelerate.data_loader import BatchSamplerShard  # type: ignore[import-untyped]
from datasets import Dataset, concatenate_datasets

from studio.training.course.agreeing import of_main
from studio.training.course.checkpoints import to_disk
from studio.training.fast.reference import OnReference
from studio.training.folder import RunFolder

_PART, _WHOLE = ".part", ".arrow"

SHARES, BATCHES = 100, 16
"""Of so many shares a reference is put together at most, each of a multiple of so many batches: a stop costs one share.

They don't go by the number of processes, so that a resume with another number finds them.
"""


def keep_reference(
    trainer: Any, rows: Dataset, batch_size: int, work_out: Callable[[Dataset], Dataset], on_reference: OnReference
) -> Dataset:
    """Let TRL work out the reference of rows in files that all processes see, and that a resume finds again.

    Args:
        trainer: TRL's.
        rows: in memory, of which TRL would keep it in another folder of the machine in each process.
        batch_size: how many rows of them each process takes at a time.
        work_out: TRL's own way to do it.
        on_reference: told of how many rows it is worked out, and of how many it has to be.
    """
    least = batch_size * BATCHES
    share = least * math.ceil(len(rows) / (least * SHARES))
    found = []
    for start in range(0, len(rows), share):
        on_reference(start, len(rows))
        few = rows.select(range(start, min(start + share, len(rows))))
        found.append(_kept(trainer, few, work_out))
    return concatenate_datasets(found)


def _kept(trainer: Any, rows: Dataset, work_out: Callable[[Dataset], Dataset]) -> Dataset:
    accelerator = trainer.accelerator
    folder = RunFolder(Path(trainer.args.output_dir).parent).together
    if accelerator.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        # What a pass left that was broken off, and what `datasets` was writing of it then.
        for path in (*folder.glob(f"*{_PART}"), *folder.glob("tmp*")):
            path.unlink()

    def place(fingerprint: str) -> str:
        is_whole = of_main(accelerator.is_main_process and (folder / f"{fingerprint}{_WHOLE}").exists())
        return str(folder / f"{fingerprint}{_WHOLE if is_whole else _PART}")

    rows._get_cache_file_path = place
    waiting = accelerator.wait_for_everyone

    def wait_and_look() -> None:
        waiting()
        # A network disk remembers for a while that a file was not there, unless the folder is read anew.
        os.listdir(folder)

    accelerator.wait_for_everyone = wait_and_look
    try:
        found = work_out(rows)
    finally:
        del accelerator.wait_for_everyone
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        for path in folder.glob(f"*{_PART}"):
            to_disk(path)
            path.rename(path.with_suffix(_WHOLE))
    return found


def measure_all_rows(trainer: Any) -> None:
    """Let each process measure all held-out rows, so that one process finds what many find.

    Shared out, some rows would be measured twice wherever the processes can't divide them.
    """
    shared_out = trainer.get_eval_dataloader

    def whole(*given: Any, **named: Any) -> Any:
        loader = shared_out(*given, **named)
        sampler = getattr(loader, "batch_sampler", None)
        if isinstance(sampler, BatchSamplerShard):
            sampler.num_processes, sampler.process_index = 1, 0
            # Else accelerate takes what all have gathered of the last batch for one process's repeats.
            loader._drop_last = True
        return loader

    trainer.get_eval_dataloader = whole
