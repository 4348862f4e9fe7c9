"""The batch that a run computes on: what is shown of it is what the trainer's own collator makes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from screens.token_text import Token, tokens_of
from store.database import Store
from studio.as_trained import RowSeen, rows_as_trained
from studio.chat_templates import chosen, set_override
from studio.errors import StudioError
from studio.importing import import_file
from studio.models import BaseModel, prepare
from studio.preview import Preview
from studio.project import Project
from studio.rendering import ChatTokenizer
from studio.snapshots import build
from studio.training.folder import RunFolder
from studio.training.plan.batch import Batch, Request, read_batch
from studio.training.recipe import Recipe, make_recipe
from studio.training.rows.data import Tokenised, load_rows, tokenise
from studio.training.rows.run_data import write_data

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("planning")]

COLUMNS = {"sft": ("input_ids", "labels"), "dpo": ("input_ids", "completion_mask")}
"""Of a batch: the ids, and what of them is counted."""

HARDWARE = ["device=cpu", "dtype=fp32"]


def asked(number: int) -> dict[str, str]:
    return {"role": "user", "content": f"Where is order {number}? <|im_end|>"}


def answered(text: str, **more: object) -> dict[str, object]:
    return {"role": "assistant", "content": text, **more}


@pytest.fixture
def rows(project: Project, store: Store) -> Project:
    """A project with conversations and pairs: short ones, long ones that are cut, and some that can't be learnt."""
    long = "It left on Monday. " * 400
    talks = [{"messages": [asked(n), answered(f"Order {n} left. " * (n % 5 + 1))]} for n in range(16)]
    talks += [{"messages": [asked(n), answered(f"{n}: {long}")]} for n in range(16, 18)]
    talks += [{"messages": [{"role": "user", "content": f"{n} {long}"}, answered("Yes.")]} for n in range(18, 20)]
    talks += [{"messages": [asked(n), answered("No.", weight=0)]} for n in range(20, 22)]
    pairs = [
        {"prompt": [asked(n)], "chosen": [answered(f"Order {n} left. " * (n % 4 + 1))], "rejected": [answered("No.")]}
        for n in range(30, 42)
    ]
    pairs += [{"prompt": [asked(n)], "chosen": [answered(long)], "rejected": [answered("No.")]} for n in range(42, 46)]
    for name, found in (("talks", talks), ("pairs", pairs)):
        path = project.folder / f"{name}.jsonl"
        path.write_bytes(b"\n".join(map(orjson.dumps, found)))
        import_file(project, store, path)
    return project


class Stop(Exception):
    """Raised in the place of the first step, once its batch is known."""


def prepared(project: Project, store: Store, recipe: Recipe, base: BaseModel, path: Path) -> tuple[Any, Tokenised]:
    """Return a run's trainer with the real model, made by the run's own code, and its rows to train on."""
    from studio.training.trainer.hardware import choose
    from studio.training.trainer.model import load_model
    from studio.training.trainer.trainers import make_trainer

    folder = RunFolder(path)
    template = chosen(project, base)
    assert template
    write_data(folder, build(store, "preference" if recipe.method == "dpo" else "sft").rows, base, template)
    tokenizer = ChatTokenizer.load(folder.tokenizer)
    train, held_out = (
        tokenise(tokenizer, recipe, load_rows(folder.data / f"{split}.jsonl")) for split in ("train", "validation")
    )
    few = replace(held_out, rows=held_out.rows[:1])
    prepare(base, "weights")
    hardware = choose(recipe)
    model = load_model(str(base.folder), recipe, hardware)
    return make_trainer(recipe, folder, hardware, model, train, few, None, with_reference=False), train


def first_batch(trainer: Any) -> dict[str, Any]:
    """Return what the very first step of a training is given."""
    given: dict[str, Any] = {}

    def step(_: object, inputs: dict[str, Any], *__: object) -> None:
        given.update(inputs)
        raise Stop

    trainer.training_step = step
    trainer.args.eval_on_start = False
    with pytest.raises(Stop):
        trainer.train()
    return given


