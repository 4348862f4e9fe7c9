"""What a run has left, as llama.cpp runs it: made at its first use where the training did not make it.

`python -m studio.inference.gguf.of_run RUNFOLDER BASE` does it in a process of its own, since it may need torch.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from studio.errors import StudioError
from studio.inference.gguf.adapter import adapter_to_gguf
from studio.inference.gguf.conversion import convert
from studio.inference.gguf.metadata import Metadata, of_run
from studio.models import BaseModel, chat_gguf, prepare, resolve
from studio.own_process import run_apart, tell_progress
from studio.training.base.merged import complete, merge
from studio.training.folder import RunFolder

Say = Callable[[str], None]


def make(folder: RunFolder, base: BaseModel, *, on_progress: Say | None = None) -> None:
    """Make the GGUF of a finished run's adapter or model, if it is not there.

    Raises:
        StudioError: it can't be made.
    """
    if folder.has_gguf:
        return
    if on_progress:
        on_progress(f"converting {folder.path.name} for llama.cpp (once)")
    why = run_apart("studio.inference.gguf.of_run", str(folder.path), base.name, on_progress=on_progress)
    if why or not folder.has_gguf:
        raise StudioError(f"{folder.path.name} can't be converted for llama.cpp: {why or 'nothing was made'}.")


def prepared(name: str, *, on_progress: Say | None = None) -> Path:
    """Return a base model's GGUF in 16-bit floats; make it the first time.

    Raises:
        StudioError: there is no such model, or it can't be made one.
    """
    model = resolve(name)
    gguf = chat_gguf(model)
    if gguf is None:
        raise StudioError(f"{name} lacks its tokenizer, so it can't be made a GGUF.", "Copy the whole model folder.")
    prepare(model, "gguf", on_progress=on_progress)
    return gguf


def metadata_of(folder: RunFolder, base: BaseModel) -> Metadata:
    """Return what the file of a run says of itself."""
    template = folder.chat_template.read_text(encoding="utf-8") if folder.chat_template.is_file() else ""
    return of_run(folder.path.name, base.name, template)


def main() -> None:
    """Make it; say what went wrong in the last line."""
    folder, base = RunFolder(Path(sys.argv[1])), resolve(sys.argv[2])
    try:
        if (folder.model / "config.json").is_file():
            complete(folder.model, (), base.folder)
            convert(folder.model, folder.model_gguf, metadata=metadata_of(folder, base), on_progress=_tell)
        else:
            _adapter(folder, base)
    except StudioError as error:
        sys.exit(str(error))


def _adapter(folder: RunFolder, base: BaseModel) -> None:
    try:
        gguf = prepared(base.name, on_progress=tell_progress)
        adapter_to_gguf(folder.adapter, gguf, folder.adapter_gguf, metadata_of(folder, base))
    except StudioError:
        # A layout that is not known here, or a DoRA: what any adapter becomes once it is worked into the weights.
        _merged(folder, base)


def _merged(folder: RunFolder, base: BaseModel) -> None:
    tell_progress("working the adapter into the weights")
    prepare(base, "weights", on_progress=tell_progress)
    with TemporaryDirectory(dir=folder.path, prefix=".merging.") as temporary:
        whole = Path(temporary)
        merge(base.folder, folder.adapter, whole, "float32")
        complete(whole, folder.tokenizer.iterdir(), base.folder)
        convert(whole, folder.model_gguf, metadata=metadata_of(folder, base), on_progress=_tell)


def _tell(done: float) -> None:
    tell_progress(f"writing the model for llama.cpp: {done:.0%}")


if __name__ == "__main__":
    main()
