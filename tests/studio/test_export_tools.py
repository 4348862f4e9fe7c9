"""Exports in the hands of the tools that they are for: really run where these are here, else held to their schemas."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from store.database import Store
from studio.exporting import export
from studio.formats import FORMATS
from studio.importing import import_file
from studio.project import Project
from tests.studio.export_shapes import SCHEMAS

TRL = [f.name for f in FORMATS if f.name.startswith("trl-") and f.kind]
TOOL = {
    "type": "function",
    "function": {"name": "find", "description": "Finds", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def filled(project: Project, store: Store, tmp_path: Path) -> Store:
    """Judged pairs, one with a system turn and one with two; chats, one with a tool; texts to learn."""
    pairs: list[dict[str, Any]] = [
        {"prompt": f"Q{n} \u00e4?", "chosen": f"good {n}", "rejected": "bad"} for n in range(16)
    ]
    asked = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    said = [{"role": "assistant", "content": "Hello."}, {"role": "user", "content": "How are you?"}]
    for number, prompt in enumerate((asked, asked + said)):
        answers = ([{"role": "assistant", "content": f"{text} {number}"}] for text in ("Fine", "No"))
        pairs.append(dict(zip(("prompt", "chosen", "rejected"), (prompt, *answers), strict=True)))
    chats = [
        {"messages": [{"role": "user", "content": f"Ask {n}"}, {"role": "assistant", "content": f"Answer {n}"}]}
        for n in range(16)
    ]
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": {"n": 1}}}
    turns = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "c1"},
    ]
    chats.append({"messages": [chats[0]["messages"][0], *turns, chats[0]["messages"][1]], "tools": [TOOL]})
    chats.append({"messages": [*asked, *said, {"role": "assistant", "content": "Well."}]})
    texts = [{"text": f"Parcel {n} is light."} for n in range(8)]
    for name, rows in (("pairs.jsonl", pairs), ("chats.jsonl", chats), ("texts.jsonl", texts)):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        import_file(project, store, path)
    return store


def run(script: str, *arguments: Path) -> dict[str, Any]:
    """Run a script in a process of its own and return what it prints in the end."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


LOAD = """
import json, sys
from datasets import load_dataset
cache, *files = sys.argv[1:]
loaded = {file: load_dataset("json", data_files=file, cache_dir=cache)["train"] for file in files}
print(json.dumps({file: [rows.num_rows, sorted(rows.column_names)] for file, rows in loaded.items()}))
"""


def test_datasets_loads_every_trl_export(project, filled, tmp_path) -> None:
    reports = {name: export(project, filled, name, tmp_path / f"{name}.jsonl") for name in TRL}
    loaded = run(LOAD, tmp_path / "cache", *(Path(r.path) for r in reports.values()))
    for name, report in reports.items():
        rows, columns = loaded[report.path]
        assert rows == report.rows
        wanted = {"trl-text": {"text"}, "trl-sft": {"messages", "tools"}}.get(name)
        if "kto" in name:
            wanted = {"prompt", "completion", "label"}
        elif "preference" in name:
            wanted = {"chosen", "rejected"} | ({"prompt"} if "implicit" not in name else set())
        assert set(columns) == (wanted or {"prompt", "completion"}) | (set(columns) & {"tools"})


TRAIN = """
import json, sys
from datasets import load_dataset
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

folder, work, *files = sys.argv[1:]
trainers = {"sft": (SFTTrainer, SFTConfig), "dpo": (DPOTrainer, DPOConfig), "kto": (KTOTrainer, KTOConfig)}
size = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2)
tokenizer = AutoTokenizer.from_pretrained(folder)
LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size)).save_pretrained(f"{work}/model")
steps = {}
for file in files:
    method = file.rpartition("/")[2].partition("-")[0]
    trainer, config = trainers[method]
    arguments = config(
        f"{work}/{method}", max_steps=2, per_device_train_batch_size=2, use_cpu=True, report_to="none", bf16=False,
        save_strategy="no",
    )
    rows = load_dataset("json", data_files=file, cache_dir=work)["train"]
    going = trainer(f"{work}/model", args=arguments, train_dataset=rows, processing_class=tokenizer)
    going.train()
    steps[method] = going.state.global_step
print(json.dumps(steps))
"""


@pytest.mark.model
def test_trls_trainers_run_on_exports_unchanged(project, filled, tmp_path, model_folder) -> None:
    files = [("trl-sft", "sft-rows.jsonl"), ("trl-preference", "dpo-rows.jsonl"), ("trl-kto", "kto-rows.jsonl")]
    for name, file in files:
        export(project, filled, name, tmp_path / file)
    steps = run(TRAIN, model_folder, tmp_path / "work", *(tmp_path / file for _, file in files))
    assert steps == {"sft": 2, "dpo": 2, "kto": 2}


@pytest.mark.parametrize("name", SCHEMAS)
def test_exports_have_the_documented_shapes(project, filled, tmp_path, name) -> None:
    report = export(project, filled, name, tmp_path / "out.json")
    rows = json.loads((tmp_path / "out.json").read_bytes())
    assert len(rows) == report.rows >= 8
    TypeAdapter(list[SCHEMAS[name]]).validate_python(rows, strict=True)


INFO_KEYS = {"file_name", "formatting", "ranking", "columns", "tags"}
COLUMNS = {"prompt", "query", "response", "history", "messages", "system", "tools", "chosen", "rejected", "kto_tag"}
TAGS = {f"{name}_tag" for name in ("role", "content", "user", "assistant", "observation", "function", "system")}


DESCRIBED = [f.name for f in FORMATS if f.kind and f.companion and f.companion("rows.json").name == "dataset_info.json"]


@pytest.mark.parametrize("name", DESCRIBED)
def test_llama_factory_is_told_what_the_rows_are(project, filled, tmp_path, name) -> None:
    report = export(project, filled, name, tmp_path / f"{name}.json")
    rows = json.loads((tmp_path / f"{name}.json").read_bytes())
    assert Path(report.companion).name == "dataset_info.json"
    entry = json.loads(Path(report.companion).read_bytes())[name]
    assert entry["file_name"] == f"{name}.json"
    assert entry.get("ranking", False) is all("rejected" in row for row in rows)
    assert set(entry) <= INFO_KEYS
    assert set(entry.get("columns", {})) <= COLUMNS
    assert set(entry.get("columns", {}).values()) <= {column for row in rows for column in row}
    assert set(entry.get("tags", {})) <= TAGS
