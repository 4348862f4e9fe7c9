"""Pairs with judgements in numbers: PandaLM, Auto-J and LLMBar, where the same number means different things."""

from typing import Any

from studio.formats.alpaca import question
from studio.formats.plain_text import asks, empty_answers, two_candidates
from studio.formats.row import Judgement, Row
from studio.formats.shape import Fields, Format, are_texts, every_row, has_any
from studio.formats.turns import text_of

ANNOTATORS = ("annotator1", "annotator2", "annotator3")


def detect_pandalm(sample: list[Fields]) -> bool:
    """Rows with an instruction, two responses and numbered annotators."""
    needed = {"instruction", "response1", "response2", "annotator1"}
    return every_row(sample, lambda f: needed <= set(f) and isinstance(f["instruction"], str))


def read_pandalm(fields: Fields) -> Row:
    """Read two responses with what each annotator said."""
    models = str(fields.get("cmp_key") or "").split("_")
    offered = two_candidates(fields, "response1", "response2", *(models if len(models) == 2 else ()))
    said = tuple(Judgement(who, code) for who in ANNOTATORS if (code := code_of(fields.get(who))))
    return Row([asks(question(fields))], None, offered, problem=empty_answers(offered), judgements=said)


def detect_auto_j(sample: list[Fields]) -> bool:
    """Rows with a prompt, `response 1`, `response 2` and a label."""
    return every_row(sample, lambda f: are_texts(f, "prompt", "response 1", "response 2") and "label" in f)


def read_auto_j(fields: Fields) -> Row:
    """Read two responses with their label."""
    return _labelled(fields, text_of(fields, "prompt"), "response 1", "response 2")


def detect_llmbar(sample: list[Fields]) -> bool:
    """Rows with an input, two outputs and a label."""
    return every_row(
        sample,
        lambda f: are_texts(f, "input", "output_1", "output_2") and "label" in f and not has_any(f, "preference"),
    )


def read_llmbar(fields: Fields) -> Row:
    """Read two outputs with their label."""
    return _labelled(fields, text_of(fields, "input"), "output_1", "output_2")


def _labelled(fields: Fields, prompt: str, first: str, second: str) -> Row:
    offered = two_candidates(fields, first, second)
    code = code_of(fields.get("label"))
    said = (Judgement("", code),) if code else ()
    return Row([asks(prompt)], None, offered, problem=empty_answers(offered), judgements=said)


def code_of(value: Any) -> str:
    """Return a number, or a text of a CSV file, as the code that a person gives a meaning to; empty for none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, (int, float, str)) and not isinstance(value, bool) else ""


PANDALM = Format(
    "pandalm",
    "PandaLM's judged pairs: instruction, input, response1, response2, annotator1 to annotator3",
    detect_pandalm,
    read_pandalm,
    coded=True,
)
AUTO_J = Format(
    "auto-j", "Auto-J's judged pairs: prompt, response 1, response 2, label", detect_auto_j, read_auto_j, coded=True
)
LLMBAR = Format(
    "llmbar", "LLMBar's judged pairs: input, output_1, output_2, label", detect_llmbar, read_llmbar, coded=True
)

FORMATS = (PANDALM, AUTO_J, LLMBAR)
