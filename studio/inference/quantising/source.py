"""What a quantised file was made of: it says so itself, and one of another state of the run is not taken for it."""

from pathlib import Path

from store import runs
from store.database import Store
from store.errors import MissingRowError
from studio.errors import StudioError
from studio.inference.gguf.header import is_gguf, read_header
from studio.inference.gguf.merged import hash_of
from studio.inference.gguf.metadata import MADE_FROM, Metadata, of_run


def metadata_of(store: Store, ref: str, template: str) -> Metadata:
    """Return what the quantised files of a run or a base model say of themselves."""
    try:
        run = runs.get(store, ref)
    except MissingRowError:
        return Metadata(chat_template=template)
    return of_run(run.id, run.base_model, template)


def is_quantised_from(path: Path, digest: str) -> bool:
    """Tell whether a quantised file is there and was made from just this."""
    return is_gguf(path) and read_header(path).text(MADE_FROM) == digest


def check_source(store: Store, ref: str, quantised: Path, whole: tuple[Path, Path | None], template: str) -> None:
    """Refuse a quantised file that was made of other weights, or with another template, than the model has now.

    Args:
        store: where the runs are.
        ref: the run or base model.
        quantised: the file.
        whole: the model's GGUF and its adapter.
        template: its chat template.

    Raises:
        StudioError: it was.
    """
    if not is_quantised_from(quantised, hash_of(*whole, metadata_of(store, ref, template))):
        raise StudioError(
            f"{quantised.name} was made of {ref} as it was before: its weights or its chat template have changed.",
            f"Make it again: studio quantize {ref} --type {quantised.stem}.",
        )
