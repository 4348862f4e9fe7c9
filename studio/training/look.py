"""Shows the batch that a run would compute on: `python -m studio.training.look PROJECT`, a request on standard input.

The rows, the data set, the order and the collator are those of a run that is started now; only the model is none.
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from studio.chat_templates import chosen
from studio.errors import StudioError
from studio.models import prepare, resolve
from studio.project import Project, open_project
from studio.rendering import ChatTokenizer
from studio.snapshots import build, outcomes
from studio.training.batch import Batch, BatchRow, Part, Request
from studio.training.data import Tokenised, load_rows, tokenise
from studio.training.folder import RunFolder
from studio.training.launch import write_data
from studio.training.recipe import Recipe, make_recipe


def main() -> None:
    """Answer one request as JSON; say what went wrong in the last line of standard error."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
    # Libraries that print must not write into the answer.
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        try:
            batch = look(Path(sys.argv[1]), Request(**orjson.loads(sys.stdin.buffer.read())))
        except StudioError as error:
            sys.exit(str(error).replace("\n", " "))
        answer.write(orjson.dumps(asdict(batch)))


def look(project_folder: Path, request: Request) -> Batch:
    """Build the trainer that a run would have, and take one batch from it.

    Raises:
        StudioError: no row can be trained on, or the model can't be read.
    """
    recipe = make_recipe(request.method, list(request.overrides))
    with tempfile.TemporaryDirectory() as temporary:
        folder = RunFolder(Path(temporary))
        _fill(folder, open_project(project_folder), request)
        tokenizer = ChatTokenizer.load(folder.tokenizer)
        rows = load_rows(folder.data / "train.jsonl")
        train = tokenise(tokenizer, recipe.method, rows, recipe.max_length)
        if not train.rows:
            first = f"; the first is {train.problems[0]}" if train.problems else ""
            raise StudioError(f"No row can be rendered within max_length={recipe.max_length}{first}.")
        if request.examples:
            recipe = replace(recipe, batch_size=len(train.rows))
        trainer = _trainer(recipe, folder, train, max(tokenizer.tokenizer.get_vocab().values()) + 1)
        collated = _together(trainer) if request.examples else next(iter(trainer.get_train_dataloader()))
        return Batch(
            method=recipe.method,
            packing=recipe.packing,
            max_length=recipe.max_length,
            batch_size=recipe.batch_size,
            rows=list(_Collated.of(recipe, collated, train)),
            rows_in_all=len(trainer.train_dataset),
            examples_in_all=len(train.rows),
            left_out=len(rows) - len(train.rows),
        )


def _fill(folder: RunFolder, project: Project, request: Request) -> None:
    """Write what a run's folder holds; of chosen examples all are rows to train on."""
    base = resolve(project.settings.model)
    prepare(base, "tokenizer")
    template = chosen(project, base)
    if template is None:
        raise StudioError(f"{base.name} has no chat template.")
    rows, left_out = _rows(project, request)
    if not any(item.split == "train" for item, _ in rows):
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise StudioError(f"There is no row to train on; left out: {reasons}." if reasons else "There is no row yet.")
    write_data(folder, rows, base, template)


def _rows(project: Project, request: Request) -> tuple[list[Any], Mapping[str, int]]:
    """Return the rows of a run, or those of the examples that are asked for; and why others are left out."""
    with project.open_store() as store:
        if not request.examples:
            built = build(project, store, request.kind)
            return built.rows, built.left_out
        found = outcomes(store, request.kind, request.examples)
    rows = [(each.item._replace(split="train"), each.row) for each in found if each.row]
    return rows, Counter(each.reason for each in found if not each.row)


def _trainer(recipe: Recipe, folder: RunFolder, train: Tokenised, vocabulary: int) -> Any:
    """Return the trainer of a run, with a model in it that is as good as none."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from studio.training.hardware import Hardware
    from studio.training.trainers import make_trainer

    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, **sizes))
    model.config.use_cache = False
    hardware = Hardware("cpu", torch.float32, "processor")
    held_out = replace(train, rows=train.rows[:1])
    return make_trainer(recipe, folder, hardware, model, train, held_out, None, with_reference=False)


def _together(trainer: Any) -> Mapping[str, Any]:
    """Return all rows as one batch, in their order."""
    rows = trainer.train_dataset
    found: Mapping[str, Any] = trainer.data_collator([rows[i] for i in range(len(rows))])
    return found


@dataclass(frozen=True)
class _Collated:
    """The rows of a batch; the examples are known by their ids, since a collator keeps nothing else."""

    method: str
    columns: dict[str, list[list[int]]]
    known: dict[tuple[int, ...], int]

    @classmethod
    def of(cls, recipe: Recipe, collated: Mapping[str, Any], train: Tokenised) -> "_Collated":
        """Take a batch apart."""
        columns = {name: value.tolist() for name, value in collated.items() if hasattr(value, "tolist")}
        known: dict[tuple[int, ...], int] = {}
        for example, row in zip(train.examples, train.rows, strict=True):
            for ids in _sequences(row):
                known.setdefault(tuple(ids), example)
        return cls(recipe.method, columns, known)

    def __iter__(self) -> Iterator[BatchRow]:
        many = self.columns["input_ids"]
        for number, ids in enumerate(many):
            mask = self.columns.get("attention_mask")
            present = [bool(each) for each in mask[number]] if mask else [True] * len(ids)
            side = "" if self.method == "sft" else "chosen" if number < len(many) / 2 else "rejected"
            borders = self._borders(number, sum(present))
            parts = [Part(self.known.get(tuple(ids[start:end])), side, start, end) for start, end in borders]
            yield BatchRow(ids, self._trained(number), present, parts)

    def _trained(self, number: int) -> list[bool]:
        if "labels" in self.columns:
            return [label != -100 for label in self.columns["labels"][number]]
        return [bool(each) for each in self.columns["completion_mask"][number]]

    def _borders(self, number: int, length: int) -> Iterator[tuple[int, int]]:
        """Yield where each example begins and ends: packed ones begin where positions begin anew."""
        positions = self.columns["position_ids"][number] if "position_ids" in self.columns else [0]
        starts = [place for place, position in enumerate(positions) if position == 0]
        yield from zip(starts, [*starts[1:], length], strict=True)


def _sequences(row: dict[str, list[int]]) -> list[list[int]]:
    if "input_ids" in row:
        return [row["input_ids"]]
    return [row["prompt_ids"] + row[side] for side in ("chosen_ids", "rejected_ids")]


if __name__ == "__main__":
    main()
