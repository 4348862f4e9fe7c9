"""A run over a Hugging Face folder is converted before it trains and proven when it ends."""

import json
from pathlib import Path

import pytest

from store.database import Store
from studio.errors import StudioError
from studio.inference.proof import read
from studio.inference.proof.subjects import of_run
from studio.project import Project
from tests.studio.training.going import go, write_run

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("conversion")]


def test_a_run_over_a_folder_has_its_gguf_and_its_proof_when_it_ends(
    judged: Project, store: Store, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUNING_STUDIO_CONVERTER")
    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "cache"))
    folder = write_run(judged, store, "dpo", tiny_model, "max_steps=2")
    result, found = go(folder).status.result, read(folder.path)
    assert result is not None
    assert folder.adapter_gguf.is_file()
    assert found is not None
    outcomes = {check.name: check.outcome for check in found.checks}
    names = ("rendering", "tokens", "template", "special tokens", "settings", "weights", "adapter", "logits")
    assert outcomes == dict.fromkeys(names, "equal")
    assert result["parity"] == found.sentence
    description = json.loads(folder.description.read_text(encoding="utf-8"))
    folder.description.write_text(json.dumps({**description, "base_hash": "0" * 64}), encoding="utf-8")
    with pytest.raises(StudioError, match="is not the model that the run was started with"):
        of_run(folder)


def test_without_the_converter_it_is_trained_and_says_why_it_is_not_checked(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    folder = write_run(judged, store, "dpo", tiny_model, "max_steps=1")
    result = go(folder).status.result
    assert result is not None
    assert result["parity"].startswith("not checked: llama.cpp's converter is not installed. Install it: pip install")
    assert (folder.adapter / "adapter_config.json").is_file()
