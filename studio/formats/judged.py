"""Pairs with judgements in numbers: PandaLM, Auto-J and LLMBar, where the same number means different things."""

from studio.formats.alpaca import question
from studio.formats.plain_text import asks, empty_answers, two_candidates
from studio.formats.row import Judgement, PreferenceRow, Row
from studio.formats.shape import Fields, Format, are_texts, every_row, has_any
from studio.formats.sides import judged_texts
from studio.formats.turns import text_of
from studio.mapping import code_of

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


def write_pandalm(row: PreferenceRow) -> Fields:
    """Write a pair with the verdict of one annotator: 1 is the first response, 2 the second."""
    question, first, second, is_first_better = judged_texts(row, "pandalm")
    code = 1 if is_first_better else 2
    return {"instruction": question, "input": "", "response1": first, "response2": second, "annotator1": code}


def detect_auto_j(sample: list[Fields]) -> bool:
    """Rows with a prompt, `response 1`, `response 2` and a label."""
    return every_row(sample, lambda f: are_texts(f, "prompt", "response 1", "response 2") and "label" in f)


def read_auto_j(fields: Fields) -> Row:
    """Read two responses with their label."""
    return _labelled(fields, text_of(fields, "prompt"), "response 1", "response 2")


def write_auto_j(row: PreferenceRow) -> Fields:
    """Write a pair with its label: 0 is the first response, 1 the second."""
    question, first, second, is_first_better = judged_texts(row, "auto-j")
    return {"label": 0 if is_first_better else 1, "prompt": question, "response 1": first, "response 2": second}


def detect_llmbar(sample: list[Fields]) -> bool:
    """Rows with an input, two outputs and a label."""
    return every_row(
        sample,
        lambda f: are_texts(f, "input", "output_1", "output_2") and "label" in f and not has_any(f, "preference"),
    )


def read_llmbar(fields: Fields) -> Row:
    """Read two outputs with their label."""
    return _labelled(fields, text_of(fields, "input"), "output_1", "output_2")


def write_llmbar(row: PreferenceRow) -> Fields:
    """Write a pair with its label: 1 is the first output, 2 the second."""
    question, first, second, is_first_better = judged_texts(row, "llmbar")
    return {"input": question, "output_1": first, "output_2": second, "label": 1 if is_first_better else 2}


def _labelled(fields: Fields, prompt: str, first: str, second: str) -> Row:
    offered = two_candidates(fields, first, second)
    code = code_of(fields.get("label"))
    said = (Judgement("", code),) if code else ()
    return Row([asks(prompt)], None, offered, problem=empty_answers(offered), judgements=said)


PANDALM = Format(
    "pandalm",
    "PandaLM's judged pairs: instruction, input, response1, response2, annotator1 to annotator3",
    detect_pandalm,
    read_pandalm,
    write_preference=write_pandalm,
    note="In FILE annotator1 is PandaLM's code: 1 where response1 is better, 2 where response2 is (0 would be a tie). "
    "Other tools mean other things by these numbers; to import it: --verdict 1=left --verdict 2=right.",
    coded=True,
)
AUTO_J = Format(
    "auto-j",
    "Auto-J's judged pairs: prompt, response 1, response 2, label",
    detect_auto_j,
    read_auto_j,
    write_preference=write_auto_j,
    note="In FILE label is Auto-J's code: 0 where response 1 is better, 1 where response 2 is (2 would be a tie). "
    "Other tools mean other things by these numbers; to import it: --verdict 0=left --verdict 1=right.",
    coded=True,
)
LLMBAR = Format(
    "llmbar",
    "LLMBar's judged pairs: input, output_1, output_2, label",
    detect_llmbar,
    read_llmbar,
    write_preference=write_llmbar,
    note="In FILE label is LLMBar's code: 1 where output_1 is better, 2 where output_2 is. "
    "Other tools mean other things by these numbers; to import it: --verdict 1=left --verdict 2=right.",
    coded=True,
)

FORMATS = (PANDALM, AUTO_J, LLMBAR)
