"""UltraFeedback as it was published: a prompt with four answers, rated by a model."""

from typing import Any

from studio.formats.plain_text import answers, asks
from studio.formats.row import Candidate, Row, RowError
from studio.formats.shape import Fields, Format, every_row
from studio.formats.turns import text_of

KEPT = ("principle", "custom_system_prompt", "overall_score", "fine-grained_score")
"""What else is known of an answer."""


def detect(sample: list[Fields]) -> bool:
    """Rows with an instruction and completions that have annotations."""
    return every_row(sample, lambda f: isinstance(f.get("instruction"), str) and _is_rated(f.get("completions")))


def _is_rated(completions: Any) -> bool:
    return (
        isinstance(completions, list)
        and bool(completions)
        and all(isinstance(c, dict) and {"response", "annotations"} <= set(c) for c in completions)
    )


def read(fields: Fields) -> Row:
    """Read the answers with their models and ratings; a judge's ratings are no verdict of a person, so none is made."""
    completions = fields.get("completions")
    if not isinstance(completions, list) or not completions:
        raise RowError("completions is no list of answers")
    offered = tuple(_candidate(c, f"completions[{number}]") for number, c in enumerate(completions))
    return Row([asks(text_of(fields, "instruction"))], None, offered)


def _candidate(completion: Any, where: str) -> Candidate:
    if not isinstance(completion, dict) or not isinstance(completion.get("response"), str):
        raise RowError(f"{where} has no text as its response")
    model = completion.get("model")
    known = {key: completion[key] for key in KEPT if completion.get(key) is not None}
    ratings = _ratings(completion.get("annotations"))
    if ratings:
        known = {"ratings": ratings, "mean_rating": round(sum(ratings.values()) / len(ratings), 3), **known}
    author = model if isinstance(model, str) else ""
    return Candidate([answers(completion["response"])], author=author, parameters=known or None)


def _ratings(annotations: Any) -> dict[str, float]:
    """Return the ratings that are numbers, which the file writes as texts ("N/A" where there is none)."""
    aspects = annotations.items() if isinstance(annotations, dict) else ()
    found = {aspect: _number(said.get("Rating")) for aspect, said in aspects if isinstance(said, dict)}
    return {aspect: rating for aspect, rating in found.items() if rating is not None}


def _number(rating: Any) -> float | None:
    return float(rating) if isinstance(rating, str) and rating.strip().isdecimal() else None


RAW = Format("ultrafeedback", "UltraFeedback's raw rows: instruction, completions with annotations", detect, read)

FORMATS = (RAW,)
