"""The whole model as a Hugging Face folder, made in a process of its own: it needs torch, and memory for all of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

from studio.errors import StudioError
from studio.models import BaseModel, prepare
from studio.own_process import run_apart
from studio.training.base.merged import AS_STORED, complete
from studio.training.folder import RunFolder

Say = Callable[[str], None]


def whole_model(folder: RunFolder, base: BaseModel, out: Path, say: Say) -> None:
    """Make the folder of a run's whole model, if it is not there: an adapter worked in, the tokenizer beside it.

    Raises:
        StudioError: it can't be made.
    """
    if out.is_dir():
        return
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    if folder.model.is_dir():
        say("copying the model")
        shutil.copytree(folder.model, part, copy_function=shutil.copyfile)
    else:
        prepare(base, "weights", on_progress=say)
        say("working the adapter into the weights")
        # What comes from a GGUF was widened to 32 bits, which hold no more than 16 did.
        dtype = AS_STORED if base.kind == "hf" else "float16"
        why = run_apart("studio.training.base.merged", str(base.folder), str(folder.adapter), str(part), dtype)
        if why:
            raise StudioError(
                f"The adapter can't be worked into the weights: {why}.", "It takes the memory of a model."
            )
    complete(part, folder.tokenizer.iterdir(), base.folder)
    # The template that trained, whatever the model brought.
    shutil.copyfile(folder.chat_template, part / folder.chat_template.name)
    part.rename(out)
