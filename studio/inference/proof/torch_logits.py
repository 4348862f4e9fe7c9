"""The process that asks torch: `python -m studio.inference.proof.torch_logits`, the question as JSON on standard input.

For each sequence N of token ids it writes `N.npy`: what the model says after each token but the last, as float32.
"""

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True)
class Question:
    """What is asked of which model."""

    weights: str
    """The Hugging Face folder."""
    adapter: str | None
    """PEFT's folder of an adapter, as it was trained."""
    sequences: list[list[int]]
    out: str

    def as_json(self) -> bytes:
        """Return it as it is sent."""
        return orjson.dumps(asdict(self))


def main() -> None:
    """Answer the question."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    question = Question(**orjson.loads(sys.stdin.buffer.read()))
    model = _load(question)
    for number, ids in enumerate(question.sequences):
        _write(model, ids, Path(question.out) / f"{number}.npy")


def _load(question: Question) -> Any:
    """Return the model in full precision: what it was trained in may be coarser than the GGUF that is compared."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(question.weights, dtype=torch.float32)
    if question.adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, question.adapter)
    return model.eval()


def _write(model: Any, ids: list[int], path: Path) -> None:
    import numpy as np
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([ids[:-1]]), use_cache=False).logits[0]
    np.save(path, logits.float().numpy())


if __name__ == "__main__":
    main()
