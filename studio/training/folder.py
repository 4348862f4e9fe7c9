"""A run's folder: where everything lies, and the small files through which the trainer speaks."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from store.runs import RunStatus
from studio.training.course import checkpoints

SPLITS = ("train", "validation")
"""What a run's data is parted into: what it learns, and what it is measured with."""


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run; self-contained, so that it can be copied to another machine."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The recipe, as TOML."""
        return self.path / "recipe.toml"

    @property
    def description(self) -> Path:
        """What the run was started with, as JSON: see `Description`."""
        return self.path / "run.json"

    @property
    def data(self) -> Path:
        """`train.jsonl` and `validation.jsonl`."""
        return self.path / "data"

    @property
    def checks(self) -> Path:
        """The checks that reward an answer, as JSON; only where the method learns by trying."""
        return self.data / "checks.json"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer and chat template that training used, and that chat must use."""
        return self.path / "tokenizer"

    @property
    def chat_template(self) -> Path:
        """The chat template alone, where every reader of a tokenizer's folder looks first."""
        return self.tokenizer / "chat_template.jinja"

    @property
    def checkpoints(self) -> Path:
        """The trainer's checkpoints, each with all that a resume needs."""
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        """The trained adapter in PEFT's form."""
        return self.path / "adapter"

    @property
    def adapter_gguf(self) -> Path:
        """The trained adapter as llama.cpp reads it."""
        return self.path / "adapter.gguf"

    @property
    def model(self) -> Path:
        """The whole model, where all of its weights were trained."""
        return self.path / "model"

    @property
    def model_gguf(self) -> Path:
        """The same as llama.cpp runs it."""
        return self.path / "model.gguf"

    @property
    def has_gguf(self) -> bool:
        """Whether what was trained is there as llama.cpp runs it."""
        return self.adapter_gguf.is_file() or self.model_gguf.is_file()

    @property
    def can_chat(self) -> bool:
        """Whether llama.cpp can run what was trained, now or once it is converted; a model that scores never."""
        return self.has_gguf or self._answers

    @property
    def _answers(self) -> bool:
        try:
            if self.model.is_dir():
                config = json.loads((self.model / "config.json").read_text(encoding="utf-8"))
                return any(str(name).endswith("ForCausalLM") for name in config.get("architectures") or ())
            config = json.loads((self.adapter / "adapter_config.json").read_text(encoding="utf-8"))
            return bool(config.get("task_type") == "CAUSAL_LM")
        except (OSError, ValueError):
            return False

    @property
    def log(self) -> Path:
        """All that the trainer process printed."""
        return self.path / "log.txt"

    @property
    def metrics(self) -> Path:
        """One JSON object a line, appended as the run goes."""
        return self.path / "metrics.jsonl"

    @property
    def machine(self) -> Path:
        """What the machine did meanwhile, a line a look."""
        return self.path / "machine.jsonl"

    @property
    def samples(self) -> Path:
        """What the model answered to held-out prompts at each measurement, a line an answer."""
        return self.path / "samples.jsonl"

    @property
    def status(self) -> Path:
        """The trainer's state: see `Status`."""
        return self.path / "status.json"

    @property
    def earlier_status(self) -> Path:
        """What the trainer of the run's part before this one said last."""
        return self.path / "status.earlier.json"

    @property
    def adjusted(self) -> Path:
        """What was changed of the recipe because memory ran out: see `faults.memory`."""
        return self.path / "adjusted.json"

    @property
    def reserve(self) -> Path:
        """Room on the disk for the last words: see `faults.disk`."""
        return self.path / ".reserve"

    @property
    def together(self) -> Path:
        """What the processes of a run pass to each other and to those of its next part; gone when the run is done."""
        return self.path / ".together"

    @property
    def lock(self) -> Path:
        """Held by the trainer as long as it lives, so that no second one trains the same run."""
        return self.path / ".trainer.lock"

    @property
    def parity(self) -> Path:
        """The token-for-token proof."""
        return self.path / "parity.json"

    def latest_checkpoint(self) -> Path | None:
        """Return the newest checkpoint that was written to its end."""
        return checkpoints.latest(self.checkpoints)


@dataclass(frozen=True)
class Description:
    """What a run was started with."""

    id: str
    method: str
    base_model: str
    base_hash: str
    snapshot: str
    parent: str | None
    parent_adapter: str | None
    studio_version: str
    chat_template: str = ""
    """Where its chat template came from, in words; empty in folders of earlier versions."""


@dataclass(frozen=True)
class Status:
    """What the trainer last said of itself."""

    status: RunStatus
    pid: int
    pid_started: float
    doing: str = ""
    """What it is at, in words."""
    step: int = 0
    total_steps: int = 0
    started_at: str | None = None
    ended_at: str | None = None
    error: str | None = None
    result: dict[str, Any] | None = None
    memory_kills: int | None = None
    """How many processes the system had ended for want of memory when this one started."""


def write_json(path: Path, content: Any) -> None:
    """Replace a file in one step, so that a reader never sees half of it."""
    document = asdict(content) if hasattr(content, "__dataclass_fields__") else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_status(folder: RunFolder, path: Path | None = None) -> Status | None:
    """Return what the trainer last said; None before its first word, or where a power cut left no more of it.

    Args:
        folder: the run's.
        path: another of its files than that of the trainer that goes on, or was the last to.
    """
    try:
        return Status(**json.loads((path or folder.status).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def read_description(folder: RunFolder) -> Description:
    """Return what the run was started with."""
    return Description(**json.loads(folder.description.read_text(encoding="utf-8")))
