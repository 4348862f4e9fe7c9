"""What several processes that train one run have to agree on."""

from typing import Any

from accelerate.data_loader import BatchSamplerShard  # type: ignore[import-untyped]
from accelerate.utils import broadcast_object_list  # type: ignore[import-untyped]
from datasets import Dataset
from datasets.fingerprint import get_temporary_cache_files_directory


def share_cache(rows: Dataset) -> None:
    """Let all processes read what one of them writes of a data set: rows in memory have another folder in each."""
    [folder] = broadcast_object_list([get_temporary_cache_files_directory()])
    rows._get_cache_file_path = lambda fingerprint: f"{folder}/{fingerprint}.arrow"


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