def shown_ids(tokens: list[Token]) -> list[int]:
    return [token.id for token in tokens if not token.is_lost]


def shown_labels(tokens: list[Token]) -> list[int]:
    return [token.id if token.is_trained else -100 for token in tokens if not token.is_lost]


def sides(row: RowSeen) -> dict[str, list[Token]]:
    return {seen.side: tokens_of(seen.rendering, seen.special, seen.max_length) for seen in row.sequences}


@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("sft", ["batch_size=3"]),
        ("sft", ["packing=true", "batch_size=2"]),
        ("dpo", ["batch_size=3"]),
        ("sft", ["batch_size=3", "fast=false"]),
        ("dpo", ["batch_size=3", "fast=false"]),
    ],
    ids=["sft", "packed", "dpo", "padded", "padded pairs"],
)
def test_what_is_shown_is_what_the_trainer_computes_on(
    rows: Project, store: Store, tokenizer: ChatTokenizer, base_model: BaseModel, tmp_path: Path, method: Any,
    overrides: list[str],
) -> None:  # fmt: skip
    recipe = make_recipe(method, [*overrides, *HARDWARE])
    trainer, train = prepared(rows, store, recipe, base_model, tmp_path)
    views = {
        row.example: sides(row) for row in rows_as_trained(tokenizer, store, train.examples) if row.method == method
    }
    assert any(token.is_lost for view in views.values() for side in view.values() for token in side), "one is cut"

    # Example by example, through the collator.
    for example, row in zip(train.examples, train.rows, strict=True):
        made = {name: trainer.data_collator([row])[name] for name in COLUMNS[method]}
        fork = len(row["prompt_ids"]) if method == "dpo" and recipe.fast else 0
        for number, tokens in enumerate(views[example].values()):
            ids, counts = (made[name][0 if recipe.fast else number].tolist() for name in COLUMNS[method])
            if fork and number:
                # The second answer follows the first, behind the prompt that they share.
                gap = slice(fork, fork + len(row["chosen_ids"]))
                del ids[gap], counts[gap]
            labels = counts if method == "sft" else [i if c else -100 for i, c in zip(ids, counts, strict=True)]
            length = len(shown_ids(tokens))
            assert ids[:length] == shown_ids(tokens)
            assert labels[:length] == shown_labels(tokens)
            if not fork:
                assert not [label for label in labels[length:] if label != -100], "only padding follows"

    # The first batch, whole.
    batch = read_batch(rows.folder, Request(method, (), tuple(overrides)), lambda: False)
    assert batch is not None
    given = first_batch(trainer)
    assert [row.ids for row in batch.rows] == given["input_ids"].tolist()
    counts = given["completion_mask"] == 1 if method == "dpo" else given["labels"] != -100
    assert [row.trained for row in batch.rows] == counts.tolist()
    if "attention_mask" in given:
        assert [row.present for row in batch.rows] == (given["attention_mask"] == 1).tolist()
    for row in batch.rows:
        for part in row.parts:
            assert part.example is not None
            tokens = views[part.example][part.side if part.side != "prompt" else "chosen"]
            ids, counts = shown_ids(tokens), [label != -100 for label in shown_labels(tokens)]
            if method == "dpo" and recipe.fast:
                fork = counts.index(True)
                of_part = slice(None, fork) if part.side == "prompt" else slice(fork, None)
                ids, counts = ids[of_part], counts[of_part]
            assert row.ids[part.start : part.end] == ids
            assert row.trained[part.start : part.end] == counts
    assert batch.examples_in_all == len(train.rows)
    assert batch.packing == (batch.rows_in_all < batch.examples_in_all)


def chosen_batch(project: Project, **request: Any) -> Batch:
    batch = read_batch(project.folder, Request(**request), lambda: False)
    assert batch is not None
    return batch


