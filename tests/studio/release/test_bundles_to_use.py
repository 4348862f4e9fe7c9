"""A bundle to use is the model that was trained, in each form, and holds neither rows nor places of this machine."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner

from store import runs
from store.database import Store
from studio.cli import cli
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.inference.quantising.places import place_of
from studio.project import Project
from studio.release.course import Wanted, bundle
from studio.release.ollama.proof import rendered
from studio.rendering import load_tokenizer, render_prompt
from studio.training.elsewhere.packing import unpack
from tests.studio.release.conftest import Ended

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("release")]

ASSISTANT = """
[assistant]
name = "Otter"
purpose = "answer questions about orders"
refuses = ["medical advice"]
"""
QUESTION: list[dict[str, Any]] = [{"role": "user", "content": "Where is order 5?"}]


def logits(folder: Path, ids: list[int], adapter: Path | None = None) -> "torch.Tensor":
    """Return what a folder's model says after each token, with an adapter or without."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    if adapter:
        model = PeftModel.from_pretrained(model, str(adapter))
    with torch.no_grad():
        found: torch.Tensor = model.float()(torch.tensor([ids])).logits[0]
    return found


def test_every_form_is_the_model_that_was_trained(
    judged: Project, store: Store, ended: Ended, small_model: Path, tmp_path: Path
) -> None:
    settings = judged.folder / "studio.toml"
    settings.write_text(settings.read_text() + ASSISTANT)
    run, out = ended(), tmp_path / "given"
    run_id = run.path.name
    earlier = place_of(judged, store, run_id)
    earlier.folder.mkdir()
    earlier.gguf("Q4_K_M").write_bytes(b"GGUF of another time")
    runs.describe(store, run_id, name="Kind replies", note="For the shop.")
    words = ["bundle", run_id, str(out), "--for", "use", "--type", "q8_0", "--json", "--project", str(judged.folder)]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    files = json.loads(done.stdout)["files"]
    assert not [name for name in files if "Q4_K_M" in name]
    assert files == sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())

    ids = render_prompt(load_tokenizer(run.tokenizer), QUESTION).ids
    trained = logits(small_model, ids, run.adapter)
    assert torch.allclose(logits(out / "model", ids), trained, atol=1e-4)
    assert not torch.allclose(logits(small_model, ids), trained, atol=0.1)
    reference = tmp_path / "reference"
    reference.mkdir()
    np.save(reference / "0.npy", trained[:-1].numpy())
    with Engine(tmp_path / "engine.log") as engine:
        for type_, most in (("F16", 1e-3), ("Q8_0", 0.5)):
            key = engine.load(out / f"gguf/{run_id}-{type_}.gguf")
            (scored,) = engine.compare(key, [ids], [1], reference=reference)
            assert scored.kl is not None
            assert max(scored.kl) < most

    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=out, check=True)
    subprocess.run(["sh", "-n", out / "run.sh"], check=True)
    places = [str(place).encode() for place in (tmp_path, judged.folder, small_model.parent)]
    rows = [b"left on Monday", b"Where is order"]
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert not any(each in path.read_bytes() for each in (*places, *rows)), path

    card = (out / "README.md").read_text()
    head = yaml.safe_load(card.split("---")[1])
    assert (head["license"], head["base_model"], head["datasets"]) == ("apache-2.0", "small-model", ["pairs.jsonl"])
    assert {"dpo", "lora", "gguf"} < set(head["tags"])
    for said in (
        "# Kind replies",
        "For the shop.",
        "- medical advice",
        "went from 2 to 2.2 (+10.0%)",
        "| Q8_0 |",
        "an earlier state of it",
    ):
        assert said in card
    modelfile = (out / "Modelfile").read_text()
    assert 'PARAMETER stop "<|im_end|>"' in modelfile
    assert "You are Otter." in modelfile.split("SYSTEM")[1]
    template = modelfile.split('TEMPLATE """')[1].split('"""')[0]
    assert rendered(template, QUESTION) == render_prompt(load_tokenizer(run.tokenizer), QUESTION).text
    assert not list(tmp_path.glob(".given*"))


def test_what_a_broken_off_try_made_is_taken_up_and_only_of_the_same_run(
    judged: Project, store: Store, ended: Ended, tmp_path: Path
) -> None:
    run, out = ended(full=True), tmp_path / "given.tar.zst"
    said: list[str] = []

    def break_off(text: str) -> None:
        said.append(text)
        if text.startswith("trying Ollama"):
            raise KeyboardInterrupt

    def break_off_early(text: str) -> None:
        said.append(text)
        if text == "reading the model":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundle(judged, store, run.path.name, out, say=break_off)
    assert not out.exists()
    assert "copying the model" in said
    said.clear()
    files = bundle(judged, store, run.path.name, out, say=said.append)
    assert not [text for text in said if text.startswith(("copying", "writing"))]
    there = unpack(out, tmp_path / "there")
    assert sorted(str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()) == files
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=there, check=True)
    assert not list(tmp_path.glob(".given*"))
    with pytest.raises(StudioError, match="is there already"):
        bundle(judged, store, run.path.name, out)

    other = tmp_path / "other"
    for is_changed, is_anew in ((False, True), (False, False), (True, True)):
        said.clear()
        if is_changed:
            (run.model / "config.json").touch()
        with pytest.raises(KeyboardInterrupt):
            bundle(judged, store, run.path.name, other, say=break_off_early)
        assert ("copying the model" in said) == is_anew


def test_a_model_that_scores_goes_without_what_only_writers_have(
    judged: Project, store: Store, ended: Ended, tmp_path: Path
) -> None:
    run = ended(task="SEQ_CLS")
    with pytest.raises(StudioError, match="it scores answers"):
        bundle(judged, store, run.path.name, tmp_path / "given", Wanted(types=("Q8_0",)))
    files = bundle(judged, store, run.path.name, tmp_path / "given", Wanted(with_base=True))
    assert {"adapter/adapter_model.safetensors", "base/model.safetensors", "README.md", "SHA256SUMS"} < set(files)
    assert not [name for name in files if name.endswith((".gguf", "Modelfile", "run.sh"))]
    card = (tmp_path / "given" / "README.md").read_text()
    assert "llama.cpp and Ollama run no model that scores" in card
    assert yaml.safe_load(card.split("---")[1])["pipeline_tag"] == "text-classification"


def test_what_can_not_be_bundled_is_refused_with_its_reason(
    judged: Project, store: Store, ended: Ended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(task="SEQ_CLS")
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(StudioError, match=r"The bundle takes .* and the disk of"):
        bundle(judged, store, run.path.name, tmp_path / "given")
    words = ["bundle", run.path.name, "x", "--type", "Q8_0", "--project", str(judged.folder)]
    assert "--type is for --for use" in CliRunner().invoke(cli, words).output
    with pytest.raises(StudioError, match="no type 'Q9'"):
        bundle(judged, store, run.path.name, tmp_path / "given", Wanted(types=("Q9",)))
    (run.adapter / "adapter_config.json").unlink()
    run.adapter.rename(run.path / "gone")
    with pytest.raises(StudioError, match="has nothing to use yet"):
        bundle(judged, store, run.path.name, tmp_path / "given")
