"""The model card: what somebody who gets a trained model should know of it, with the head that the hub reads."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from studio.inference.quantising.report import Report
from studio.inference.quantising.verdict import judge, recommend
from studio.inference.quantising.words import TITLES, before, fallback_lines, row
from studio.release.scripts import SYSTEM, TEMPLATE, server_line, studio_line
from studio.release.story import Story
from studio.training.elsewhere.yaml_text import as_yaml
from studio.training.recipe import METHODS_IN_WORDS

FIGURES = {
    "held_out_loss": "loss on held-out rows",
    "held_out_loss_before": "the same before training",
    "held_out_accuracy": "held-out pairs ranked rightly",
    "held_out_accuracy_95": "its 95 % interval",
    "held_out_margin": "margin on held-out pairs",
    "held_out_reward": "reward of answers to held-out prompts",
    "train_loss_first": "training loss at the first step",
    "train_loss_last": "training loss at the last step",
    "steps": "steps",
    "kept_step": "step whose weights were kept",
}
"""Results of a run that its reader wants, in words."""

FEW_HELD_OUT = 100
"""With fewer held-out rows an interval is wider than most differences that matter."""

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Contents:
    """What is in the bundle that the card is of."""

    ggufs: tuple[str, ...]
    """Whole models, by path: 16-bit floats first."""
    chosen: str
    """The one that the lines of use name; empty without any."""
    context: int
    has_model: bool
    has_adapter: bool
    has_adapter_gguf: bool
    base_files: tuple[str, ...]
    """Of the base model, where it was carried along."""
    scores: bool
    """Whether it is a reward model, which scores answers and writes none."""
    notes: tuple[str, ...]
    """What is left out of the bundle or of a file in it, and why."""


def model_card(story: Story, contents: Contents) -> str:
    """Return the card."""
    sections: list[tuple[str, Iterator[str]]] = [
        ("What it is for", _purpose(story, contents)),
        ("How to use it", _use(contents)),
        ("Data", _data(story)),
        ("Recipe", _recipe(story)),
        ("Results", _results(story)),
        ("The same in training and in use", _parity(story, contents)),
        ("Quantised forms", _quantised(story.reports, contents)),
        ("Limits", _limits(story, contents)),
        ("Files", _files(contents)),
    ]
    text = [_head(story, contents), f"# {_line(story.name or story.run)}", ""]
    text += [f"{story.note}\n"] if story.note else []
    text.append(f"{story.base.name}, fine-tuned by Tuning Studio in the project {_line(story.project)} ({story.run}).")
    for title, lines in sections:
        if found := list(lines):
            text += ["", f"## {title}", "", *found]
    return "\n".join(text) + "\n"


def _head(story: Story, contents: Contents) -> str:
    recipe = story.recipe
    tags = ["tuning-studio", recipe.method, *(["lora"] if contents.has_adapter else [])]
    head: dict[str, Any] = {
        "base_model": story.base.name,
        "base_model_relation": "finetune",
        **({"license": story.base.licence} if story.base.licence else {}),
        "library_name": "transformers" if contents.has_model else "peft",
        "pipeline_tag": "text-classification" if contents.scores else "text-generation",
        "tags": [*tags, *(["gguf", "conversational"] if contents.ggufs else [])],
        **({"datasets": [source.name for source in story.sources]} if story.sources else {}),
    }
    return f"---\n{as_yaml(head)}---"


def _purpose(story: Story, contents: Contents) -> Iterator[str]:
    assistant = story.assistant
    if contents.scores:
        yield "It scores answers as the people did who judged the pairs it learnt from. It writes no answers."
        return
    if assistant.purpose:
        yield _line(assistant.purpose)
    elif not story.system:
        yield "The project does not say what it is for (`[assistant]` in its studio.toml)."
    if assistant.refuses:
        yield from ("", "It must refuse:", "")
        yield from (f"- {_line(each)}" for each in assistant.refuses)
        yield from ("", "That is asked of it in its system text; nothing makes it obey. Try it before you rely on it.")
    if story.system:
        yield from ("", f"`{SYSTEM}` is the system text that it is meant to run under.")


def _use(contents: Contents) -> Iterator[str]:
    if contents.scores:
        yield "llama.cpp and Ollama run no model that scores: there is no GGUF, no Modelfile and no system text here."
        yield from ("", *_python(_SCORING if contents.has_model else _SCORING_ADAPTER))
        return
    if contents.chosen:
        gguf, context = contents.chosen, contents.context
        yield from ("llama.cpp (`./run.sh`):", "", f"    {server_line(gguf, context)}", "")
        yield from ("Ollama:", "", "    ollama create NAME -f Modelfile", "    ollama run NAME", "")
        yield from ("Tuning Studio, in the folder of a project:", "", f"    {studio_line(gguf, context)}", "")
    if contents.has_model:
        yield from ("transformers:", "", *_python(_WHOLE))
    if contents.has_adapter:
        yield from ("", "The adapter alone, over the base model:", "", *_python(_ADAPTER))


def _data(story: Story) -> Iterator[str]:
    counts = story.counts
    yield from ("| split | rows |", "|---|---|")
    yield from (f"| {name} | {counts[name]:,} |" for name in SPLITS if isinstance(counts.get(name), int))
    left = counts.get("left_out") or {}
    if left:
        yield from ("", "Left out: " + ", ".join(f"{_line(why)} {number:,}" for why, number in left.items()) + ".")
    if story.sources:
        yield from ("", "Imported into the project from:", "")
        yield from (f"- {_line(source.name)}, {source.rows:,} rows" for source in story.sources)
        yield from ("", "No licence of these files is recorded: see that you may publish what was learnt from them.")
    yield from ("", "None of the rows is in this bundle.")


def _recipe(story: Story) -> Iterator[str]:
    recipe = story.recipe
    said = asdict(recipe)
    lora = f", rank {recipe.lora_rank}, alpha {recipe.lora_alpha}" if recipe.tuning == "lora" else ""
    batch = recipe.batch_size * recipe.gradient_accumulation
    yield f"- Method: {recipe.method}: {METHODS_IN_WORDS[recipe.method]}."
    yield f"- Base model: {story.base.name}, SHA-256 `{story.base.hash}`."
    yield f"- Trained: {'all weights' if recipe.tuning == 'full' else f'a LoRA adapter{lora}'}."
    yield (
        f"- {recipe.epochs:g} epochs, batches of {batch} rows, learning rate {recipe.learning_rate:g}, "
        f"{recipe.max_length:,} tokens a row at most, seed {said['seed']}."
    )
    yield "- `recipe.toml` has every setting."


def _results(story: Story) -> Iterator[str]:
    result = story.result
    rows = [f"| {words} | {_figure(result[name])} |" for name, words in FIGURES.items() if result.get(name) is not None]
    if rows:
        yield from ("| measured | |", "|---|---|", *rows)
    else:
        yield "Nothing was measured on held-out rows."
    yield from ("", *_forgetting(result))
    yield from ("", *_checks(story.reports))


def _forgetting(result: dict[str, Any]) -> Iterator[str]:
    first, last = result.get("general_loss_before"), result.get("general_loss_after")
    if not isinstance(first, float) or not isinstance(last, float):
        yield "Forgetting: not measured (`general_text` in the recipe)."
        return
    yield f"Forgetting: the loss on general text went from {first:.4g} to {last:.4g} ({last / first - 1:+.1%})."
    if warning := result.get("general_warning"):
        yield _line(str(warning))


def _checks(reports: Sequence[Report]) -> Iterator[str]:
    test = next((report.test for report in reports if report.test and report.test.checks), None)
    if test is None:
        yield "The project's checks were not run on its answers."
        return
    yield from ("Answers to held-out prompts that pass the project's checks, in 16-bit floats:", "")
    yield from ("| check | passes | of |", "|---|---|---|")
    yield from (f"| {_line(check.name)} | {check.passed_before:,} | {check.of:,} |" for check in test.checks)


def _parity(story: Story, contents: Contents) -> Iterator[str]:
    if contents.scores:
        return
    if story.parity:
        yield f"Proof that llama.cpp runs what was trained: {_line(story.parity).rstrip('.')}."
    else:
        yield f"It was not proven that llama.cpp runs what was trained: `studio parity {story.run}` does that."


def _quantised(reports: Sequence[Report], contents: Contents) -> Iterator[str]:
    if contents.scores:
        return
    if not reports:
        yield "None is in this bundle: the GGUF is in 16-bit floats."
        return
    yield from (f"| {' | '.join(TITLES)} |", "|" + "---|" * len(TITLES))
    for report in (before(reports), *reports):
        if report:
            yield f"| {' | '.join(cell or ' ' for cell in row(report))} |"
    yield ""
    tests = [report.test for report in reports if report.test]
    if tests:
        yield (
            f"Measured on {tests[0].texts:,} held-out texts ({tests[0].tokens:,} tokens of answers) against the model "
            "in 16-bit floats. KL is in nats a token; `same top` is how often both find the same token likeliest."
        )
        yield f"Recommended: {recommend(reports).why}"
    if any(judge(report).level == "untested" for report in reports):
        yield "What is not tested may be worse than it looks: nothing is known of what it costs."
    yield from (line for report in reports for line in fallback_lines(report))


def _limits(story: Story, contents: Contents) -> Iterator[str]:
    held_out = story.counts.get("validation", 0)
    if held_out < FEW_HELD_OUT:
        yield f"- Only {held_out:,} rows were held out: the results above are rough."
    yield "- Nothing here says how it does on questions unlike those of its data, or on whether what it says is true."
    yield "- What the base model gets wrong, it may get wrong still; the terms of its licence hold."
    if contents.ggufs:
        yield (
            "- llama.cpp's server and Ollama read special tokens in what users write as such, so that a user can "
            "pretend to be the system. `studio serve` reads them as text."
        )
    yield from (f"- {note}" for note in contents.notes)
    if not story.base.licence:
        yield "- The base model does not say its licence: find it before you pass this on."
    if "/" not in story.base.name:
        yield "- `base_model` above is this machine's name for it: the hub wants OWNER/NAME."


def _files(contents: Contents) -> Iterator[str]:
    if contents.has_model:
        yield "- `model/`: the whole model as transformers reads it, with tokenizer and chat template"
    for gguf in contents.ggufs:
        yield f"- `{gguf}`: the whole model for llama.cpp and Ollama"
    if contents.has_adapter:
        yield "- `adapter/`: what was trained, in PEFT's form"
    if contents.has_adapter_gguf:
        yield "- `adapter.gguf`: the same for llama.cpp, over any quantisation of the base (`--lora`)"
    if contents.base_files:
        yield f"- `base/`: the base model ({', '.join(name.removeprefix('base/') for name in contents.base_files)})"
    yield f"- `{TEMPLATE}`: the chat template that training used; `tokenizer/`: the tokenizer with it"
    yield "- `recipe.toml`, `bundle.json`: how it was made, and of what"
    yield "- `SHA256SUMS`: see that nothing got lost on the way with `sha256sum -c SHA256SUMS`"


_WHOLE = """\
from transformers import AutoModelForCausalLM, AutoTokenizer
model, tokenizer = AutoModelForCausalLM.from_pretrained("model"), AutoTokenizer.from_pretrained("model")
messages = [{"role": "user", "content": "..."}]
ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
print(tokenizer.decode(model.generate(**ids, max_new_tokens=300)[0][ids["input_ids"].shape[1]:]))"""

_ADAPTER = """\
from peft import PeftModel
from transformers import AutoModelForCausalLM
base = AutoModelForCausalLM.from_pretrained("BASE_MODEL")
model = PeftModel.from_pretrained(base, "adapter")"""

_SCORING_ADAPTER = """\
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer
base = AutoModelForSequenceClassification.from_pretrained("BASE_MODEL", num_labels=1)
model, tokenizer = PeftModel.from_pretrained(base, "adapter"), AutoTokenizer.from_pretrained("tokenizer")"""

_SCORING = """\
from transformers import AutoModelForSequenceClassification, AutoTokenizer
model = AutoModelForSequenceClassification.from_pretrained("model")
tokenizer = AutoTokenizer.from_pretrained("model")"""


def _python(code: str) -> list[str]:
    return ["```python", *code.splitlines(), "```"]


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else _line(str(value)).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())
