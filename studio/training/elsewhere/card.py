"""What somebody who gets a trained model should know of it: its README, and how Ollama takes it."""

from dataclasses import dataclass
from typing import Any

from studio.training.elsewhere.yaml_text import as_yaml
from studio.training.recipe import METHODS_IN_WORDS, Recipe


@dataclass(frozen=True)
class Trained:
    """A run that has ended, as its card tells of it."""

    run: str
    name: str
    note: str
    project: str
    base_model: str
    base_hash: str
    recipe: Recipe
    counts: dict[str, Any]
    """Rows of each split."""
    result: dict[str, Any]
    files: frozenset[str]
    """The top of what is in the bundle."""
    base_file: str
    """Where the base model's GGUF lies in the bundle, or where to put it."""


def model_card(trained: Trained) -> str:
    """Return the README of a bundle to use, with the head that the Hugging Face hub reads."""
    recipe = trained.recipe
    library = "peft" if "adapter" in trained.files else "transformers"
    head = {"base_model": trained.base_model, "library_name": library, "tags": ["tuning-studio", recipe.method]}
    rows = ", ".join(f"{name} {trained.counts[name]:,}" for name in ("train", "validation") if name in trained.counts)
    figures = [f"| {name} | {_figure(value)} |" for name, value in trained.result.items()]
    return "\n".join(
        [
            "---",
            as_yaml(head).rstrip("\n"),
            "---",
            f"# {trained.name or trained.run}",
            "",
            f"{trained.note}\n" if trained.note else "",
            f"Trained by Tuning Studio in the project {trained.project} ({trained.run}): "
            f"{recipe.method}, {METHODS_IN_WORDS[recipe.method]}.",
            "",
            f"- Base model: {trained.base_model}, SHA-256 `{trained.base_hash}`.",
            f"- Rows: {rows}." if rows else "- Rows: not counted.",
            "- `recipe.toml` has every setting; `tokenizer/chat_template.jinja` is the template it was trained with.",
            "",
            "| measured | |",
            "|---|---|",
            *figures,
            "",
            *_uses(trained),
        ]
    )


def modelfile(trained: Trained) -> str:
    """Return what `ollama create NAME -f Modelfile` reads."""
    start = f"FROM ./{'model.gguf' if 'model.gguf' in trained.files else trained.base_file}"
    adapter = ["ADAPTER ./adapter.gguf"] if "adapter.gguf" in trained.files else []
    note = (
        "# Ollama takes the chat template from the GGUF. Where `ollama show --template` says another than\n"
        "# tokenizer/chat_template.jinja, write that one here as TEMPLATE, in Ollama's own language."
    )
    return "\n".join([note, start, *adapter, ""])


def _uses(trained: Trained) -> list[str]:
    lines = ["## Using it", ""]
    if "adapter" in trained.files:
        lines += [
            "```python",
            "from peft import PeftModel",
            "from transformers import AutoModelForCausalLM",
            'base = AutoModelForCausalLM.from_pretrained("BASE_MODEL")',
            'model = PeftModel.from_pretrained(base, "adapter")',
            "```",
            "",
        ]
    if "model.gguf" in trained.files:
        lines += ["    llama-cli -m model.gguf", ""]
    elif "adapter.gguf" in trained.files:
        lines += [f"    llama-cli -m {trained.base_file} --lora adapter.gguf", ""]
    if trained.files & {"model.gguf", "adapter.gguf"}:
        lines += ["    ollama create NAME -f Modelfile", ""]
    return lines


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|").replace("\n", " ")
