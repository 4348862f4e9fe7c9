"""A recipe written out for another tool does the same there, and says what it can't say."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

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
from studio.training.recipe import METHODS
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
    from studio.training.recipe import read_recipe
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
    assert before[0] == pytest.approx(before[1], rel=1e-4)
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
