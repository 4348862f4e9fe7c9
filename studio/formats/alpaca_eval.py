"""AlpacaEval: two outputs with a preference between 1 (the first) and 2 (the second)."""

from typing import Any

from store.pairs import Verdict
from studio.formats.alpaca import question
from studio.formats.plain_text import asks, empty_answers, two_candidates
from studio.formats.row import PreferenceRow, Row
from studio.formats.shape import Fields, Format, are_texts, every_row
from studio.formats.sides import judged_texts

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


def write(row: PreferenceRow) -> Fields:
    """Write a pair with what was preferred; whose the outputs are is not known of a pair."""
    question, first, second, is_first_better = judged_texts(row, "alpaca-eval")
    preference = 1.0 if is_first_better else 2.0
    return {"instruction": question, "output_1": first, "output_2": second, "preference": preference}


ALPACA_EVAL = Format(
    "alpaca-eval",
    "AlpacaEval's judged pairs: instruction, output_1, output_2, preference",
    detect,
    read,
    write_preference=write,
    note="In FILE preference is AlpacaEval's: 1.0 where output_1 is better, 2.0 where output_2 is.",
)

FORMATS = (ALPACA_EVAL,)
