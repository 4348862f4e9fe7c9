"""The packages that a trainer needs, in the versions that are installed here."""

from importlib import metadata

from studio.training.recipe import Recipe

_PACKAGES = (
    *("torch", "transformers", "trl", "peft", "datasets", "accelerate", "tokenizers", "safetensors", "numpy"),
    *("gguf", "jinja2", "orjson", "tomlkit", "platformdirs", "psutil", "zstandard", "jsonschema", "pyarrow", "regex"),
)
"""What the trainer imports: no screen, and no llama.cpp, which has to be compiled and only proves the tokens."""

_LEAST = {"nvidia-ml-py": "13", "bitsandbytes": "0.49", "liger-kernel": "0.6", "deepspeed": "0.18.6"}
"""What it uses on GPUs, where its version here is not known: the least, as pyproject.toml and TRL name it."""


def requirements(recipe: Recipe) -> str:
    """Return the pins for `pip install -r`, with what the recipe asks for; the rest of what GPUs use as comments."""
    lines = [f"{name}=={_version(name)}" for name in _PACKAGES]
    # It is Python alone and does nothing where there is no GPU; where there is one it tells its memory and its use.
    lines.append(pin("nvidia-ml-py"))
    if _needs_bitsandbytes(recipe):
        lines.append(pin("bitsandbytes"))
    lines += ["", "# On NVIDIA GPUs: quicker layers; and what WAY=zero2 and WAY=zero3 need."]
    lines += [f"# {pin(name)}" for name in ("liger-kernel", "deepspeed")]
    return "\n".join(lines) + "\n"


def pin(package: str) -> str:
    """Return a package with its version here, or the least that will do."""
    if version := _version(package):
        return f"{package}=={version}"
    return f"{package}>={_LEAST[package]}" if package in _LEAST else package


def _needs_bitsandbytes(recipe: Recipe) -> bool:
    return recipe.quantisation == "4bit" or recipe.optimizer.endswith("_8bit")


def _version(name: str) -> str:
    try:
        # The part after + names a build of this machine, such as one without a GPU.
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""
