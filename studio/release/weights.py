"""The whole model as a Hugging Face folder: `python -m studio.release.weights BASE ADAPTER OUT DTYPE`.

It is made in a process of its own, since it needs torch and the memory of a whole model.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from studio.errors import StudioError
from studio.models import BaseModel, prepare
from studio.training.folder import RunFolder

Say = Callable[[str], None]

AS_STORED = "auto"
"""The precision of the base's own folder."""

LARGEST_HALF = 65504.0


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
        _merge(base.folder, folder.adapter, part, AS_STORED if base.kind == "hf" else "float16")
    for source in (folder.tokenizer, base.folder):
        names = [path.name for path in source.iterdir()] if source == folder.tokenizer else ["tokenizer.model"]
        for name in names:
            if (source / name).is_file() and not (part / name).exists():
                shutil.copyfile(source / name, part / name)
    # The template that trained, whatever the model brought.
    shutil.copyfile(folder.chat_template, part / folder.chat_template.name)
    part.rename(out)


def _merge(base: Path, adapter: Path, out: Path, dtype: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "studio.release.weights", str(base), str(adapter), str(out), dtype],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1].rstrip(".")
        raise StudioError(f"The adapter can't be worked into the weights: {said}.", "It takes the memory of the model.")


def main() -> None:
    """Add the adapter to the weights in 32 bits, and save them in the wanted precision."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base, adapter, out, wanted = sys.argv[1:5]
    # Whatever reads a folder, nothing is fetched.
    stored = AutoModelForCausalLM.from_pretrained(base, dtype="auto", local_files_only=True)
    dtype = stored.dtype if wanted == AS_STORED else getattr(torch, wanted)
    model = PeftModel.from_pretrained(stored.float(), adapter).merge_and_unload()
    if dtype == torch.float16 and max(float(weight.abs().max()) for weight in model.parameters()) > LARGEST_HALF:
        dtype = torch.bfloat16
    model.to(dtype).save_pretrained(out)


if __name__ == "__main__":
    main()
