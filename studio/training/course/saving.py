"""What a run leaves behind: the trained weights, as PEFT or transformers load them and as llama.cpp does."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.inference.gguf import adapter_to_gguf, model_to_gguf
from studio.inference.gguf.of_run import metadata_of
from studio.models import base_gguf
from studio.training.course.ready import Ready
from studio.training.folder import RunFolder

if TYPE_CHECKING:
    import numpy as np


def save(trainer: Any, ready: Ready) -> None:
    """Save the adapter or the whole model, in both forms; of several processes all take part, the main one writes."""
    is_shared_out = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped) if is_shared_out else None
    if not trainer.is_world_process_zero():
        return
    model = trainer.accelerator.unwrap_model(trainer.model)
    recipe, folder = ready.recipe, ready.folder
    if recipe.tuning == "full":
        model.save_pretrained(folder.model, state_dict=weights)
        _add_tokenizer(folder)
    else:
        model.save_pretrained(folder.adapter, selected_adapters=["default"], state_dict=weights)
    gguf = base_gguf(ready.base)
    if gguf is None or recipe.method == "reward":
        return  # it could not be converted; llama.cpp has no use for a model that scores
    try:
        if recipe.tuning == "full":
            _write_model(weights or model.state_dict(), ready, gguf)
        elif recipe.use_dora and recipe.quantisation == "none":
            # llama.cpp knows no DoRA, so what it changes is worked into the weights.
            _write_model(model.merge_and_unload().state_dict(), ready, gguf)
        elif not recipe.use_dora:
            adapter_to_gguf(folder.adapter, gguf, folder.adapter_gguf, metadata_of(folder, ready.base))
    except StudioError as error:
        # What was trained is saved; how llama.cpp can run it is found out at its first use.
        sys.stdout.write(f"not written for llama.cpp yet: {error}\n")


def _write_model(state: Mapping[str, Any], ready: Ready, gguf: Path) -> None:

    def read(name: str) -> "np.ndarray[Any, np.dtype[Any]]":
        values: np.ndarray[Any, np.dtype[Any]] = state[name].detach().float().cpu().numpy()
        return values

    model_to_gguf(state, read, gguf, ready.folder.model_gguf, metadata_of(ready.folder, ready.base))


def _add_tokenizer(folder: RunFolder) -> None:
    """Put the tokenizer and the chat template beside the weights, so that the folder is a model of its own."""
    for file in folder.tokenizer.iterdir():
        shutil.copyfile(file, folder.model / file.name)
