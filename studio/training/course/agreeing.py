"""What the processes of a run have to do together or not at all."""

from typing import Any

import torch


def any_process(accelerator: Any, wish: bool) -> bool:
    """Tell whether any of the run's processes wishes it; of several all have to ask."""
    if accelerator.num_processes == 1:
        return wish
    return bool(accelerator.reduce(torch.tensor(float(wish), device=accelerator.device)) > 0)
