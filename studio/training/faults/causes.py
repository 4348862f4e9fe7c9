"""Why a run ended, in a sentence that says what may help."""

from studio.errors import StudioError
from studio.training.faults import disk, memory


def explain(error: BaseException) -> str:
    """Return one sentence on what went wrong and what may help."""
    if isinstance(error, StudioError):
        return str(error)
    first = f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(".")
    if disk.is_full(error):
        return f"The disk is full ({first}). Free some space, then resume the run: it goes on from its last checkpoint."
    if memory.is_out_of_memory(error):
        return (
            f"{first}. There is not enough memory even for one row at a time: lower max_length, use a smaller model,"
            " or on a GPU quantisation=4bit."
        )
    return first
