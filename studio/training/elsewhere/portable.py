"""What was trained, without the places of this machine: PEFT writes down where the base model lay."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.training.course.checkpoints import SEAL
from studio.training.elsewhere.packing import Content

_CONFIG = "adapter_config.json"
_CARD = "README.md"
_ARGUMENTS = "training_args.bin"
"""TRL's arguments with the run's folder and the machine's name among them, which nothing reads."""


def portable(files: Mapping[str, Content], base_model: str) -> dict[str, Content]:
    """Return files by their path, with the base model's name in the place of where it lies here."""
    found = {name: content for name, content in files.items() if not name.endswith(f"/{_ARGUMENTS}")}
    for name in [name for name in found if name.endswith(f"/{_CONFIG}")]:
        folder = name.removesuffix(_CONFIG)
        told = json.loads(_read(found[name]))
        place = told.get("base_model_name_or_path") or ""
        found[name] = json.dumps({**told, "base_model_name_or_path": base_model}, indent=2).encode()
        if place and f"{folder}{_CARD}" in found:
            card = _read(found[f"{folder}{_CARD}"])
            found[f"{folder}{_CARD}"] = card.replace(place.encode(), base_model.encode())
    for name in [name for name in found if name.endswith(f"/{SEAL}")]:
        found[name] = _sealed_anew(found, name.removesuffix(SEAL), json.loads(_read(found[name])))
    return found


def _sealed_anew(files: Mapping[str, Content], folder: str, seal: dict[str, Any]) -> bytes:
    """Let a checkpoint's seal say what became of the files that were changed or left out, and of no others."""
    sizes = {name: size for name, size in seal["sizes"].items() if not f"/{name}".endswith(f"/{_ARGUMENTS}")}
    changed = {name: len(content) for name in sizes if isinstance(content := files.get(f"{folder}{name}"), bytes)}
    return json.dumps({**seal, "sizes": sizes | changed}).encode()


def _read(content: Content) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content
