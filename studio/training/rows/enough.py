"""Whether there is enough to train on, and something to measure with."""

from typing import Any, NamedTuple

from studio.errors import StudioError


class Needed(NamedTuple):
    """What a method can't do without."""

    rows: int
    """Fewer training rows than this are no training."""
    what: str
    hint: str


NEEDED = {
    "sft": Needed(
        2,
        "examples with an answer",
        "Import or write examples that end in an answer, or learn the better answers of judged pairs: answers=chosen.",
    ),
    "dpo": Needed(4, "judged pairs", "Judge more pairs in Compare (3)."),
    "kto": Needed(4, "answers called good or bad", "Judge pairs in Compare (3), or import answers with a label."),
    "reward": Needed(4, "judged pairs", "Judge more pairs in Compare (3)."),
    "grpo": Needed(2, "prompts", "Import examples, with or without answers."),
    "distill": Needed(
        2,
        "prompts with an answer of the teacher",
        "Let a model answer first: studio generate --model MODEL; and see that teacher names that one.",
    ),
}


def refuse_too_little(method: str, counts: dict[str, Any]) -> None:
    """Raise a StudioError where a snapshot's counts are too few rows to train on, or none to measure with."""
    needed, train = NEEDED[method], counts.get("train", 0)
    if train < needed.rows:
        raise StudioError(f"There are {train} {needed.what} to train on and {needed.rows} are needed.", needed.hint)
    if not counts.get("validation", 0):
        raise StudioError(
            "No row is held out, so nothing could be measured.",
            "Judge or add a few more, or raise validation under [splits] in studio.toml before importing.",
        )
