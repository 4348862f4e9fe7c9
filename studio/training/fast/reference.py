"""What the model that a run starts from thinks of each pair: worked out once, and kept for the runs that follow."""

import hashlib
import math
import struct
import time
from array import array
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object  # type: ignore[import-untyped]
from datasets import Dataset
from peft import PeftModel
from trl.trainer.utils import use_adapter

from studio.errors import StudioError
from studio.models import model_hash, resolve
from studio.training.course.agreeing import of_main
from studio.training.fast import batches, cache
from studio.training.rows.telling import silently, told

FORM = 1
"""Raised when scores are worked out otherwise than before."""

_COLUMNS = ("prompt_ids", "chosen_ids", "rejected_ids")
_ENTRY = struct.Struct("<16sdd")

Scores = dict[bytes, tuple[float, float]]
"""Of each pair's tokens: how likely is the chosen answer, and how likely the rejected one."""


OnReference = Callable[[int, int], None]
"""Told of how many pairs scores are known, of those that had to be worked out."""

KEEP_SECONDS = 30.0
"""How much work is lost at most where a run is stopped meanwhile."""


def with_scores(
    trainer: Any, rows: Dataset, on_reference: OnReference = silently, *, only_known: bool = False
) -> Dataset:
    """Return a data set with the columns that TRL reads the reference's log-probabilities from.

    Args:
        trainer: whose model is the reference before it learns.
        rows: the pairs.
        on_reference: told how far it is.
        only_known: return the pairs as they are where not all scores are kept from before.
    """
    keys, lengths = [], []
    for row in rows:
        keys.append(_key(row))
        lengths.append(len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"]))
    known = _known(trainer)
    scores = known.read() if known else {}
    # All processes have to agree on what is missing, also where one of them kept more in the meantime.
    missing = of_main([place for place, key in enumerate(keys) if key not in scores])
    if missing and only_known:
        return rows
    if missing:
        longest_first = sorted(missing, key=lambda place: -lengths[place])
        keeper = known if trainer.accelerator.is_main_process else None
        scores |= _work_out(trainer, rows, keys, longest_first, keeper, on_reference)
    scores = of_main({key: scores[key] for key in keys if key in scores})
    chosen, rejected = zip(*(scores[key] for key in keys), strict=True)
    return rows.add_column("ref_chosen_logps", list(chosen)).add_column("ref_rejected_logps", list(rejected))


def _work_out(
    trainer: Any, rows: Dataset, keys: list[bytes], missing: list[int], known: "Known | None", on_reference: OnReference
) -> Scores:
    """Score what is missing, a batch of each process at a time, and keep it now and then."""
    made: Scores = {}
    kept_at = time.monotonic()
    together = trainer.args.per_device_train_batch_size * trainer.accelerator.num_processes
    on_reference(0, len(missing))
    batches_of_all = [missing[start : start + together] for start in range(0, len(missing), together)]
    for few in told(batches_of_all, lambda done: on_reference(done * together, len(missing))):
        found = _compute(trainer, rows, few)
        made |= {keys[place]: pair for place, pair in found.items()}
        if known and time.monotonic() - kept_at > KEEP_SECONDS:
            known.add(made)
            kept_at = time.monotonic()
    if known:
        known.add(made)
    return made


@torch.no_grad()  # type: ignore[untyped-decorator]
def scores_of(trainer: Any, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return the same of one batch, in the midst of training."""
    model = trainer.model
    was_training = model.training
    model.eval()
    with _start(trainer), trainer.accelerator.autocast():
        chosen, rejected = _sums(model, batch)
    model.train(was_training)
    device = batch["input_ids"].device
    columns = {"ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
    return {name: torch.tensor(sums, dtype=torch.float32, device=device) for name, sums in columns.items()}


class Known:
    """The scores that were kept for a model."""

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self) -> Scores:
        """Return all of them."""
        content = cache.read("references", self.name) or b""
        return {key: (chosen, rejected) for key, chosen, rejected in _ENTRY.iter_unpack(content)}

    def add(self, scores: Scores) -> None:
        """Keep more, but for what is no number."""
        both = self.read() | {key: pair for key, pair in scores.items() if all(map(math.isfinite, pair))}
        cache.write("references", self.name, b"".join(_ENTRY.pack(key, *pair) for key, pair in both.items()))


def _known(trainer: Any) -> Known | None:
    """Return what is kept for the model as it is before training; None where it can't be named."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    base = model.get_base_model() if isinstance(model, PeftModel) else model
    path = Path(getattr(base.config, "_name_or_path", "") or " ")
    try:
        digest = hashlib.sha256(model_hash(resolve(str(path))).encode())
    except (StudioError, OSError):
        return None
    if isinstance(model, PeftModel) and "ref" in model.peft_config:
        digest.update(_adapter_digest(model))
    quantised = getattr(base.config, "quantization_config", None)
    kernels = trainer.args.use_liger_kernel
    facts = (FORM, str(base.dtype), base.device.type, trainer.args.bf16, str(quantised), kernels)
    digest.update(repr(facts).encode())
    return Known(digest.hexdigest()[:32])


def _adapter_digest(model: Any) -> bytes:
    digest = hashlib.sha256(repr(sorted(model.peft_config["ref"].to_dict().items(), key=str)).encode())
    for name, weight in sorted(model.named_parameters()):
        if ".ref." in name:
            digest.update(name.encode())
            digest.update(weight.detach().float().cpu().numpy().tobytes())
    return digest.digest()


def _key(row: dict[str, Any]) -> bytes:
    """Return what a pair is known by: its tokens, and which of them belong to what."""
    parts = [row[name] for name in _COLUMNS]
    tokens = array("i", [number for part in parts for number in (len(part), *part)])
    return hashlib.sha256(tokens.tobytes()).digest()[:16]


@torch.no_grad()  # type: ignore[untyped-decorator]
def _compute(trainer: Any, rows: Dataset, places: list[int]) -> dict[int, tuple[float, float]]:
    """Score the pairs at some places, each process its share of them in one batch."""
    accelerator, model = trainer.accelerator, trainer.model
    mine = places[accelerator.process_index :: accelerator.num_processes]
    found: list[tuple[int, float, float]] = []
    was_training = model.training
    model.eval()
    # Training computes under autocast where weights are of another format; what is told apart has to be alike.
    with _start(trainer), accelerator.autocast():
        if mine:
            batch = batches.pairs([rows[place] for place in mine])
            found += zip(mine, *_sums(model, batch), strict=True)
    model.train(was_training)
    gathered = gather_object(found) if accelerator.num_processes > 1 else found
    return {place: (chosen, rejected) for place, chosen, rejected in gathered}


def _start(trainer: Any) -> Any:
    """Return a state in which the model is the one that the run starts from."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not isinstance(model, PeftModel):
        return nullcontext()
    return use_adapter(model, "ref" if "ref" in model.peft_config else None)


def _sums(model: Any, batch: dict[str, Any]) -> tuple[list[float], list[float]]:
    lengths = batch["answer_lengths"].tolist()
    scores = model(**batches.given(batch, model.device)).float().cpu()
    sums = [float(part.double().sum()) for part in scores.split(lengths)]
    half = len(lengths) // 2
    return sums[:half], sums[half:]
