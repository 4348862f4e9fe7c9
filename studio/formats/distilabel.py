"""distilabel's preferences: whole conversations under chosen and rejected, with their models and ratings."""

from typing import Any

from studio.formats import trl_preference
from studio.formats.row import Candidate, Row
from studio.formats.shape import Fields, Format, every_row
from studio.formats.turns import is_conversation

SIDES = ("chosen", "rejected")


def detect(sample: list[Fields]) -> bool:
    """Rows with conversations under chosen and rejected, and the models that wrote them."""
    return every_row(sample, lambda f: "chosen_model" in f and all(is_conversation(f.get(side)) for side in SIDES))


def read(fields: Fields) -> Row:
    """Read a pair as TRL's, with who wrote each side and how it was rated."""
    is_whole = trl_preference.has_whole_answers(fields)
    row = (trl_preference.read_implicit if is_whole else trl_preference.read)(fields)
    signed = (_signed(c, fields, side) for c, side in zip(row.candidates, SIDES, strict=True))
    return row._replace(candidates=tuple(signed))


def _signed(candidate: Candidate, fields: Fields, side: str) -> Candidate:
    model: Any = fields.get(f"{side}_model")
    rating: Any = fields.get(f"{side}_rating")
    return candidate._replace(
        author=model if isinstance(model, str) else "", parameters=None if rating is None else {"rating": rating}
    )


DISTILABEL = Format(
    "distilabel", "distilabel's preferences: chosen, chosen_model, chosen_rating, rejected ...", detect, read
)

FORMATS = (DISTILABEL,)
