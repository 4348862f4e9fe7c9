"""TRL's shapes for single completions: called good or bad as a whole (KTO), or step by step."""

from studio.formats.pairing import check_prompt, is_label, labelled
from studio.formats.plain_text import answers, only_answer, only_question
from studio.formats.row import Candidate, LabelledRow, Row, RowError
from studio.formats.shape import Fields, Format, every_row, never
from studio.formats.trl_sft import answer_turns, is_completion, prompt_turns, tools_as_text
from studio.formats.turns import is_conversation, read_tools


def detect(sample: list[Fields]) -> bool:
    """Rows with one completion and a label of true or false."""
    return every_row(sample, lambda f: is_completion(f) and is_label(f.get("label")))


def read(fields: Fields) -> Row:
    """Read `{"prompt": ..., "completion": ..., "label": true}`."""
    answer = answer_turns(fields, "completion")
    return labelled(prompt_turns(fields), answer, fields.get("label"), read_tools(fields.get("tools")))


def write(row: LabelledRow) -> Fields:
    """Write `{"prompt": [...], "completion": [...], "label": true}`."""
    return {"prompt": row.prompt, "completion": row.completion, "label": row.label, **tools_as_text(row.tools)}


def write_text(row: LabelledRow) -> Fields:
    """Write `{"prompt": "...", "completion": "...", "label": true}`: plain texts, which have no roles."""
    prompt = only_question(row.prompt, row.tools, "trl-kto-text")
    return {"prompt": prompt, "completion": only_answer(row.completion, "trl-kto-text"), "label": row.label}


def detect_stepwise(sample: list[Fields]) -> bool:
    """Rows with a prompt, several completions and as many labels."""
    return every_row(sample, _is_stepwise)


def _is_stepwise(fields: Fields) -> bool:
    has_prompt = isinstance(fields.get("prompt"), str) or is_conversation(fields.get("prompt"))
    return has_prompt and all(isinstance(fields.get(key), list) for key in ("completions", "labels"))


def read_stepwise(fields: Fields) -> Row:
    """Read `{"prompt": ..., "completions": ["step", ...], "labels": [true, ...]}` as one answer of all steps."""
    steps, labels = fields.get("completions"), fields.get("labels")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, str) for step in steps):
        raise RowError("completions is no list of texts")
    if not isinstance(labels, list) or len(labels) != len(steps):
        raise RowError("completions and labels are not of the same length")
    prompt = prompt_turns(fields)
    check_prompt(prompt)
    answer = Candidate([answers("\n".join(steps))], parameters={"step_labels": labels})
    return Row(prompt, None, (answer,), problem="its single steps are labelled, which no pair or label here can say")


UNPAIRED = Format(
    "trl-kto", "TRL single answers with a label, for KTO; written as messages", detect, read, write_labelled=write
)
UNPAIRED_TEXT = Format(
    "trl-kto-text",
    "TRL single answers with a label, for KTO, written as plain texts",
    never,
    read,
    write_labelled=write_text,
)
STEPWISE = Format("trl-stepwise", "TRL answers whose steps are labelled one by one", detect_stepwise, read_stepwise)

FORMATS = (UNPAIRED, UNPAIRED_TEXT, STEPWISE)
