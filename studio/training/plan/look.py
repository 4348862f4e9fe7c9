"""Shows the batch that a run would compute on: `python -m studio.training.plan.look PROJECT`, asked on standard input.

The rows, the data set, the order and the collator are those of a run that is started now; only the model is none. Of
very many rows some are drawn, so that it is a batch like the run's.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from store import runs
from store.database import Store
from studio.errors import StudioError
from studio.models import BaseModel, prepare, resolve
from studio.project import Project, open_project
from studio.rendering import ChatTokenizer
from studio.snapshots import outcomes
from studio.training.fast.attention import Piece
from studio.training.folder import RunFolder
from studio.training.plan.asking import serve
from studio.training.plan.batch import Batch, BatchRow, Part, Request
from studio.training.plan.gathering import gather
from studio.training.plan.question import Question
from studio.training.plan.sampled import MOST_ROWS
from studio.training.recipe import Recipe, make_recipe
from studio.training.rows.data import Tokenised, load_rows, tokenise
from studio.training.rows.run_data import write_data
from studio.training.trainer.starting_point import base_of, template_of


def answer(project_folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    return asdict(look(project_folder, Request(**asked)))


def look(project_folder: Path, request: Request) -> Batch:
    """Build the trainer that a run would have, and take one batch from it.

    Raises:
        StudioError: no row can be trained on, the model can't be read, or batches are made in the run only.
    """
    if request.method == "grpo":
        raise StudioError("A batch of grpo holds answers that are tried in the run, so there is none before it.")
    project = open_project(project_folder)
    with tempfile.TemporaryDirectory() as temporary, project.open_store() as store:
        folder = RunFolder(Path(temporary))
        recipe = (_fill_with if request.examples else _fill)(folder, project, store, request)
        tokenizer = ChatTokenizer.load(folder.tokenizer)
        rows = load_rows(folder.data / "train.jsonl")
        in_all = len(rows)
        if in_all > MOST_ROWS and not request.examples:
            rows = random.Random(recipe.seed).sample(rows, MOST_ROWS)
        train = tokenise(tokenizer, recipe, rows)
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
            drawn_from=0 if len(rows) == in_all else in_all,
        )


def _fill(folder: RunFolder, project: Project, store: Store, request: Request) -> Recipe:
    """Write what a run's folder holds; return the recipe of the run."""
    question = Question(request.method, tuple(request.overrides), request.model, request.parent)
    base = base_of(project, runs.get(store, request.parent) if request.parent else None, request.model)
    prepare(base, "tokenizer")
    gathered = gather(project, store, question)
    _check_rows(gathered.built.snapshot.counts.get("train", 0), gathered.built.left_out)
    gathered.write(folder)
    return _as_the_model_takes_it(gathered.recipe, base)


def _fill_with(folder: RunFolder, project: Project, store: Store, request: Request) -> Recipe:
    """Write what a run's folder holds that trains on chosen examples; return its recipe."""
    recipe = make_recipe(request.method, list(request.overrides))
    base = resolve(request.model or project.settings.model)
    prepare(base, "tokenizer")
    found = outcomes(store, request.kind, request.examples, teacher=recipe.teacher)
    rows = [(each.item._replace(split="train"), each.row) for each in found if each.row]
    _check_rows(len(rows), Counter(each.reason for each in found if not each.row))
    write_data(folder, rows, base, template_of(project, base, None))
    return _as_the_model_takes_it(recipe, base)


def _as_the_model_takes_it(recipe: Recipe, base: BaseModel) -> Recipe:
    """Return the recipe without the fast ways where the model can't be trained so: then its rows are padded."""
    if not recipe.fast or not (base.folder / "config.json").is_file():
        return recipe
    from transformers import AutoConfig

    from studio.training.fast.able import by_its_config

    return replace(recipe, fast=not by_its_config(AutoConfig.from_pretrained(base.folder)))


def _check_rows(number: int, left_out: Mapping[str, int]) -> None:
    if not number:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise StudioError(f"There is no row to train on; left out: {reasons}." if reasons else "There is no row yet.")


def _trainer(recipe: Recipe, folder: RunFolder, train: Tokenised, vocabulary: int) -> Any:
    """Return the trainer of a run, with a model in it that is as good as none."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

    from studio.training.trainer.hardware import Hardware
    from studio.training.trainer.trainers import make_trainer

    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    kind = LlamaForSequenceClassification if recipe.method == "reward" else LlamaForCausalLM
    model = kind(LlamaConfig(vocab_size=vocabulary, num_labels=1, pad_token_id=0, **sizes))
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
    pieces: list[Piece] | None
    """Of a batch without padding: what of it sees what."""

    @classmethod
    def of(cls, recipe: Recipe, collated: Mapping[str, Any], train: Tokenised) -> "_Collated":
        """Take a batch apart."""
        columns = {name: value.tolist() for name, value in collated.items() if hasattr(value, "tolist")}
        known: dict[tuple[int, ...], int] = {}
        for example, row in zip(train.examples, train.rows, strict=True):
            for ids in _sequences(row):
                known.setdefault(tuple(ids), example)
        return cls(recipe.method, columns, known, collated.get("pieces"))

    def __iter__(self) -> Iterator[BatchRow]:
        many = self.columns["input_ids"]
        for number, ids in enumerate(many):
            mask = self.columns.get("attention_mask")
            present = [bool(each) for each in mask[number]] if mask else [True] * len(ids)
            if self.pieces and self.method == "dpo":
                parts = list(self._pairs(ids, self.pieces))
            else:
                side = self._side(number, len(many))
                borders = self._borders(number, sum(present))
                parts = [Part(self.known.get(tuple(ids[start:end])), side, start, end) for start, end in borders]
            yield BatchRow(ids, self._trained(number), present, parts)

    def _pairs(self, ids: list[int], pieces: list[Piece]) -> Iterator[Part]:
        """Yield the prompts and the answers of pairs that lie behind each other."""
        for (start, end, _, _), (again, last, _, fork) in zip(pieces[::2], pieces[1::2], strict=True):
            example = self.known.get(tuple(ids[start:end]))
            for side, begin, until in (("prompt", start, fork), ("chosen", fork, end), ("rejected", again, last)):
                yield Part(example, side, begin, until)

    def _side(self, number: int, of: int) -> str:
        if "labels" in self.columns:
            return ""
        if self.method == "kto":
            return "good" if self.columns["label"][number] else "bad"
        return "chosen" if number < of / 2 else "rejected"

    def _trained(self, number: int) -> list[bool]:
        if "labels" in self.columns:
            return [label != -100 for label in self.columns["labels"][number]]
        if "completion_mask" in self.columns:
            return [bool(each) for each in self.columns["completion_mask"][number]]
        # A reward model reads its score at the end of each answer.
        last = sum(map(bool, self.columns["attention_mask"][number])) - 1
        return [place == last for place in range(len(self.columns["input_ids"][number]))]

    def _borders(self, number: int, length: int) -> Iterator[tuple[int, int]]:
        """Yield where each example begins and ends: packed ones begin where positions begin anew."""
        positions = self.columns["position_ids"][number] if "position_ids" in self.columns else [0]
        starts = [place for place, position in enumerate(positions) if position == 0]
        yield from zip(starts, [*starts[1:], length], strict=True)


def _sequences(row: dict[str, list[int]]) -> list[list[int]]:
    if "input_ids" in row:
        return [row["input_ids"]]
    answers = (row[name] for name in ("chosen_ids", "rejected_ids", "completion_ids") if name in row)
    return [row.get("prompt_ids", []) + answer for answer in answers]


if __name__ == "__main__":
    serve(answer)
