"""Each method from the project's rows to what is kept: a run's own steps in this process, on a tiny model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from store import responses, runs
from store.database import Store
from studio.checks.settings import Check
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project
from studio.rendering import ChatTokenizer
from studio.training import launch
from studio.training.folder import RunFolder
from studio.training.launch import start_run
from tests.studio.training.going import go as goes
from tests.studio.training.going import write_run

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("training")]

QUICK = ["device=cpu", "dtype=fp32", "lora_rank=2", "max_steps=2", "evaluations=1", "batch_size=2"]
QUICK += ["gradient_accumulation=1", "samples=0", "general_text=false", "max_length=128"]
TRYING = ["generations=2", "completion_length=4"]


@pytest.fixture
def gathered(judged: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with something for every method, in which a start only puts the run's folder there."""
    talks = [
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(12)
    ]
    path = judged.folder / "talks.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, talks)))
    import_file(judged, store, path)
    for number in range(1, 13):
        said = [{"role": "assistant", "content": f"The teacher says {number}."}]
        responses.add(store, number, said, origin="model", author="big")
    monkeypatch.setattr(launch, "enqueue", lambda *_: None)
    checks = (Check("short", "max_words", "3"), Check("number", "number_equals_field", "", "answer", 0.5))
    return replace(judged, settings=replace(judged.settings, checks=checks))


def go(project: Project, store: Store, method: str, **start: Any) -> tuple[RunFolder, dict[str, Any]]:
    """Start a run and go through it here; return its folder and its results."""
    from studio.training.course.course import go_through
    from studio.training.course.report import Reporter

    folder = RunFolder(project.runs / start_run(project, store, method, **start))
    reporter = Reporter(folder)
    assert go_through(folder, reporter)
    result = reporter.status.result
    assert result is not None
    runs.update(store, folder.path.name, status="done", result=result)
    return folder, result


@pytest.mark.parametrize(
    ("method", "overrides", "found"),
    [
        ("sft", ["tuning=full", "loss_on=conversation"], "held_out_loss"),
        ("distill", ["teacher=big", "use_rslora=true", "lora_targets=attention"], "held_out_loss"),
        ("dpo", ["sft_weight=0.5", "loss=robust", "label_smoothing=0.1"], "held_out_accuracy"),
        ("dpo", ["loss=simpo"], "held_out_accuracy"),
        ("dpo", ["loss=orpo"], "held_out_accuracy"),
        ("dpo", ["loss=cpo", "use_dora=true"], "held_out_accuracy"),
        ("kto", [], "held_out_margin"),
        ("reward", [], "held_out_accuracy"),
        ("grpo", TRYING, "held_out_reward"),
    ],
    ids=["sft", "distill", "dpo", "simpo", "orpo", "cpo", "kto", "reward", "grpo"],
)
def test_a_method_goes_from_the_rows_to_what_is_kept(
    gathered: Project, store: Store, tiny_model: Path, method: str, overrides: list[str], found: str
) -> None:
    folder, result = go(gathered, store, method, model=str(tiny_model), overrides=[*QUICK, *overrides])
    assert result["steps"] == 2
    assert result["held_out_loss_before"] is not None
    assert found in result
    kept = folder.model / "model.safetensors" if "tuning=full" in overrides else folder.adapter / "adapter_config.json"
    assert kept.is_file()


def test_learning_by_trying_names_the_prompt_whose_loss_is_no_number(
    gathered: Project, store: Store, tiny_model: Path, tokenizer: ChatTokenizer
) -> None:
    tried: list[int] = []

    def ruin(trainer: Any) -> None:
        computed = trainer.compute_loss

        def compute(model: Any, inputs: Any, *given: Any, **named: Any) -> Any:
            loss = computed(model, inputs, *given, **named)
            if not model.training:
                return loss
            tried.extend(inputs["prompt_ids"][0].tolist())
            return loss * float("nan")

        trainer.compute_loss = compute

    folder = write_run(gathered, store, "grpo", tiny_model, *TRYING, "batch_size=2", "gradient_accumulation=1")
    with pytest.raises(StudioError, match="The loss became nan at step 1, in example") as ruined:
        goes(folder, touched=ruin)
    named = int(str(ruined.value).partition("in example ")[2].partition(".")[0])
    rows = map(orjson.loads, (folder.data / "train.jsonl").read_bytes().splitlines())
    asked = next(row["prompt"][-1]["content"] for row in rows if row["example"] == named)
    assert asked in tokenizer.decode(tried)


def test_a_whole_model_and_a_reward_model_are_gone_on_from_as_what_they_are(
    gathered: Project, store: Store, tiny_model: Path
) -> None:
    whole, _ = go(gathered, store, "sft", model=str(tiny_model), overrides=[*QUICK, "tuning=full"])
    child = start_run(gathered, store, "reward", parent=whole.path.name, overrides=QUICK)
    run = runs.get(store, child)
    assert (run.base_model, run.recipe["tuning"]) == (str(whole.model), "lora")
    with pytest.raises(StudioError, match="was trained on"):
        start_run(gathered, store, "sft", parent=whole.path.name, model="smollm2")
    with pytest.raises(StudioError, match=f"{child} scores answers and writes none"):
        start_run(gathered, store, "sft", parent=child)


def test_a_reward_model_scores_when_it_is_loaded_again(gathered: Project, store: Store, tiny_model: Path) -> None:
    import torch
    from peft import AutoPeftModelForSequenceClassification

    folder, _ = go(gathered, store, "reward", model=str(tiny_model), overrides=[*QUICK, "learning_rate=0.01"])
    found = AutoPeftModelForSequenceClassification.from_pretrained(folder.adapter, num_labels=1)
    found.config.pad_token_id = 2
    assert found(torch.tensor([[5, 6, 7]])).logits.shape == (1, 1)
    head = found.base_model.model.score.modules_to_save["default"].weight
    assert head.abs().sum() > 0


def test_4_bits_and_8_bit_optimisers_say_what_they_need(gathered: Project, store: Store, tiny_model: Path) -> None:
    on_cpu = [each for each in QUICK if each != "device=cpu"]
    for override in ("quantisation=4bit", "optimizer=adamw_8bit"):
        with pytest.raises(StudioError, match=f"{override} needs a GPU"):
            go(gathered, store, "sft", model=str(tiny_model), overrides=[*on_cpu, override])


def test_trying_needs_checks_and_enough_prompts(gathered: Project, store: Store, tiny_model: Path) -> None:
    bare = replace(gathered, settings=replace(gathered.settings, checks=()))
    with pytest.raises(StudioError, match=r"studio.toml has no checks"):
        start_run(bare, store, "grpo", model=str(tiny_model))
    with pytest.raises(StudioError, match="has no check 'brief'"):
        start_run(gathered, store, "grpo", model=str(tiny_model), overrides=["checks=brief"])
    many = ["batch_size=50", "gradient_accumulation=8", *TRYING]
    for overrides in (many, [*many, "max_steps=3"]):
        with pytest.raises(StudioError, match="Each step tries 200 prompts"):
            go(gathered, store, "grpo", model=str(tiny_model), overrides=overrides)
