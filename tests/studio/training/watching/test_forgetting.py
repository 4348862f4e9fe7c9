"""The loss on general text, before and after."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from store.database import Store
from studio.project import Project
from studio.rendering import ChatTokenizer
from studio.training.trainer.hardware import Hardware
from studio.training.watching import forgetting
from tests.studio.training.going import go, write_run

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


@pytest.mark.parametrize("overrides", [[], ["use_dora=true"]], ids=["lora", "dora"])
def test_a_run_measures_before_and_after(
    judged: Project, store: Store, tiny_model: Path, tokenizer: ChatTokenizer, overrides: list[str]
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    quick = ("general_text=true", "max_steps=2", "learning_rate=0.02", "evaluations=1", "keep_best=false")
    folder = write_run(judged, store, "dpo", tiny_model, *quick, *overrides)
    found = go(folder).status.result
    assert found is not None
    assert found["general_loss_before"] == pytest.approx(math.log(49152), abs=0.5)
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), folder.adapter)
    assert found["general_loss_after"] == pytest.approx(forgetting.measure(tuned, tokenizer, HERE), abs=2e-4)
    assert found["general_loss_after"] != found["general_loss_before"]


def test_a_measure_that_fails_costs_no_run(
    judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[float] = []

    def measure(*_: Any) -> float:
        calls.append(3.0)
        if len(calls) == 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return calls[0]

    monkeypatch.setattr(forgetting, "measure", measure)
    folder = write_run(judged, store, "dpo", tiny_model, "general_text=true", "max_steps=1", "evaluations=1")
    found = go(folder).status.result
    assert found is not None
    assert found["general_loss_before"] == 3.0
    assert "general_loss_after" not in found
    assert (folder.adapter / "adapter_model.safetensors").is_file()
    assert "general text is not measured: RuntimeError: CUDA out of memory" in capsys.readouterr().out
