"""Whether a model can be trained the fast way: by what it is, and by trying it on a few tokens."""

import os
from collections.abc import Iterable
from typing import Any

import torch
from peft import PeftModel

from studio.training.fast import attention, batches
from studio.training.fast.head import add_scoring, token_scores

_TRIED = {
    "prompt_ids": [11, 12, 13, 14, 15, 16],
    "chosen_ids": [21, 22, 23, 24],
    "rejected_ids": [31, 32, 33],
}
_OTHER_CHOSEN = [71, 72, 73, 74]
_TRIED_AFTER = {"prompt_ids": [41, 42, 43], "chosen_ids": [51, 52], "rejected_ids": [61, 62, 63, 64]}

_OTHER_HEADS = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")
"""Settings of models that change the logits after the head."""


def make_fast(model: Any) -> str:
    """Prepare a model to be trained the fast way; return why it can't be, or nothing."""
    causal = model.get_base_model() if isinstance(model, PeftModel) else model
    reason = _by_what_it_is(causal)
    if reason:
        return reason
    before = causal.config._attn_implementation
    attention.use(causal)
    if not _is_equal(causal):
        causal.set_attn_implementation(before)
        return "this model lets rows that share a batch see each other"
    add_scoring(causal)
    return ""


def by_its_config(whole: Any) -> str:
    """Return why a model of this configuration can't be trained the fast way, or nothing."""
    config = whole.get_text_config()
    if set(getattr(config, "layer_types", None) or ["full_attention"]) != {"full_attention"}:
        return "this model has layers that attend otherwise"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return "this model sees no further back than a window"
    if hasattr(config, "output_router_logits"):
        return "this model is a mixture of experts"
    if any(getattr(config, name, None) not in (None, 1.0) for name in _OTHER_HEADS):
        return "this model changes its logits after the head"
    return ""


def _by_what_it_is(model: Any) -> str:
    head = model.get_output_embeddings()
    if os.environ.get("ACCELERATE_USE_FSDP") == "true" or os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":
        return "the model is spread over several devices"
    if getattr(model, "hf_device_map", None) and len(set(model.hf_device_map.values())) > 1:
        return "the model is spread over several devices"
    if type(head) is not torch.nn.Linear or head.bias is not None:
        return "this model's head is of another kind"
    if model.config._attn_implementation not in ("sdpa", attention.NAME) or not model._supports_sdpa:
        return "this model does not attend by torch's own attention"
    return by_its_config(model.config)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _is_equal(model: Any) -> bool:
    """Tell whether answers laid out behind each other score as they do alone, whatever the first of them says."""
    was_training = model.training
    model.eval()
    rows = (_TRIED, _TRIED_AFTER)
    try:
        together = _together(model, rows)
        after_another = _together(model, ({**_TRIED, "chosen_ids": _OTHER_CHOSEN}, _TRIED_AFTER))
        alone = torch.cat([_alone(model, row, side) for side in ("chosen", "rejected") for row in rows])
    except torch.OutOfMemoryError:
        raise
    except (TypeError, ValueError, RuntimeError, AttributeError):
        # Architectures differ in what they pass on to attention, and tell so in as many ways.
        return False
    finally:
        model.train(was_training)
    is_exact = all(weight.dtype == torch.float32 for weight in model.parameters())
    near = 1e-3 if is_exact else 0.25
    is_same = torch.allclose(together, alone, rtol=0.02, atol=near)
    # Rounding hides what little an answer sees of another, but not from sums of the same order.
    others = slice(len(_OTHER_CHOSEN), None)
    return bool(is_same and torch.allclose(together[others], after_another[others], rtol=0, atol=1e-4))


def _together(model: Any, rows: Iterable[dict[str, list[int]]]) -> torch.Tensor:
    """Return the scores of all chosen answers, then of all rejected ones, as one sequence."""
    given = batches.given(batches.pairs(list(rows)), model.device)
    places, wanted = given.pop("scored_from"), given.pop("scored_ids")
    own = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=model.device)
    hidden = model.base_model(**given, attention_mask=own, use_cache=False).last_hidden_state[0]
    return token_scores(hidden.index_select(0, places), model.get_output_embeddings(), wanted)


def _alone(model: Any, row: dict[str, list[int]], side: str) -> torch.Tensor:
    prompt, answer = row["prompt_ids"], row[f"{side}_ids"]
    logits = model(input_ids=torch.tensor([prompt + answer], device=model.device), use_cache=False).logits[0]
    scores = logits[len(prompt) - 1 : -1].float().log_softmax(dim=-1)
    return scores.gather(1, torch.tensor(answer, device=model.device).unsqueeze(1)).squeeze(1)
