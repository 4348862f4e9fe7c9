"""What LLaMA-Factory and Axolotl need beside a data file: how their settings describe it."""

import json
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Any

from studio.formats.shape import Companion, MakesCompanion

MESSAGE_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}
"""What LLaMA-Factory must be told where turns have a role and a content instead of from and value."""


def dataset_info(columns: Mapping[str, str], **settings: Any) -> MakesCompanion:
    """Return what makes LLaMA-Factory's `dataset_info.json`; `columns` gives our column for each of its names."""

    def make(file_name: str, present: Collection[str] | None = None, /) -> Companion:
        # LLaMA-Factory fails on a column that is named here and is not in the file.
        named = {theirs: ours for theirs, ours in columns.items() if present is None or ours in present}
        entry = {PurePath(file_name).stem: {"file_name": file_name, **settings, "columns": named}}
        return Companion("dataset_info.json", json.dumps(entry, ensure_ascii=False, indent=2) + "\n")

    return make


def axolotl(type: str, *lines: str, top: tuple[str, ...] = ()) -> MakesCompanion:
    """Return what makes the part of an Axolotl configuration that names a data set."""

    def make(file_name: str, present: Collection[str] | None = None, /) -> Companion:  # noqa: ARG001
        suffix = PurePath(file_name).suffix.lower().lstrip(".")
        kind = {"jsonl": "json"}.get(suffix, suffix or "json")
        described = (f"ds_type: {kind}", "split: train", f"type: {type}", *lines)
        # JSON's way of quoting is one of YAML's.
        path = f"  - path: {json.dumps(file_name, ensure_ascii=False)}"
        text = "\n".join((*top, "datasets:", path, *(f"    {line}" for line in described)))
        return Companion(f"{file_name}.axolotl.yaml", text + "\n")

    return make
