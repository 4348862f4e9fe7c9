"""What a run's folder is given: the rows of both splits, the tokenizer and the chat template."""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import orjson

from store.snapshots import SnapshotItem
from studio.chat_templates import ChatTemplate
from studio.checks.settings import Check, write_checks
from studio.models import BaseModel
from studio.snapshot_rows import SnapshotRow
from studio.training.folder import SPLITS, RunFolder

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def write_data(
    folder: RunFolder,
    rows: list[tuple[SnapshotItem, SnapshotRow]],
    base: BaseModel,
    template: ChatTemplate,
    checks: Collection[Check] = (),
) -> None:
    """Write all that rows are made into tokens of: the rows of both splits, the tokenizer, the chat template.

    Args:
        folder: the run's.
        rows: those of both splits.
        base: the model whose tokenizer it is.
        template: the chat template.
        checks: what rewards an answer, where the method learns by trying.
    """
    for sub in (folder.data, folder.tokenizer, folder.checkpoints):
        sub.mkdir()
    for name in TOKENIZER_FILES:
        if (base.folder / name).is_file():
            shutil.copyfile(base.folder / name, folder.tokenizer / name)
    for split in SPLITS:
        _write_rows(folder.data / f"{split}.jsonl", [pair for pair in rows if pair[0].split == split])
    folder.chat_template.write_text(template.text, encoding="utf-8")
    if checks:
        write_checks(folder.checks, checks)


def _write_rows(path: Path, rows: list[Any]) -> None:
    with path.open("wb") as file:
        for item, row in rows:
            content = {name: value for name, value in row._asdict().items() if value is not None}
            file.write(orjson.dumps({"example": item.example_id, **content}) + b"\n")
