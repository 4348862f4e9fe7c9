"""How a run on the demo ranks the pairs whose verdicts the demo holds back: `held_back_accuracy.py PROJECT RUN`.

These are e-mails that no training saw. Takes about five minutes on two cores for the default model.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from store.examples import Message
from studio import templates
from studio.models import resolve
from studio.project import open_project
from studio.rendering import ChatTokenizer, render
from studio.statistics.shares import wilson
from studio.training.folder import RunFolder, read_description

SAMPLE = files("sample_data") / "support"


def main() -> None:
    """Print the share that is ranked as the manager did, beside what length alone would give."""
    project = open_project(Path(sys.argv[1]))
    folder = RunFolder(project.runs / sys.argv[2])
    assert project.settings.template is not None, "this is for the demo project"
    tokenizer = ChatTokenizer.load(folder.tokenizer)
    base = AutoModelForCausalLM.from_pretrained(
        resolve(read_description(folder).base_model).folder, dtype=torch.bfloat16
    )
    model = PeftModel.from_pretrained(base, str(folder.adapter)).eval()
    verdicts = {row["id"]: row["verdict"] for row in _rows("held_back_verdicts.jsonl")}
    right = longer = pairs = 0
    for email in _rows("emails.jsonl"):
        if verdicts.get(email["id"]) not in ("first", "second"):
            continue
        row = templates.apply(project.settings.template, email)
        better, worse = (candidate.messages for candidate in row.candidates)
        if verdicts[email["id"]] == "second":
            better, worse = worse, better
        pairs += 1
        right += reward(model, tokenizer, row.messages, better) > reward(model, tokenizer, row.messages, worse)
        longer += len(better[0]["content"]) > len(worse[0]["content"])
    print(f"ranked rightly: {wilson(right, pairs)}; by taking the longer one: {wilson(longer, pairs)}")


def reward(model: Any, tokenizer: ChatTokenizer, prompt: list[Message], answer: list[Message]) -> float:
    """Return DPO's implicit reward but for beta: how much likelier the answer is than under the base model."""
    rendering = render(tokenizer, prompt + answer)
    tuned = log_probability(model, rendering.ids, rendering.prompt_length)
    with model.disable_adapter():
        return tuned - log_probability(model, rendering.ids, rendering.prompt_length)


@torch.no_grad()
def log_probability(model: Any, ids: list[int], start: int) -> float:
    """Return the log-probability of the ids from `start` on, given those before."""
    tokens = torch.tensor([ids])
    logits = model(tokens).logits[0, start - 1 : -1].float().log_softmax(-1)
    return float(logits.gather(1, tokens[0, start:, None]).sum())


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