def test_chosen_examples_are_one_batch_padded_or_packed(rows: Project) -> None:
    padded = chosen_batch(rows, method="sft", examples=(1, 2, 5), overrides=("fast=false",))
    assert [[part.example for part in row.parts] for row in padded.rows] == [[1], [2], [5]]
    assert padded.rows[0].padding > 0
    assert 0 < padded.padding_share < 1
    for overrides in [("packing=true", "fast=false"), ("packing=true",), ()]:
        [row] = chosen_batch(rows, method="sft", examples=(1, 2, 5), overrides=overrides).rows
        assert {part.example for part in row.parts} == {1, 2, 5}
        assert (row.padding, len(row.ids)) == (0, sum(sum(each.present) for each in padded.rows))


def test_a_template_of_the_project_holds_for_what_is_shown_and_for_the_batch(
    rows: Project, store: Store, base_model: BaseModel
) -> None:
    own = chosen(rows, base_model)
    assert own
    project = set_override(rows, own.text.replace("named SmolLM", "named Nobody"))
    shown = [row for row in rows_as_trained(Preview(project).tokenizer(), store, [1, 2, 17]) if row.method == "sft"]
    assert all("named Nobody" in seen.rendering.text for row in shown for seen in row.sequences)
    batch = chosen_batch(project, method="sft", examples=(1, 2, 17))
    [made] = batch.rows
    for row, part in zip(shown, made.parts, strict=True):
        tokens = sides(row)[""]
        assert made.ids[part.start : part.end] == shown_ids(tokens)
        assert made.trained[part.start : part.end] == [label != -100 for label in shown_labels(tokens)]


def test_what_leaves_no_row_is_said_in_trainings_words(rows: Project) -> None:
    with pytest.raises(StudioError, match="the weight 0"):
        read_batch(rows.folder, Request("sft", (21,)), lambda: False)
    with pytest.raises(StudioError, match="left out: 1 without an answer"):
        read_batch(rows.folder, Request("sft", (23,)), lambda: False)


def test_a_batch_that_nobody_waits_for_is_broken_off(rows: Project) -> None:
    assert read_batch(rows.folder, Request("sft"), lambda: True) is None


def test_rows_that_training_leaves_out_say_why(rows: Project, store: Store, tokenizer: ChatTokenizer) -> None:
    found = {(row.example, row.method): row for row in rows_as_trained(tokenizer, store, [19, 21, 23])}
    too_long, weightless, asked_only = found[19, "sft"], found[21, "sft"], found[23, "sft"]
    assert "fills max_length=1024" in too_long.sequences[0].left_out
    assert "weight 0" in weightless.sequences[0].left_out
    assert asked_only.left_out == "without an answer"
    assert [seen.side for seen in found[23, "dpo"].sequences] == ["chosen", "rejected"]


def test_packed_examples_do_not_see_each_other(
    rows: Project, store: Store, base_model: BaseModel, tmp_path: Path
) -> None:
    import torch

    recipe = make_recipe("sft", ["packing=true", "fast=false", *HARDWARE])
    trainer, train = prepared(rows, store, recipe, base_model, tmp_path)
    few = [{**row, "seq_lengths": [len(row["input_ids"])]} for row in train.rows if len(row["input_ids"]) < 100][:3]
    joined = {name: [value for row in few for value in row[name]] for name in few[0]}
    with torch.no_grad():
        together = trainer.model(**trainer.data_collator([joined])).logits
        alone = [trainer.model(**trainer.data_collator([row])).logits for row in few]
    assert torch.allclose(together, torch.cat(alone, dim=1), atol=1e-3)


def test_a_model_that_lets_packed_examples_see_each_other_is_refused(
    rows: Project, store: Store, base_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    collate = DataCollatorForLanguageModeling.torch_call

    def without_positions(self: Any, found: Any) -> Any:
        return {name: value for name, value in collate(self, found).items() if name in ("input_ids", "labels")}

    monkeypatch.setattr(DataCollatorForLanguageModeling, "torch_call", without_positions)
    with pytest.raises(StudioError, match="packed examples see each other"):
        prepared(rows, store, make_recipe("sft", ["packing=true", "fast=false", *HARDWARE]), base_model, tmp_path)
