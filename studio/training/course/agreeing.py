"""What the processes of a run have to do together or not at all."""

from typing import Any, TypeVar
from uuid import uuid4

import torch
from accelerate.utils import broadcast_object_list, gather_object  # type: ignore[import-untyped]
from transformers import TrainingArguments

from studio.errors import StudioError
from studio.training.elsewhere.accelerate import processes
from studio.training.folder import RunFolder

Found = TypeVar("Found")


def any_process(accelerator: Any, wish: bool) -> bool:
    """Tell whether any of the run's processes wishes it; of several all have to ask."""
    if accelerator.num_processes == 1:
        return wish
    return bool(accelerator.reduce(torch.tensor(float(wish), device=accelerator.device)) > 0)


def of_main(found: Found) -> Found:
    """Return what the main process found, in each of them; of several all have to ask."""
    told: list[Found] = broadcast_object_list([found])
    return told[0]


def see_one_folder(folder: RunFolder, *, on_cpu: bool) -> None:
    """Make sure that all processes of a run see the same folder, on whatever machines they are.

    Raises:
        StudioError: one of them, and so each of them, has another.
    """
    if processes() == 1:
        return
    # It lets the processes speak with each other as the trainer's own arguments will.
    state = TrainingArguments(str(folder.checkpoints), use_cpu=on_cpu).distributed_state
    # A name that nobody has looked for: network disks remember what was not there.
    sign = folder.together / of_main(uuid4().hex)
    if state.is_main_process:
        folder.together.mkdir(exist_ok=True)
        sign.touch()
    state.wait_for_everyone()
    seen = gather_object([sign.exists()])
    if state.is_main_process:
        sign.unlink()
    if not all(seen):
        raise StudioError(
            f"{seen.count(False)} of {len(seen)} processes do not see the run folder of the others.",
            "Put it on a disk that all machines see, and start it there on each of them.",
        )
