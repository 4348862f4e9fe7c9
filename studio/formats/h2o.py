"""H2O LLM Studio's columns for preferences: prompt, answer, rejected answer."""

from studio.formats.pairing import chosen_over_rejected
from studio.formats.plain_text import answer_of, asks, only_texts
from studio.formats.row import PreferenceRow, Row
from studio.formats.shape import Fields, Format, are_texts, every_row
from studio.formats.turns import system_turn, text_of

COLUMNS = ("prompt", "answer", "rejected answer")


def detect(sample: list[Fields]) -> bool:
    """Rows with texts under H2O's names."""
    return every_row(sample, lambda f: are_texts(f, *COLUMNS))


def read(fields: Fields) -> Row:
    """Read a question with its better and its worse answer."""
    prompt = [*system_turn(fields), asks(text_of(fields, "prompt"))]
    row = chosen_over_rejected(prompt, answer_of(fields, "answer"), answer_of(fields, "rejected answer"))
    if fields.get("parent_id") in (None, ""):
        return row
    return row._replace(problem="it goes on from the row that parent_id names, whose turns are not read with it")


def write(row: PreferenceRow) -> Fields:
    """Write a pair as three texts."""
    return dict(zip(COLUMNS, only_texts(row, "h2o"), strict=True))


H2O = Format("h2o", "H2O LLM Studio: prompt, answer, rejected answer", detect, read, write_preference=write)

FORMATS = (H2O,)
