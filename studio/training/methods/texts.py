"""Learning whole texts (SFT and distillation) with TRL's SFT trainer, over rows that are token ids already."""

from typing import Any

import torch
from trl import SFTConfig, SFTTrainer
from trl.trainer.utils import FusedCausalLMOutput

from studio.errors import StudioError
from studio.training.fast import arguments as fast_arguments
from studio.training.fast import batches, lora
from studio.training.fast.able import make_fast
from studio.training.recipe import Recipe

_NOT_COMPUTED = ("entropy", "mean_token_accuracy")


class TextTrainer(SFTTrainer):  # type: ignore[misc]
    """TRL's SFT, whose held-out loss is the mean over all learnt tokens, however they lie in batches.

    TRL takes the mean over the batches' means, so that one model measures differently with another batch size.
    """

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> Any:
        """Measure as TRL does, then put the mean over the tokens of all processes in the loss's place."""
        self._of_tokens = torch.zeros(2, dtype=torch.float64, device=self.args.device)
        found = super().evaluation_loop(dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix)
        loss, tokens = self.accelerator.reduce(self._of_tokens, "sum").tolist()
        if tokens:
            found.metrics[f"{metric_key_prefix}_loss"] = loss / tokens
        return found

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> Any:
        """Add up a batch's loss by its tokens."""
        found = super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        tokens = (inputs["labels"][..., 1:] != batches.NOT_LEARNT).sum().to(self.args.device)
        self._of_tokens += torch.stack([found[0].detach() * tokens, tokens])
        return found


class FastSFTTrainer(TextTrainer):
    """TRL's SFT over rows that lie behind each other, with the learnt tokens' scores alone."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Let TRL make the loss from scores that are computed the fast way."""
        mode = "train" if self.model.training else "eval"

        def scores(**_: Any) -> Any:
            found = model(**batches.given(inputs)).unsqueeze(0)
            none = torch.zeros_like(found)
            learnt = torch.ones_like(found, dtype=torch.bool)
            return FusedCausalLMOutput(log_probs=found, entropy=none, is_top1=none.bool(), label_mask=learnt)

        loss = super().compute_loss(scores, dict(inputs), num_items_in_batch=num_items_in_batch)
        for name in _NOT_COMPUTED:
            self._metrics[mode].pop(name, None)
        return (loss, None) if return_outputs else loss


def make(recipe: Recipe, common: dict[str, Any], arguments: dict[str, Any]) -> Any:
    """Return the trainer over rows with `input_ids` and `labels`; packed rows have `seq_lengths` too."""
    prepared = {"dataset_kwargs": {"skip_prepare_dataset": True}}
    arguments = arguments | {"per_device_eval_batch_size": recipe.batch_size}
    if recipe.fast:
        reason = make_fast(common["model"])
        if not reason:
            settings = SFTConfig(**fast_arguments.fitting(recipe, arguments), **prepared)
            trainer = FastSFTTrainer(args=settings, data_collator=batches.texts, **common)
            lora.quicken(trainer.model)
            return trainer
        fast_arguments.say(reason)
    arguments = fast_arguments.plain(recipe, arguments)
    if not recipe.packing:
        return TextTrainer(args=SFTConfig(**arguments), **common)
    # The rows are packed already, since the number of steps hangs on how many they become.
    trainer = TextTrainer(args=SFTConfig(**arguments, **prepared, packing=True, eval_packing=False), **common)
    _refuse_leak(trainer)
    return trainer


def _refuse_leak(trainer: Any) -> None:
    """Raise a StudioError where the model lets an example see another that is packed before it."""
    model, tail = trainer.model, [1, 2, 3, 4]
    was_training = model.training
    model.eval()
    ends = []
    with torch.no_grad():
        for head in ([5] * 4, [6] * 4):
            packed = {"input_ids": head + tail, "labels": head + tail, "seq_lengths": [len(head), len(tail)]}
            batch = {name: _to(value, model.device) for name, value in trainer.data_collator([packed]).items()}
            ends.append(model(**batch).logits[0, len(head) :])
    model.train(was_training)
    if not torch.allclose(*ends, rtol=1e-3, atol=1e-3):
        raise StudioError("This model lets packed examples see each other.", "Train it with packing=false.")


def _to(value: Any, device: Any) -> Any:
    return value.to(device) if isinstance(value, torch.Tensor) else value
