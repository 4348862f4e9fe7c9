"""Learning by trying (GRPO): several answers to a prompt are rewarded by the project's checks and compared."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import orjson
from trl import GRPOConfig, GRPOTrainer

from studio.checks.run import score
from studio.checks.settings import Check, read_checks
from studio.rendering import ChatTokenizer
from studio.training.faults.memory import is_out_of_memory
from studio.training.folder import RunFolder
from studio.training.recipe import Recipe
from studio.training.trainer.steps import even_batch

ANSWERED_TOGETHER = 8
"""Held-out prompts that are answered at once, where they can be parted evenly."""


class RenderedGRPOTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's GRPO over prompts that are token ids already; the held-out prompts are answered without chance."""

    generation_config: Any
    _at_once: int | None = None
    """How many prompts are answered at once, since memory ran out over more; None while it never did."""

    def _tokenize_prompts(self, prompts: list[list[int]]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return prompts, None, {}

    def _generate_single_turn(self, prompts: list[list[int]], *arguments: Any, **named: Any) -> Any:
        if self.model.training:
            return self._in_parts(prompts, *arguments, **named)
        sampled, self.generation_config = self.generation_config, self._greedy
        try:
            return self._in_parts(prompts, *arguments, **named)
        finally:
            self.generation_config = sampled

    def _in_parts(self, prompts: list[list[int]], *arguments: Any, **named: Any) -> Any:
        """Answer all prompts of a step at once, as TRL does, or as many as memory is there for."""
        answers: list[list[int]] = []
        while len(answers) < len(prompts):
            size = self._at_once or len(prompts)
            part = prompts[len(answers) : len(answers) + size]
            try:
                found, _ = super()._generate_single_turn(part, *arguments, **named)
            except (RuntimeError, MemoryError) as error:
                # Where the processes share out the weights, all of them have to answer equally often.
                together = self.is_fsdp_enabled or self.is_deepspeed_enabled
                if together or len(part) == 1 or not is_out_of_memory(error):
                    raise
                self._at_once = (len(part) + 1) // 2
            else:
                answers += found
        return answers, None

    @property
    def _greedy(self) -> Any:
        greedy = copy(self.generation_config)
        greedy.do_sample = False
        greedy.temperature = greedy.top_p = greedy.top_k = None
        return greedy


def make(recipe: Recipe, common: dict[str, Any], arguments: dict[str, Any], folder: RunFolder) -> Any:
    """Return the trainer over rows with `prompt_ids` and `fields`, which the run's checks refer to."""
    checks = read_checks(folder.checks)
    held_out = len(common["eval_dataset"])
    # Where an answer ends is what the template ends it with, whatever the model's own files say.
    common["model"].generation_config.eos_token_id = sorted(ChatTokenizer.load(folder.tokenizer).eos_ids)
    grpo = {
        "beta": recipe.beta,
        "num_generations": recipe.generations,
        "num_generations_eval": 1,
        "per_device_eval_batch_size": even_batch(held_out, max(recipe.batch_size, ANSWERED_TOGETHER)),
        "max_completion_length": recipe.completion_length,
        "temperature": recipe.temperature,
        "reward_weights": [check.weight for check in checks],
    }
    rows = {name: common[name].rename_column("prompt_ids", "prompt") for name in ("train_dataset", "eval_dataset")}
    rewards = [reward_of(check) for check in checks]
    all_arguments = {name: value for name, value in {**arguments, **grpo}.items() if name != "max_length"}
    return RenderedGRPOTrainer(reward_funcs=rewards, args=GRPOConfig(**all_arguments), **{**common, **rows})


def reward_of(check: Check) -> Callable[..., list[float]]:
    """Return a check as TRL calls it, under the name that its metrics have."""

    def reward(*, completions: Sequence[str], fields: Sequence[str], **_: Any) -> list[float]:
        return [score(check, reply, orjson.loads(known)) for reply, known in zip(completions, fields, strict=True)]

    reward.__name__ = check.name
    return reward
