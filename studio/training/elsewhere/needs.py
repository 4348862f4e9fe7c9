"""The packages that a trainer needs, in the versions that are installed here."""

from importlib import metadata

_PACKAGES = (
    *("torch", "transformers", "trl", "peft", "datasets", "accelerate", "tokenizers", "safetensors", "numpy"),
    *("gguf", "jinja2", "orjson", "tomlkit", "platformdirs", "psutil", "zstandard", "jsonschema", "pyarrow", "regex"),
)
"""What the trainer imports: no screen, and no llama.cpp, which has to be compiled and only proves the tokens."""

_ON_GPUS = ("bitsandbytes", "liger-kernel", "nvidia-ml-py", "deepspeed")
"""What it uses where it is there."""


def requirements() -> str:
    """Return the pins for `pip install -r`, those that only some machines can use as comments."""
    lines = [f"{name}=={_version(name)}" for name in _PACKAGES]
    lines += ["", "# On machines with NVIDIA GPUs, where the recipe or the settings ask for them:"]
    lines += [f"# {name}{f'=={version}' if (version := _version(name)) else ''}" for name in _ON_GPUS]
    return "\n".join(lines) + "\n"


def pin(package: str) -> str:
    """Return a package with its version here."""
    version = _version(package)
    return f"{package}=={version}" if version else package


def _version(name: str) -> str:
    try:
        # The part after + names a build of this machine, such as one without a GPU.
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""
