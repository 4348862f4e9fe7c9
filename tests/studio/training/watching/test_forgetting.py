"""The loss on general text, before and after."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.rendering import ChatTokenizer
from studio.training.trainer.hardware import Hardware
from studio.training.watching import forgetting

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

HERE = Hardware("cpu", torch.float32, "processor")


def test_the_text_is_varied_and_cut_into_passages(tokenizer: ChatTokenizer) -> None:
    texts = forgetting.texts()
    assert sum(len(text.split()) for text in texts) >= 2_000
    assert len(texts) >= 8
    passages = forgetting.passages(tokenizer)
    assert max(map(len, passages)) <= forgetting.PASSAGE_TOKENS + 1
    text = "".join(tokenizer.decode(ids) for ids in passages)
    for word in ("Wasser siedet", "baguette", "abuela", "def moving_average", "155 minutes", "Lentil soup"):
        assert word in text


def test_the_loss_is_that_of_every_token(tiny_model: Path, tokenizer: ChatTokenizer) -> None:
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model).train()
    found = forgetting.measure(model, tokenizer, HERE)
    assert model.training, "it goes on as it was"
    assert found == pytest.approx(math.log(49152), abs=0.5), "random weights know nothing"
    total = tokens = 0.0
    with torch.no_grad():
        for ids in forgetting.passages(tokenizer):
            batch = torch.tensor([ids])
            total += float(model.eval()(input_ids=batch, labels=batch).loss) * (len(ids) - 1)
            tokens += len(ids) - 1
    assert found == pytest.approx(total / tokens, rel=1e-5)


def test_a_clear_rise_is_warned_of() -> None:
    assert forgetting.facts(3.0, 3.1) == {"general_loss_before": 3.0, "general_loss_after": 3.1}
    assert "rose by 10%" in forgetting.facts(3.0, 3.3)["general_warning"]
    assert "general_warning" not in forgetting.facts(3.0, 2.0)
