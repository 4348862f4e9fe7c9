"""Learning from pairs which answer is better (DPO and its kin), over rows that are token ids already."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from datasets import Dataset
from transformers.integrations.liger import apply_liger_kernel
from trl import DPOConfig, DPOTrainer
from trl.trainer.utils import FusedCausalLMOutput

from studio.training.fast import arguments as fast_arguments
from studio.training.fast import batches, lora, reference
from studio.training.fast.able import make_fast
from studio.training.fast.reference import OnReference
from studio.training.methods import dropout
from studio.training.methods.processes import keep_reference
from studio.training.recipe import EXPERIMENTAL_LOSSES, Recipe
from studio.training.rows.telling import silently
from studio.training.trainer.steps import beforehand

_NOT_COMPUTED = ("entropy", "mean_token_accuracy", "logits/chosen", "logits/rejected")


class RenderedDPOTrainer(DPOTrainer):  # type: ignore[misc]
    """TRL's DPO over rows that are token ids already, also with the losses that need no reference."""

    def __init__(self, recipe: Recipe, *, with_reference: bool, on_reference: OnReference, **given: Any) -> None:
        self.recipe, self.on_reference = recipe, on_reference
        self.is_held_against_reference = recipe.loss not in EXPERIMENTAL_LOSSES
        self.with_reference = with_reference and self.is_held_against_reference
        super().__init__(**given)
        dropout.keep(self.model, recipe)
        if self.args.use_liger_kernel:
            # Training would begin with it, and the reference, which comes before, would be computed otherwise.
            apply_liger_kernel(self.model, self.args.liger_kernel_config)
        if not self.is_held_against_reference:
            self.precompute_ref_logps = True

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        if not self.with_reference:
            return dataset
        precompute = super()._precompute_ref_logps
        work_out = partial(precompute, name=name, batch_size=batch_size)
        return keep_reference(self, dataset, batch_size, work_out, self.on_reference)

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        if self.is_held_against_reference:
            return super()._compute_loss(model, inputs, return_outputs)
        kept: list[torch.Tensor] = []

        def seen(**given: Any) -> Any:
            found = model(**given)
            kept.append(found.log_probs)
            return found

        counted = inputs["completion_mask"][:, 1:]
        none = torch.zeros(len(counted) // 2, device=counted.device)
        # TRL's rewards and scores are those against a reference that finds everything equally likely.
        super()._compute_loss(seen, {**inputs, "ref_chosen_logps": none, "ref_rejected_logps": none}, return_outputs)
        self._say_ranking(*answer_scores(self.recipe, kept[0].detach(), counted))
        return without_reference(self.recipe, kept[0], counted)

    def _say_ranking(self, chosen: torch.Tensor, rejected: torch.Tensor) -> None:
        """Report by what the loss ranks, in the place of sums, which rank by length."""
        chosen, rejected = (self.accelerator.gather(self.recipe.beta * scores) for scores in (chosen, rejected))
        found = {
            "chosen": chosen,
            "rejected": rejected,
            "accuracies": (chosen > rejected).float(),
            "margins": chosen - rejected,
        }
        told = self._metrics["train" if self.model.training else "eval"]
        for name, values in found.items():
            told[f"rewards/{name}"][-1] = values.mean().item()


class FastDPOTrainer(RenderedDPOTrainer):
    """TRL's DPO where a pair's answers share their prompt, and nothing is padded or computed for show."""

    def __init__(self, recipe: Recipe, *, with_reference: bool, **given: Any) -> None:
        self.is_ready = False
        super().__init__(recipe, with_reference=with_reference, **given)
        lora.quicken(self.model)
        self.is_ready = self.precompute_ref_logps = True
        whole = beforehand(recipe, len(given["train_dataset"]))
        self.train_dataset: Any = self._with_reference(given["train_dataset"], only_known=not whole)
        if given["eval_dataset"] is not None:
            self.eval_dataset: Any = self._precompute_ref_logps(given["eval_dataset"])

    def _precompute_ref_logps(self, dataset: Dataset, *_: Any) -> Dataset:
        return self._with_reference(dataset, only_known=False) if self.is_ready else dataset

    def _with_reference(self, dataset: Dataset, *, only_known: bool) -> Dataset:
        if not self.with_reference:
            return dataset
        return reference.with_scores(self, dataset, self.on_reference, only_known=only_known)

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        mode = "train" if self.model.training else "eval"
        answers = Answers(inputs["answer_lengths"])
        if self.with_reference and "ref_chosen_logps" not in inputs:
            inputs = {**inputs, **reference.scores_of(self, inputs)}

        def scores(**_: Any) -> Any:
            found = answers.spread(model(**batches.given(inputs)))
            none = torch.zeros_like(found)
            return FusedCausalLMOutput(log_probs=found, entropy=none, mean_logits=none, is_top1=none.bool())

        laid_out = {name: value for name, value in inputs.items() if name.startswith("ref_")}
        laid_out |= {
            "input_ids": answers.completion_mask,
            "completion_mask": answers.completion_mask,
            "attention_mask": torch.ones_like(inputs["input_ids"]),
        }
        loss = super()._compute_loss(scores, laid_out, False)
        for name in _NOT_COMPUTED:
            self._metrics[mode].pop(name, None)
        return (loss, None) if return_outputs else loss


class Answers:
    """The chosen answers of a batch and then the rejected, a row each: how scores in one line belong to them."""

    def __init__(self, lengths: torch.Tensor) -> None:
        longest = int(lengths.max())
        places = torch.arange(longest + 1, device=lengths.device)
        # TRL leaves out the first place of a row, which nothing precedes.
        self.completion_mask = ((places > 0) & (places <= lengths.unsqueeze(1))).long()

    def spread(self, scores: torch.Tensor) -> torch.Tensor:
        """Put scores in their rows and nothing elsewhere."""
        mask = self.completion_mask[:, 1:].bool()
        return scores.new_zeros(mask.shape).masked_scatter(mask, scores)


def answer_scores(recipe: Recipe, scores: torch.Tensor, counted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what simpo, orpo or cpo compare: the chosen answers' mean score of a token, or cpo's sum, and the others'.

    Args:
        recipe: which loss.
        scores: of each answer's tokens, the chosen answers first; 0 where there is none.
        counted: which of them there are.
    """
    sums = scores.sum(dim=1)
    chosen, rejected = (sums if recipe.loss == "cpo" else sums / counted.sum(dim=1).clamp(min=1)).chunk(2)
    return chosen, rejected


def without_reference(recipe: Recipe, scores: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return the loss of simpo, orpo or cpo by TRL's own formulas, of the scores of the answers' tokens."""
    chosen, rejected = answer_scores(recipe, scores, counted)
    half = len(chosen)
    likelihood = -scores[:half].sum() / counted[:half].sum().clamp(min=1)
    known = SimpleNamespace(accelerator=SimpleNamespace(device=scores.device), beta=recipe.beta)
    if recipe.loss == "orpo":
        from trl.experimental.orpo import ORPOTrainer

        odds: torch.Tensor = ORPOTrainer.odds_ratio_loss(known, chosen, rejected)[0]
        return likelihood - odds.mean()
    from trl.experimental.cpo import CPOTrainer

    known.alpha, known.simpo_gamma, known.label_smoothing = 0.0, recipe.simpo_gamma, recipe.label_smoothing
    known.loss_type = "simpo" if recipe.loss == "simpo" else "sigmoid"
    losses: torch.Tensor = CPOTrainer.cpo_loss(known, chosen, rejected)[0]
    # As TRL has it by default, and as the papers do; simpo mixed with SFT is TRL's CPO-SimPO.
    return losses.mean() + (1.0 if recipe.loss == "cpo" else recipe.sft_weight) * likelihood


def make(
    recipe: Recipe,
    common: dict[str, Any],
    arguments: dict[str, Any],
    *,
    with_reference: bool,
    on_reference: OnReference = silently,
) -> Any:
    """Return the trainer over rows with `prompt_ids`, `chosen_ids` and `rejected_ids`."""
    named = {"recipe": recipe, "with_reference": with_reference, "on_reference": on_reference, **common}
    # Else TRL loads the model once more to refer to, where no adapter can be switched off.
    kept = recipe.tuning == "full"
    if recipe.fast:
        reason = make_fast(common["model"])
        if not reason:
            settings = _settings(recipe, fast_arguments.fitting(recipe, arguments), precomputed=kept)
            return FastDPOTrainer(args=settings, data_collator=batches.pairs, **named)
        fast_arguments.say(reason)
    is_needed = with_reference and recipe.loss not in EXPERIMENTAL_LOSSES
    whole = kept or (is_needed and beforehand(recipe, len(common["train_dataset"])))
    settings = _settings(recipe, fast_arguments.plain(recipe, arguments), precomputed=whole)
    return RenderedDPOTrainer(args=settings, **named)


def _settings(recipe: Recipe, arguments: dict[str, Any], *, precomputed: bool) -> DPOConfig:
    losses, weights = ["sigmoid"], [1.0]
    if recipe.loss not in EXPERIMENTAL_LOSSES:
        losses = [recipe.loss]
        if recipe.sft_weight:
            losses, weights = [recipe.loss, "sft"], [1.0, recipe.sft_weight]
    return DPOConfig(
        **arguments,
        beta=recipe.beta,
        loss_type=losses,
        loss_weights=weights,
        label_smoothing=recipe.label_smoothing,
        precompute_ref_log_probs=precomputed,
    )
