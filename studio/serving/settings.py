"""What is served, where, and to whom."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from studio.errors import StudioError
from studio.loopback import is_loopback

NEEDED = ("fastapi", "uvicorn", "sse_starlette", "starlette_context", "pydantic_settings")
"""Packages that llama-cpp-python's server stands on."""


@dataclass(frozen=True)
class Serving:
    """What the process that serves is told; the key goes through a pipe, where no list of processes shows it."""

    name: str
    gguf: str
    adapter: str | None
    tokenizer_folder: str
    template: str | None
    system: str
    """The system prompt of conversations that bring none; empty for none."""
    host: str
    port: int
    context: int
    key: str
    """What clients must show; empty where none is asked for."""

    @property
    def is_for_this_machine(self) -> bool:
        """Whether only programs of this machine reach it."""
        return is_loopback(self.host)

    @property
    def address(self) -> str:
        """The address for clients."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/v1"


def read_key(file: Path | None, variable: str | None) -> str:
    """Return the key that clients must show; empty where none is named.

    Raises:
        StudioError: the file can't be read, or what was named holds no key.
    """
    if file is None and variable is None:
        return ""
    try:
        key = file.read_text(encoding="utf-8").strip() if file else os.environ.get(variable or "", "").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"The key in {file} can't be read: {error}.") from error
    if not key:
        raise StudioError(f"{file or variable} holds no key.", "Put a long random word into it.")
    return key


def check(serving: Serving) -> None:
    """Refuse what would let strangers in, or can't be served.

    Raises:
        StudioError: no key though other machines reach it, or packages are missing.
    """
    if not serving.is_for_this_machine and not serving.key:
        raise StudioError(
            f"{serving.host} can be reached from other machines, and there is no key.",
            "Name one with --key-file or --key-env, or serve on 127.0.0.1.",
        )
    if any(find_spec(package) is None for package in NEEDED):
        raise StudioError("The server's packages are not installed.", "pip install 'tuning-studio[serve]' brings them.")
