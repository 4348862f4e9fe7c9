"""The whole loop with the real default model, by the command line alone: import, train, prove, chat, export."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from studio.inference.proof import read
from studio.training.folder import RunFolder

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("screens")]

PLACES = [
    "Whitby",
    "Leeds",
    "Hull",
    "Ripon",
    "Selby",
    "Thirsk",
    "Malton",
    "Filey",
    "Otley",
    "Goole",
    "Skipton",
    "Redcar",
]


def studio(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "studio", *arguments, "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def studio_json(*arguments: str, folder: Path) -> Any:
    return json.loads(studio(*arguments, "--json", folder=folder))


def pair(place: str, order: int) -> dict[str, str]:
    return {
        "prompt": f"My parcel {order} to {place} has not come. What now?",
        "chosen": f"Thank you for telling us. We will post order {order} to {place} again on Thursday.",
        "rejected": "No. Wait.",
    }


def test_from_a_file_to_a_tuned_model_and_back_to_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    rows = [pair(place, 100 + number) for number, place in enumerate(PLACES * 2)]
    (tmp_path / "pairs.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    subprocess.run([sys.executable, "-m", "studio", "new", str(folder)], check=True, capture_output=True)
    studio("import", str(tmp_path / "pairs.jsonl"), folder=folder)

    changes = ("epochs=1", "learning_rate=3e-4", "samples=0", "general_text=false")
    asked = [word for change in changes for word in ("--set", change)]
    run_id = studio("train", "dpo", "--wait", *asked, folder=folder).split()[0]
    shown = studio_json("runs", run_id, folder=folder)
    result = shown["run"]["result"]
    assert shown["run"]["status"] == "done"
    assert result["train_loss_last"] < result["train_loss_first"]
    assert result["held_out_loss"] < result["held_out_loss_before"]
    assert result["held_out_accuracy"] > 0.5
    assert result["parity"].startswith("equal: ")
    assert "; logits: the same likeliest token at " in result["parity"]
    evidence = read(RunFolder(folder / "runs" / run_id).path)
    assert evidence is not None
    assert evidence.equal

    held_out = (folder / "runs" / run_id / "data" / "validation.jsonl").read_bytes().splitlines()
    question = orjson.loads(held_out[0])["prompt"][0]["content"]
    ask = ["--message", question, "--temperature", "0", "--max-tokens", "40"]
    base = studio_json("chat", "smollm2", *ask, folder=folder)
    tuned = studio_json("chat", run_id, *ask, folder=folder)
    assert base["stats"]["prompt_tokens"] == tuned["stats"]["prompt_tokens"]
    assert base["reply"].strip()
    assert tuned["reply"].strip()
    assert base["reply"] != tuned["reply"]

    out = tmp_path / "out.jsonl"
    studio("export", "trl-preference", str(out), folder=folder)
    written = {json.dumps(orjson.loads(line)["prompt"]) for line in out.read_bytes().splitlines()}
    assert written == {json.dumps([{"role": "user", "content": row["prompt"]}]) for row in rows}
