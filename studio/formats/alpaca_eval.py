"""AlpacaEval: two outputs with a preference between 1 (the first) and 2 (the second)."""

from typing import Any

from store.pairs import Verdict
from studio.formats.alpaca import question
from studio.formats.plain_text import asks, empty_answers, two_candidates
from studio.formats.row import Row
from studio.formats.shape import Fields, Format, are_texts, every_row

VERDICTS: dict[float, Verdict] = {1.0: "left", 1.5: "tie", 2.0: "right"}


def detect(sample: list[Fields]) -> bool:
    """Rows with an instruction, two outputs and a preference."""
    return every_row(sample, lambda f: are_texts(f, "instruction", "output_1", "output_2") and "preference" in f)


def read(fields: Fields) -> Row:
    """Read two outputs with what the annotator, mostly a model, preferred."""
    by = (str(fields.get(key) or "") for key in ("generator_1", "generator_2"))
    offered = two_candidates(fields, "output_1", "output_2", *by)
    preference = fields.get("preference")
    verdict = VERDICTS.get(_number(preference))
    unsaid = None if verdict else f"its preference {str(preference)[:20]} is none of 1, 1.5 and 2, so it is no verdict"
    rater = str(fields.get("annotator") or "")
    problem = empty_answers(offered) or unsaid
    return Row([asks(question(fields))], None, offered, verdict, rater=rater, problem=problem)


def _number(value: Any) -> float:
    try:
        return 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0


ALPACA_EVAL = Format(
    "alpaca-eval", "AlpacaEval's judged pairs: instruction, output_1, output_2, preference", detect, read
)

FORMATS = (ALPACA_EVAL,)
