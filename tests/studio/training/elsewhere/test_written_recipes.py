"""A recipe written out for another tool does the same there, and says what it can't say."""

import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import yaml
from transformers import TrainerState

from store import responses
from store.database import Store
from studio.checks.run import score
from studio.checks.settings import Check
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project, open_project
from studio.training.elsewhere import equivalents
from studio.training.elsewhere.material import Material, of
from studio.training.elsewhere.trl_settings import arguments
from studio.training.elsewhere.written import Written, save
from studio.training.recipe import METHODS, make_recipe
from tests.studio.training.elsewhere.conftest import QUICK, StartRun

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("elsewhere")]

ALL_AT_ONCE = ["batch_size=2", "gradient_accumulation=16", "epochs=2", "evaluations=1", "samples=0"]
"""One step an epoch, so that the order of the rows does not matter."""


@pytest.fixture
def with_answers(judged: Project, store: Store) -> Project:
    rows = [
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(24)
    ]
    path = judged.folder / "rows.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    import_file(judged, store, path)
    return judged


def material(project: Project, store: Store, method: str, model: Path, *overrides: str) -> Material:
    return of(project, store, method, [*QUICK, *overrides], str(model))


def ours(project: Project, run_id: str, model: Path) -> Any:
    """Return the studio's own trainer for a run."""
    from studio.rendering import ChatTokenizer
    from studio.training.folder import RunFolder
    from studio.training.recipe_file import read_recipe
    from studio.training.rows.data import load_rows, tokenise
    from studio.training.trainer import hardware
    from studio.training.trainer.model import load_model
    from studio.training.trainer.trainers import make_trainer

    folder = RunFolder(project.runs / run_id)
    recipe, tokenizer = read_recipe(folder.recipe), ChatTokenizer.load(folder.tokenizer)
    train, held_out = (
        tokenise(tokenizer, recipe, load_rows(folder.data / f"{split}.jsonl")) for split in ("train", "validation")
    )
    chosen = hardware.choose(recipe)
    return make_trainer(recipe, folder, chosen, load_model(str(model), recipe, chosen), train, held_out, None)


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_the_script_trains_as_the_studio_does(
    with_answers: Project,
    store: Store,
    tiny_model: Path,
    write_run: StartRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    run_id = write_run(method, *ALL_AT_ONCE)
    save(equivalents.write(of(with_answers, store, run_id, [], None), "trl"), tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["train.py"])
    script = runpy.run_path(str(tmp_path / "out" / "train.py"))
    trainer = ours(with_answers, run_id, tiny_model)
    trainer.train()
    theirs, own = (t.state.log_history for t in (script["trainer"], trainer))
    before = [next(entry["eval_loss"] for entry in log if "eval_loss" in entry) for log in (theirs, own)]
    first = [next(entry["loss"] for entry in log if "loss" in entry) for log in (theirs, own)]
    # TRL takes the mean of batches, the studio that of all learnt tokens.
    assert before[0] == pytest.approx(before[1], rel=1e-3)
    assert first[0] == pytest.approx(first[1], rel=1e-3)
    assert script["trainer"].state.global_step == trainer.state.global_step == 2
    for name in ("learning_rate", "warmup_steps", "lr_scheduler_type", "weight_decay", "max_grad_norm", "eval_steps"):
        assert getattr(script["arguments"], name) == getattr(trainer.args, name), name
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").is_file()


def test_every_method_and_tool_can_be_written_or_says_why_not(
    with_answers: Project, store: Store, tiny_model: Path
) -> None:
    settings = with_answers.folder / "studio.toml"
    settings.write_text(settings.read_text() + '\n[[checks]]\nname = "short"\nkind = "max_words"\nvalue = "5"\n')
    project = open_project(with_answers.folder)
    refused = set()
    for method in METHODS:
        for tool in equivalents.TOOLS:
            wide = ["batch_size=4"] if method == "grpo" else []
            try:
                written = equivalents.write(material(project, store, method, tiny_model, *wide), tool)
            except StudioError:
                refused.add((method, tool))
                continue
            check(written, tool)
    assert refused == {("grpo", "llamafactory")}


def test_a_teacher_is_the_only_one_whose_answers_are_written_out(
    with_answers: Project, store: Store, tiny_model: Path
) -> None:
    examples = [example for (example,) in store.connection.execute("SELECT id FROM example ORDER BY id")]
    for place, example in enumerate(examples):
        said = [{"role": "assistant", "content": "By the teacher." if place % 2 else "By another."}]
        responses.add(store, example, said, origin="model", author="teacher" if place % 2 else "another")
    found = material(with_answers, store, "distill", tiny_model, "teacher=teacher")
    answers = {row["messages"][-1]["content"] for rows in found.rows.values() for row in rows}
    assert answers == {"By the teacher."}


def test_learning_by_trying_has_as_many_steps_elsewhere(with_answers: Project, store: Store, tiny_model: Path) -> None:
    settings = with_answers.folder / "studio.toml"
    settings.write_text(settings.read_text() + '\n[[checks]]\nname = "short"\nkind = "max_words"\nvalue = "5"\n')
    project = open_project(with_answers.folder)
    wanted = ["batch_size=4", "gradient_accumulation=1", "generations=4", "epochs=2", "warmup=0.5", "evaluations=2"]
    found = material(project, store, "grpo", tiny_model, *wanted)
    written = equivalents.write(found, "axolotl")
    prompts = len(found.rows["train"])
    # Each step tries one prompt four times.
    assert yaml.safe_load(written.text)["warmup_steps"] == prompts
    assert yaml.safe_load(written.text)["eval_steps"] == prompts
    # TRL refuses held-out batches that are no multiple of the answers to a prompt.
    small = material(project, store, "grpo", tiny_model, "batch_size=2", "gradient_accumulation=2", "generations=4")
    settings_of_trl = arguments(small.recipe, small.rows["train"])
    assert settings_of_trl["per_device_eval_batch_size"] % settings_of_trl["num_generations_eval"] == 0


def check(written: Written, tool: str) -> None:
    """See that a tool could read what was written for it."""
    if tool == "trl":
        compile(written.text, written.main, "exec")
    elif tool != "toml":
        assert isinstance(yaml.safe_load(written.text)["learning_rate"], float)
    for note in written.notes:
        assert note in written.text
    for name, content in written.files.items():
        if name.endswith(".jsonl"):
            assert all(isinstance(json.loads(line), dict) for line in content.splitlines())


def test_losses_on_pairs_in_other_tools_words(judged: Project, store: Store, tiny_model: Path) -> None:
    def told(tool: str, *overrides: str) -> dict[str, Any]:
        found = equivalents.write(material(judged, store, "dpo", tiny_model, *overrides), tool)
        return dict(yaml.safe_load(found.text))

    mixed = told("axolotl", "loss=hinge", "sft_weight=0.2")
    assert (mixed["rl"], mixed["dpo_loss_type"], mixed["dpo_loss_weights"]) == ("dpo", ["hinge", "sft"], [1.0, 0.2])
    assert told("axolotl", "loss=simpo")["rl"] == "simpo"
    assert told("axolotl", "loss=simpo", "sft_weight=0.5")["cpo_alpha"] == 0.5
    assert told("llamafactory", "loss=simpo", "sft_weight=0.5")["pref_ftx"] == 0.5
    assert told("llamafactory", "loss=ipo")["pref_loss"] == "ipo"
    assert told("llamafactory", "loss=robust", "label_smoothing=0.1")["dpo_label_smoothing"] == 0.1
    with pytest.raises(StudioError, match="LLaMA-Factory has no loss apo_zero"):
        told("llamafactory", "loss=apo_zero")
    with pytest.raises(StudioError, match="Axolotl has no CPO"):
        told("axolotl", "loss=cpo")


def test_only_what_the_recipe_learns_is_learnt_elsewhere(
    with_answers: Project, store: Store, tiny_model: Path, tmp_path: Path
) -> None:
    turns = [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    rows = [{"messages": [{"role": role, "content": f"{text}{n}"} for role, text in turns]} for n in range(12)]
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    import_file(with_answers, store, path)

    def flags(loss_on: str) -> set[object]:
        written = equivalents.write(material(with_answers, store, "sft", tiny_model, f"loss_on={loss_on}"), "axolotl")
        rows = [json.loads(line) for line in written.files["data/train.jsonl"].splitlines()]
        return {turn.get("train") for row in rows for turn in row["messages"][:-1] if turn["role"] == "assistant"}

    assert flags("completion") == {False}
    assert flags("assistant") == {None}


def test_the_rewards_are_those_of_the_checks(with_answers: Project, store: Store, tiny_model: Path) -> None:
    settings = with_answers.folder / "studio.toml"
    checks = [
        Check("short", "max_words", "3", weight=2.0),
        Check("asks", "matches", r"\?$"),
        Check("shaped", "json_schema", '{"type": "object", "required": ["a"]}'),
        Check("right", "number_equals_field", field="number"),
    ]
    tables = [
        f"[[checks]]\nname = {each.name!r}\nkind = {each.kind!r}\nweight = {each.weight}\n"
        + (f"field = {each.field!r}\n" if each.field else f"value = '''{each.value}'''\n")
        for each in checks
    ]
    settings.write_text(settings.read_text() + "\n" + "\n".join(tables))
    project = open_project(with_answers.folder)
    written = equivalents.write(material(project, store, "grpo", tiny_model, "batch_size=4"), "trl")
    module: dict[str, Any] = {"__name__": "rewards"}
    exec(compile(written.files["rewards.py"], "rewards.py", "exec"), module)
    assert module["WEIGHTS"] == [2.0, 1.0, 1.0, 1.0]
    for reply in ("How?", '{"a": 1}', "It is about 1,200 in all, I think"):
        fields = {"number": "1200"}
        turns = [[{"role": "assistant", "content": reply}]]
        for reward, each in zip(module["REWARDS"], checks, strict=True):
            assert reward(completions=turns, fields=[json.dumps(fields)]) == [score(each, reply, fields)]
            assert reward.__name__ == each.name


def test_a_folder_with_something_in_it_is_left_alone(
    judged: Project, store: Store, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(StudioError, match="is there already"):
        save(equivalents.write(material(judged, store, "dpo", tiny_model), "trl"), tmp_path)


def test_what_goes_on_from_an_adapter_is_held_against_it_elsewhere(
    judged: Project, store: Store, tiny_model: Path, tmp_path: Path
) -> None:
    def told(*overrides: str, parent: Path | None = tmp_path) -> dict[str, Any]:
        found = replace(material(judged, store, "dpo", tiny_model, *overrides), adapter=parent)
        return dict(yaml.safe_load(equivalents.write(found, "llamafactory").text))

    assert (told()["ref_model"], told()["ref_model_adapters"]) == (str(tiny_model), "parent")
    assert "ref_model" not in told(parent=None)
    assert "ref_model" not in told("loss=orpo"), "it has no reference"
    found = replace(material(judged, store, "dpo", tiny_model), adapter=tmp_path, kept=("lora_rank",))
    assert "[as in the parent's adapter]" in equivalents.write(found, "toml").text
    for tool in ("trl", "axolotl"):
        assert any("Older versions of TRL" in note for note in equivalents.write(found, tool).notes)


@pytest.mark.parametrize(("method", "tool"), [("dpo", "axolotl"), ("grpo", "axolotl"), ("grpo", "trl")])
def test_rows_whose_tools_can_not_be_told_are_left_out_and_counted(
    judged: Project, store: Store, tiny_model: Path, method: str, tool: str
) -> None:
    wanted = ["loss=orpo"] if method == "dpo" else ["batch_size=4"]
    found = material(judged, store, "dpo", tiny_model)
    recipe = make_recipe(method, wanted)
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]
    first, *others = found.rows["train"]
    rows = {**found.rows, "train": [{**first, "tools": tools}, *others]}
    check_of_length = {"name": "short", "kind": "max_words", "value": "5", "field": "", "weight": 1.0}
    written = equivalents.write(replace(found, recipe=recipe, rows=rows, checks=[check_of_length]), tool)
    assert len(written.files["data/train.jsonl"].splitlines()) == len(others)
    assert "1 rows are left out: there is no place for their tools." in written.notes


def test_an_end_that_trl_adds_is_said(judged: Project, store: Store, tiny_model: Path) -> None:
    def is_said(tool: str, loss: str) -> bool:
        written = equivalents.write(material(judged, store, "dpo", tiny_model, f"loss={loss}"), tool)
        return any("with the end token" in note for note in written.notes)

    assert all(is_said(tool, loss) for tool in ("trl", "axolotl") for loss in ("simpo", "orpo"))
    assert not is_said("trl", "sigmoid")


def test_rows_that_are_mixed_in_are_not_said_to_be_missing(judged: Project, store: Store, tiny_model: Path) -> None:
    found = material(judged, store, "dpo", tiny_model)
    mixed = replace(found, recipe=replace(found.recipe, replay=0.5))
    for tool in ("trl", "axolotl", "llamafactory"):
        assert equivalents.write(mixed, tool).notes == equivalents.write(found, tool).notes


SCHEDULE = ("warmup_steps", "warmup_ratio", "eval_steps", "save_steps")


def test_packed_rows_have_the_schedule_of_the_studios_run(
    with_answers: Project, store: Store, tiny_model: Path
) -> None:
    def told(tool: str, *overrides: str) -> dict[str, Any]:
        found = material(with_answers, store, "sft", tiny_model, "packing=true", "warmup=0.2", *overrides)
        if tool == "trl":
            return arguments(found.recipe, found.rows["train"])
        return dict(yaml.safe_load(equivalents.write(found, tool).text))

    def schedule(tool: str, *overrides: str) -> list[Any]:
        found = told(tool, *overrides)
        return [found.get(name) for name in SCHEDULE]

    # How many steps there are, only who packs the rows knows: shares of them, which count below 1.
    assert schedule("trl", "evaluations=4") == [0.2, None, 0.25, 0.25]
    assert schedule("axolotl", "evaluations=4") == [None, 0.2, 0.25, 0.25]
    assert schedule("llamafactory", "evaluations=4") == [None, 0.2, 0.25, 0.25]
    state = TrainerState()
    state.compute_steps(SimpleNamespace(logging_steps=1, **_steps(told("trl", "evaluations=1"))), 12)
    assert state.eval_steps == 12, "one measurement, after the last step"
    for tool in ("trl", "axolotl", "llamafactory"):
        assert schedule(tool, "evaluations=4", "max_steps=20") == [4, None, 5, 5]


def _steps(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("eval_steps", "save_steps")}


@pytest.mark.parametrize(
    ("method", "measure"),
    [
        ("dpo", "eval_rewards/accuracies"),
        ("reward", "eval_accuracy"),
        ("grpo", "eval_reward"),
        ("sft", "eval_loss"),
        ("kto", "eval_loss"),
    ],
)
def test_the_best_weights_are_told_by_the_studios_own_measure(
    with_answers: Project, store: Store, tiny_model: Path, method: str, measure: str
) -> None:
    settings = with_answers.folder / "studio.toml"
    settings.write_text(settings.read_text() + '\n[[checks]]\nname = "short"\nkind = "max_words"\nvalue = "5"\n')
    wide = ["batch_size=4"] if method == "grpo" else []
    found = material(open_project(with_answers.folder), store, method, tiny_model, *wide)
    written = {tool: equivalents.write(found, tool) for tool in ("trl", "axolotl")}
    if method in ("dpo", "sft", "kto"):
        written["llamafactory"] = equivalents.write(found, "llamafactory")
    by_tool = {tool: yaml.safe_load(each.text) for tool, each in written.items() if tool != "trl"}
    for settled in (arguments(found.recipe, found.rows["train"]), *by_tool.values()):
        assert settled["metric_for_best_model"] == measure
        assert settled["greater_is_better"] == (measure != "eval_loss")
        assert settled["load_best_model_at_end"]
    for each in written.values():
        assert any("the first count as the best" in note for note in each.notes) == (measure != "eval_loss")


def test_a_run_that_stops_early_does_so_elsewhere_whatever_is_kept(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    found = material(judged, store, "dpo", tiny_model, "early_stopping=2", "keep_best=false")
    assert "callbacks=[EarlyStoppingCallback(2)]" in equivalents.write(found, "trl").text
    settled = yaml.safe_load(equivalents.write(found, "axolotl").text)
    assert settled["early_stopping_patience"] == 2
    # Without a measure transformers refuses to stop early.
    assert settled["metric_for_best_model"] == "eval_rewards/accuracies"
    assert settled["load_best_model_at_end"] is False


def test_a_constant_rate_rises_first_elsewhere_too(with_answers: Project, store: Store, tiny_model: Path) -> None:
    def told(*overrides: str) -> set[str]:
        found = material(with_answers, store, "sft", tiny_model, "scheduler=constant", *overrides)
        trl = arguments(found.recipe, found.rows["train"])["lr_scheduler_type"]
        axolotl, factory = (yaml.safe_load(equivalents.write(found, tool).text) for tool in ("axolotl", "llamafactory"))
        return {trl, axolotl["lr_scheduler"], factory["lr_scheduler_type"]}

    assert told("warmup=0.1") == {"constant_with_warmup"}
    assert told("warmup=0") == {"constant"}


def test_a_few_steps_do_not_wait_for_the_reference_of_all_rows_elsewhere(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    def is_beforehand(*overrides: str) -> bool:
        given = material(judged, store, "dpo", tiny_model, *overrides)
        precomputed: bool = arguments(given.recipe, given.rows["train"])["precompute_ref_log_probs"]
        return precomputed

    assert is_beforehand()
    assert not is_beforehand("max_steps=1", "batch_size=1", "gradient_accumulation=1")


@pytest.mark.parametrize("method", ["sft", "dpo", "kto", "reward"])
def test_the_adapters_dropout_is_not_switched_off(
    with_answers: Project, store: Store, tiny_model: Path, method: str
) -> None:
    for dropout, said in (("0", False), ("0.1", method != "sft")):
        written = equivalents.write(material(with_answers, store, method, tiny_model, f"lora_dropout={dropout}"), "trl")
        assert ("disable_dropout=False" in written.text) == said


def test_an_adapter_over_4_bits_is_exact_in_the_script_too(
    with_answers: Project, store: Store, tiny_model: Path
) -> None:
    found = material(with_answers, store, "dpo", tiny_model, "device=auto", "quantisation=4bit")
    written = equivalents.write(found, "trl")
    compile(written.text, written.main, "exec")
    before, trained, _ = written.text.partition("\ntrainer.train()\n")
    assert trained
    assert "        weight.data = weight.data.float()" in before.splitlines()
    assert "load_in_4bit=True" in before
