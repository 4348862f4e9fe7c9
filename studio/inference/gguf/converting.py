"""The process that converts: `python -m studio.inference.gguf.converting FOLDER OUT METADATA`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.inference.gguf.conversion import SAID, converter_folder
from studio.training.base.pre_tokenizers import PROBES, rules_of


class Unsound(Exception):
    """What was made is not what was to be made; the message says why, for the user."""


def main() -> None:
    """Convert, then look at what was made; say what went wrong in a line of standard error."""
    folder, out, metadata = map(Path, sys.argv[1:4])
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        _convert(folder, out, metadata)
        _check(folder, out)
    except Unsound as error:
        sys.exit(f"{SAID}{error}")
    except NotImplementedError as error:
        sys.exit(f"{SAID}llama.cpp's converter does not know it: {_first_line(error)}")
    except (FileNotFoundError, ValueError) as error:
        if "tokenizer.model" not in str(error):
            sys.exit(f"{SAID}{type(error).__name__}: {_first_line(error)}")
        sys.exit(f"{SAID}it lacks tokenizer.model, which its makers ship beside it; copy that file into the folder")
    except Exception as error:
        sys.exit(f"{SAID}{type(error).__name__}: {_first_line(error)}")


def _convert(folder: Path, out: Path, metadata: Path) -> None:
    # Before any other import of `gguf`: the converter brings its own.
    sys.path.insert(0, str(converter_folder()))
    import torch

    gguf, conversion, base = _converter()

    base.TextModel.get_vocab_base_pre = _or_by_its_rules(base.TextModel.get_vocab_base_pre, folder)
    with torch.inference_mode():
        settings = conversion.ModelBase.load_hparams(folder, False)
        name = conversion.get_model_architecture(settings, conversion.ModelType.TEXT)
        with _names_of_later_models(gguf):
            model_class = conversion.get_model_class(name)
        model = model_class(folder, gguf.LlamaFileType.MOSTLY_F16, out, metadata_override=metadata)
        model.write()


def _converter() -> tuple[Any, Any, Any]:
    from importlib import import_module

    return import_module("gguf"), import_module("conversion"), import_module("conversion.base")


@contextmanager
def _names_of_later_models(gguf: Any) -> Iterator[None]:
    """Let modules of the package be imported that name models which its own `gguf` does not know yet.

    They define several families each; without this DeepSeek, GLM and Mistral 3 would be lost for the newest of them.
    """
    kinds = {name: getattr(gguf, name) for name in ("MODEL_ARCH", "MODEL_TENSOR")}
    for name, kind in kinds.items():
        setattr(gguf, name, _Lenient(kind))
    try:
        yield
    finally:
        for name, kind in kinds.items():
            setattr(gguf, name, kind)


@dataclass(frozen=True)
class _Lenient:
    kind: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kind, name, None)


def _or_by_its_rules(original: Any, folder: Path) -> Any:
    """Name a new vocabulary by its rules: the converter knows vocabularies by a hash of what they make of a text."""

    def pre(model: Any, tokenizer: Any) -> str:
        try:
            return str(original(model, tokenizer))
        except NotImplementedError:
            found = _rules_of(folder)
            if found is None:
                raise Unsound("its tokenizer cuts text in a way that llama.cpp has no name for") from None
            return found

    return pre


def _rules_of(folder: Path) -> str | None:
    from tokenizers import Tokenizer

    return next(iter(rules_of(Tokenizer.from_file(str(folder / "tokenizer.json")).pre_tokenizer)), None)


def _check(folder: Path, out: Path) -> None:
    """Read texts with the file's tokenizer, and let the model go a step."""
    import numpy as np
    from llama_cpp import Llama
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    try:
        model = Llama(str(out), n_ctx=64, n_batch=64, verbose=False, logits_all=True)
    except ValueError as error:
        raise Unsound("llama.cpp can't load what its converter made") from error
    try:
        for text in PROBES:
            ids = own.encode(text, add_special_tokens=False).ids
            if ids != model.tokenize(text.encode(), add_bos=False, special=True):
                raise Unsound(f"llama.cpp reads {text!r} as other tokens than the model's own tokenizer")
        model.eval(own.encode(PROBES[0], add_special_tokens=False).ids[:8])
        if not np.isfinite(np.array(model.scores[: model.n_tokens])).all():
            raise Unsound("the converted model's logits are no numbers")
    finally:
        model.close()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no word of why"])[0]


if __name__ == "__main__":
    main()
