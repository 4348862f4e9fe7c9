"""distilabel's preferences: whole conversations under chosen and rejected, with their models and ratings."""

import hashlib
from typing import Any

from studio.formats import trl_preference
from studio.formats.pairing import single_answers
from studio.formats.row import Candidate, PreferenceRow, Row, RowError
from studio.formats.shape import Fields, Format, every_row
from studio.formats.turns import is_conversation, only_text

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


def write(row: PreferenceRow) -> Fields:
    """Write whole conversations with their first question and its hash; models and ratings are not known of a pair."""
    chosen, rejected = single_answers(row, "distilabel")
    if row.tools:
        raise RowError("distilabel can't say tools")
    only_text([*row.prompt, chosen, rejected], "distilabel")
    question = next((turn["content"] for turn in row.prompt if turn["role"] == "user"), None)
    if question is None:
        raise RowError("distilabel names a row by its first question, and there is none")
    return {
        "prompt": question,
        "prompt_id": hashlib.sha256(question.encode(errors="surrogatepass")).hexdigest(),
        "chosen": [*row.prompt, chosen],
        "rejected": [*row.prompt, rejected],
    }


DISTILABEL = Format(
    "distilabel",
    "distilabel's preferences: prompt, prompt_id, chosen, chosen_model, rejected ...; written without models",
    detect,
    read,
    write_preference=write,
)

FORMATS = (DISTILABEL,)
