"""Learning from answers that were called good or bad by themselves (KTO), over rows that are token ids already."""

from functools import partial
from typing import Any

from datasets import Dataset
from trl import KTOConfig, KTOTrainer

from studio.training.fast.reference import OnReference
from studio.training.methods import dropout
from studio.training.methods.processes import keep_reference
from studio.training.recipe import Recipe
from studio.training.rows.balance import weights
from studio.training.rows.telling import silently
from studio.training.trainer.steps import beforehand


class RenderedKTOTrainer(KTOTrainer):  # type: ignore[misc]
    """TRL's KTO over rows that are token ids already."""

    def __init__(self, *, on_reference: OnReference, **given: Any) -> None:
        self.on_reference = on_reference
        super().__init__(**given)

    def _prepare_dataset(self, dataset: Dataset, _processing: Any, args: KTOConfig, name: str) -> Dataset:
        size = args.per_device_train_batch_size if name == "train" else args.per_device_eval_batch_size
        return with_others_answers(dataset, size)

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        precompute = super()._precompute_ref_logps
        work_out = partial(precompute, name=name, batch_size=batch_size)
        return keep_reference(self, dataset, batch_size, work_out, self.on_reference)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log, with the margin between all good and all bad answers, where TRL knows that of single batches."""
        found = self._metrics["train" if self.model.training else "eval"]
        sides = [found[name] for name in ("rewards/chosen", "rewards/rejected") if found.get(name)]
        if len(sides) == 2:
            good, bad = (sum(side) / len(side) for side in sides)
            found["rewards/margins"] = [good - bad]
        super().log(logs, start_time)


def make(
    recipe: Recipe,
    common: dict[str, Any],
    arguments: dict[str, Any],
    *,
    with_reference: bool,
    on_reference: OnReference = silently,
) -> Any:
    """Return the trainer over rows with `prompt_ids`, `completion_ids` and `label`."""
    rows = common["train_dataset"]
    desirable, undesirable = weights(recipe, rows["label"])
    kto = {
        "beta": recipe.beta,
        "desirable_weight": desirable,
        "undesirable_weight": undesirable,
        "precompute_ref_log_probs": with_reference and beforehand(recipe, len(rows)),
        # The rows of a batch lend each other their answers, so batches are settled here: see with_others_answers.
        "train_sampling_strategy": "sequential",
    }
    config = KTOConfig(**{**arguments, **kto, "per_device_eval_batch_size": recipe.batch_size})
    shuffled = {**common, "train_dataset": rows.shuffle(seed=recipe.seed)}
    trainer = RenderedKTOTrainer(args=config, on_reference=on_reference, **shuffled)
    dropout.keep(trainer.model, recipe)
    return trainer


def with_others_answers(rows: Dataset, size: int) -> Dataset:
    """Give each row the answer of another in its batch, by which KTO measures how far the model has moved.

    The last batch may be of one row, which then has its own.
    """

    def rotate(batch: dict[str, Any]) -> dict[str, Any]:
        answers = batch["completion_ids"]
        return {"KL_completion_ids": answers[-1:] + answers[:-1]}

    return rows.map(rotate, batched=True, batch_size=size)
