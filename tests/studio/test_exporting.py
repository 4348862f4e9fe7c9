"""Exporting: files that others read as they are, with a manifest, never over someone else's file."""

import csv
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from store import snapshots
from store.database import Store
from studio import __version__, formats
from studio.errors import StudioError
from studio.exporting import export, manifest_of
from studio.formats import FORMATS
from studio.importing import import_file
from studio.project import Project


@pytest.fixture
def filled(project: Project, store: Store, tmp_path: Path) -> Store:
    """Twenty judged pairs, twenty answered questions and one conversation with a tool."""
    preferences = [
        {"prompt": f"Q{n} \u00e4\U0001f600", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(20)
    ]
    chats = [
        {"messages": [{"role": "user", "content": f"Ask {n}"}, {"role": "assistant", "content": f"Answer {n}"}]}
        for n in range(20)
    ]
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": {"n": 1}}}
    chats[0]["messages"][1:1] = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": "1"},
    ]
    for name, rows in (("preferences.jsonl", preferences), ("chats.jsonl", chats)):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        import_file(project, store, path)
    return store


def rows_in(path: Path) -> list[dict]:
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("shape", [f for f in FORMATS if f.kind], ids=lambda f: f.name)
@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_every_written_row_reads_back_and_every_other_is_counted(project, filled, tmp_path, shape, suffix) -> None:
    report = export(project, filled, shape.name, tmp_path / f"out{suffix}")
    rows = rows_in(tmp_path / f"out{suffix}")
    assert len(rows) == report.rows == sum(report.splits.values())
    assert report.considered == report.rows + sum(report.left_out.values())
    found = formats.detect(rows)
    assert found is not None
    assert all(found.read(row).messages for row in rows)
    assert all(f"{reason} {count}" in report.summary() for reason, count in report.left_out.items())


def test_what_a_shape_can_not_say_is_said_in_the_report(project, filled, tmp_path) -> None:
    report = export(project, filled, "alpaca", tmp_path / "out.json")
    assert report.left_out == {"without an answer": 20, "alpaca can't say tool_calls": 1}


def test_the_manifest_says_where_the_file_is_from(project, filled, tmp_path) -> None:
    out = tmp_path / "out.jsonl"
    report = export(project, filled, "trl-preference", out, split="train")
    manifest = json.loads(manifest_of(out).read_text())
    assert manifest["snapshot"] == report.snapshot == snapshots.get(filled, report.snapshot).id
    assert manifest["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (manifest["rows_in"], manifest["rows_out"], manifest["split"]) == (20, report.rows, "train")
    assert manifest["left_out"] == report.left_out == {"not in the train split": 20 - report.rows}
    assert manifest["split_settings"]["seed"] == 1
    assert manifest["studio_version"] == __version__


def test_files_are_private_and_no_other_is_left(project, filled, tmp_path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    export(project, filled, "trl-sft", folder / "out.jsonl")
    assert sorted(path.name for path in folder.iterdir()) == ["out.jsonl", "out.jsonl.manifest.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_only_an_unchanged_export_gives_way(project, filled, tmp_path) -> None:
    out = tmp_path / "out.jsonl"
    export(project, filled, "trl-preference", out)
    assert "replaces" in export(project, filled, "trl-sft", out).summary()
    out.write_text("mine")
    with pytest.raises(StudioError, match="is there already"):
        export(project, filled, "trl-sft", out)
    assert out.read_text() == "mine"


def test_tables_are_written_where_the_shape_is_flat(project, store, tmp_path) -> None:
    import pyarrow.parquet

    source = tmp_path / "rows.jsonl"
    row = {"instruction": 'Say, "hi"', "input": "", "output": "hi\nthere"}
    source.write_text(json.dumps(row))
    import_file(project, store, source)
    export(project, store, "alpaca", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [row]
    export(project, store, "trl-sft", tmp_path / "out.parquet")
    (read,) = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [turn["content"] for turn in read["messages"]] == ['Say, "hi"', "hi\nthere"]


@pytest.mark.parametrize(
    ("format", "name", "message"),
    [
        ("trl-sft", "out.csv", "CSV can't hold"),
        ("trl-sft", "out.parquet", "Parquet can't hold"),
        ("trl-sft", "out.txt", "End its name in"),
        ("trl-sft", "absent/out.jsonl", "can't be written"),
        ("trl-kto", "out.jsonl", "no format 'trl-kto'"),
    ],
)
def test_what_can_not_be_written_is_refused(project, filled, tmp_path, format, name, message) -> None:
    with pytest.raises(StudioError, match=message):
        export(project, filled, format, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_an_empty_project_has_nothing_to_export(project, store, tmp_path) -> None:
    with pytest.raises(StudioError, match="no pairs with a better side"):
        export(project, store, "trl-preference", tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


TRAIN = """
import sys
from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
raw = Tokenizer(models.BPE({**letters, "<end>": 256, "<pad>": 257}, []))
raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>", pad_token="<pad>")
tokenizer.chat_template = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}<end>{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
size = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
model, reference = (LlamaForCausalLM(LlamaConfig(vocab_size=258, **size)) for _ in range(2))
rows = load_dataset("json", data_files=sys.argv[1], cache_dir=sys.argv[2])["train"]
assert set(rows.column_names) == {"prompt", "chosen", "rejected"}
config = DPOConfig(sys.argv[2], max_steps=1, per_device_train_batch_size=2, use_cpu=True, report_to="none", bf16=False)
DPOTrainer(model, reference, args=config, train_dataset=rows, processing_class=tokenizer).train()
print("trained on", len(rows))
"""


def test_preferences_are_taken_by_trl_unchanged(project, filled, tmp_path) -> None:
    out = tmp_path / "out.jsonl"
    export(project, filled, "trl-preference", out)
    trained = subprocess.run(
        [sys.executable, "-c", TRAIN, str(out), str(tmp_path / "work")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"},
    )
    assert "trained on 20" in trained.stdout, trained.stderr[-2000:]
