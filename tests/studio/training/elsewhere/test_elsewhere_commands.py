"""The commands say what was written and what came back, for people and for programs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from studio.cli import cli
from studio.errors import StudioError
from studio.project import Project
from tests.studio.training.elsewhere.conftest import StartRun

pytestmark = pytest.mark.model


def run(project: Project, *words: str) -> str:
    done = CliRunner().invoke(cli, [*words, "--project", str(project.folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_recipes_are_printed_or_written(judged: Project, tiny_model: Path, tmp_path: Path) -> None:
    model = ["--model", str(tiny_model)]
    assert 'method = "dpo"' in run(judged, "recipe", "dpo", *model)
    assert "learning_rate = 0.5" in run(judged, "recipe", "dpo", *model, "--set", "learning_rate=0.5")
    assert "DPOTrainer" in run(judged, "recipe", "dpo", *model, "--as", "trl")
    told = json.loads(run(judged, "recipe", "dpo", *model, "--as", "axolotl", "--out", str(tmp_path / "a"), "--json"))
    assert told["name"] == "axolotl.yaml"
    assert {Path(path).name for path in told["written"]} >= {"axolotl.yaml", "train.jsonl", "tokenizer.json"}
    assert "axolotl train axolotl.yaml" in run(
        judged, "recipe", "dpo", *model, "--as", "axolotl", "--out", str(tmp_path / "b")
    )


def test_a_recipe_says_how_a_project_starts_it(
    judged: Project, tiny_model: Path, write_run: StartRun, tmp_path: Path
) -> None:
    changes = ["--set", "fast=false", "--set", "gradient_accumulation=4", "--set", "loss=ipo", "--set", "beta=0.3"]
    said = run(judged, "recipe", "dpo", "--model", str(tiny_model), *changes, "--out", str(tmp_path / "method"))
    wanted = "--set gradient_accumulation=4 --set loss=ipo --set fast=false"
    assert f"In a project: studio train dpo --model {tiny_model} {wanted}\n" in said
    again = run(judged, "recipe", write_run("dpo", "loss=hinge"), "--out", str(tmp_path / "run"))
    assert f"studio train dpo --model {tiny_model}" in again
    assert "--set loss=hinge" in again
    assert "--set lora_rank=4" in again


def test_a_bundle_is_told_of(judged: Project, write_run: StartRun, tmp_path: Path) -> None:
    run_id = write_run("dpo")
    said = run(judged, "bundle", run_id, str(tmp_path / "away.tar.zst"))
    assert "It holds the rows" in said
    files = json.loads(run(judged, "bundle", run_id, str(tmp_path / "away"), "--json"))["files"]
    assert {"run.sh", "bundle.json", "requirements.txt", f"runs/{run_id}/recipe.toml"} <= set(files)
    with pytest.raises(StudioError, match="was not trained"):
        run(judged, "import-run", str(tmp_path / "away"))


def test_a_recipe_goes_on_from_a_parent(judged: Project, write_run: StartRun, tmp_path: Path) -> None:
    run_id = write_run("sft", "answers=chosen")
    adapter = judged.runs / run_id / "adapter"
    with pytest.raises(StudioError, match=run_id):
        run(judged, "recipe", "dpo", "--parent", run_id)
    with pytest.raises(StudioError, match="has its recipe and its model already"):
        run(judged, "recipe", run_id, "--parent", run_id)
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "adapter_model.safetensors").write_bytes(b"")
    assert '"parent", is_trainable=True' in run(judged, "recipe", "dpo", "--parent", run_id, "--as", "trl")
    with pytest.raises(StudioError, match=f"The adapter of {run_id} writes answers"):
        run(judged, "recipe", "reward", "--parent", run_id, "--as", "trl")
