"""A training that is watched: what it logs, what it answers, and what stays behind."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.rendering import ChatTokenizer
from studio.training import watching
from studio.training.course.report import Reporter, ReportingCallback
from studio.training.folder import RunFolder
from studio.training.recipe import Recipe, make_recipe
from studio.training.trainer.hardware import Hardware
from studio.training.watching import samples
from studio.training.watching.samples import Sample, choose

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

HERE = Hardware("cpu", torch.float32, "processor")
RECIPE = ["samples=2", "sample_tokens=4", "device=cpu", "dtype=fp32"]


def held_out(count: int) -> list[dict[str, Any]]:
    return [
        {"example": number, "prompt": [{"role": "user", "content": f"Where is order {number}?" + " Please." * number}]}
        for number in range(count)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    found = RunFolder(tmp_path)
    found.data.mkdir()
    (found.data / "validation.jsonl").write_text("\n".join(json.dumps(row) for row in held_out(6)))
    return found


def watched(folder: RunFolder, recipe: Recipe, tokenizer: ChatTokenizer, model_folder: Path) -> Any:
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

    rows = Dataset.from_list([{"input_ids": [n, 5, 6, 7], "labels": [n, 5, 6, 7]} for n in range(8)])
    arguments = TrainingArguments(
        output_dir=str(folder.path / "checkpoints"),
        per_device_train_batch_size=2,
        eval_strategy="steps",
        eval_steps=2,
        eval_on_start=True,
        num_train_epochs=1,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    )
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    trainer = Trainer(model=model, args=arguments, train_dataset=rows, eval_dataset=rows)
    reporter = Reporter(folder)
    for each in watching.callbacks(recipe, folder, tokenizer, HERE, trainer, reporter):
        trainer.add_callback(each)
    trainer.add_callback(ReportingCallback(reporter, trainer.accelerator))
    return trainer


def test_speed_answers_and_memory_are_noted(folder: RunFolder, tokenizer: ChatTokenizer, tiny_model: Path) -> None:
    trainer = watched(folder, make_recipe("dpo", RECIPE), tokenizer, tiny_model)
    trainer.train()
    logged = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    steps = [line for line in logged if "loss" in line["values"]]
    assert [line["step"] for line in steps] == [1, 2, 3, 4]
    for line in steps:
        values = line["values"]
        assert {"learning_rate", "grad_norm", "mfu", "step_seconds", "eta_seconds"} <= values.keys()
        assert values["tokens_per_second"] * values["step_seconds"] == pytest.approx(2 * 4)
        assert 0 < values["mfu"] < 1
    computed = [line["values"]["mfu"] * line["values"]["step_seconds"] for line in steps]
    assert computed == pytest.approx(computed[:1] * 4), "the answers of the measurements are no part of any step"
    assert [line["values"]["eta_seconds"] > 0 for line in steps] == [True, True, True, False]
    found = samples.read(folder.samples)
    assert [sample.step for sample in found] == [0, 0, 2, 2, 4, 4]
    assert len({sample.example for sample in found}) == 2
    result = json.loads(folder.status.read_text())["result"]
    assert "measured here" in result["device_peak"]
    assert result["peak_memory_gb"] > 0.1
    before = folder.samples.read_bytes()
    trainer.evaluate()
    assert folder.samples.read_bytes() == before, "a step is answered once"


def test_watching_does_not_change_what_is_learnt(folder: RunFolder, tokenizer: ChatTokenizer, tiny_model: Path) -> None:
    plain = watched(folder, make_recipe("dpo", [*RECIPE, "samples=0"]), tokenizer, tiny_model)
    plain.callback_handler.callbacks = [
        each for each in plain.callback_handler.callbacks if "watching" not in type(each).__module__
    ]
    plain.train()
    seen = watched(folder, make_recipe("dpo", RECIPE), tokenizer, tiny_model)
    seen.train()
    for one, other in zip(plain.model.parameters(), seen.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_an_answer_that_fails_does_not_end_the_run(
    folder: RunFolder, tokenizer: ChatTokenizer, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = watched(folder, make_recipe("dpo", RECIPE), tokenizer, tiny_model)
    folder.samples.mkdir()  # nothing can be written there
    trainer.train()
    assert trainer.state.global_step == 4
    assert capsys.readouterr().out.count("the held-out prompts are answered no more") == 1


def test_a_model_that_only_scores_answers_nothing(
    folder: RunFolder, tokenizer: ChatTokenizer, tiny_model: Path
) -> None:
    trainer = watched(folder, make_recipe("reward", RECIPE), tokenizer, tiny_model)
    trainer.train()
    assert samples.read(folder.samples) == []


def test_the_prompts_are_short_distinct_and_always_the_same(tokenizer: ChatTokenizer) -> None:
    rows = held_out(20) + held_out(20) + [{"example": 99, "messages": [{"role": "assistant", "content": "Hello."}]}]
    chosen = choose(tokenizer, rows, 3, seed=1)
    assert chosen == choose(tokenizer, rows, 3, seed=1)
    assert chosen != choose(tokenizer, rows, 3, seed=2)
    assert len({prompt.asked for prompt in chosen}) == 3
    assert all(prompt.example < 10 for prompt in chosen), "of the shorter half"
    assert tokenizer.decode(list(chosen[0].ids)).endswith("<|im_start|>assistant\n")
    talk = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    (asked,) = choose(tokenizer, [{"example": 1, "messages": talk}], 3, seed=1)
    assert asked.asked == "Hi."
    assert "Hello." not in tokenizer.decode(list(asked.ids))
    assert choose(tokenizer, [{"example": 1, "prompt": [{"role": "user", "content": "long " * 3000}]}], 1, 1) == []


def test_answers_of_several_prompts_are_those_of_each_alone(tokenizer: ChatTokenizer, tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    prompts = choose(tokenizer, held_out(8), 3, seed=1)
    together = samples.answer(model, tokenizer, prompts, 5)
    assert together == [samples.answer(model, tokenizer, [prompt], 5)[0] for prompt in prompts]


def test_samples_are_read_back_by_step(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    assert samples.read(path) == []
    late, early = Sample(4, "b", 1, "Hi.", "Ä\u2028\x1b", False), Sample(0, "a", 1, "Hi.", "Yes.", True)
    samples.append(path, [late, early])
    with path.open("a") as file:
        file.write('{"step": 5, "at"')
    assert samples.read(path) == [early, late]
