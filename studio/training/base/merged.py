"""An adapter worked into its base's weights: `python -m studio.training.base.merged BASE ADAPTER OUT DTYPE`."""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

AS_STORED = "auto"
"""The precision of the base's own folder."""

PIECES = "tokenizer.model"
"""The vocabulary of SentencePiece, which transformers does not save and others read."""

LARGEST_HALF = 65504.0


def merge(base: Path, adapter: Path, out: Path, wanted: str) -> None:
    """Add an adapter to the weights in 32 bits, and save them in the wanted precision; imports torch.

    Where numbers are too large for float16, bfloat16 takes its place.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    # Whatever reads a folder, nothing is fetched.
    stored = AutoModelForCausalLM.from_pretrained(str(base), dtype="auto", local_files_only=True)
    dtype = stored.dtype if wanted == AS_STORED else getattr(torch, wanted)
    model = PeftModel.from_pretrained(stored.float(), str(adapter)).merge_and_unload()
    if dtype == torch.float16 and max(float(weight.abs().max()) for weight in model.parameters()) > LARGEST_HALF:
        dtype = torch.bfloat16
    model.to(dtype).save_pretrained(out)


def complete(model: Path, tokenizer: Iterable[Path], base: Path) -> None:
    """Put beside a model's weights what it lacks of these files, and the vocabulary of its base."""
    for file in (*tokenizer, base / PIECES):
        if file.is_file() and not (model / file.name).exists():
            shutil.copyfile(file, model / file.name)


def main() -> None:
    """Merge what the command line names."""
    base, adapter, out, wanted = sys.argv[1:5]
    merge(Path(base), Path(adapter), Path(out), wanted)


if __name__ == "__main__":
    main()
