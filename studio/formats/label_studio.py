"""Label Studio's tasks of two answers, with the annotations that say which is better."""

from typing import Any

from store.pairs import Verdict
from studio.formats.plain_text import asks, two_candidates
from studio.formats.row import Judgement, PreferenceRow, Row, RowError
from studio.formats.shape import Companion, Fields, Format, are_texts, every_row
from studio.formats.sides import judged_texts
from studio.formats.turns import text_of

DATA = ("prompt", "answer1", "answer2")
VERDICTS: dict[str, Verdict] = {"left": "left", "right": "right"}
CONFIG = """<View>
  <Text name="prompt" value="$prompt"/>
  <Pairwise name="comparison" toName="answer1,answer2"/>
  <Text name="answer1" value="$answer1"/>
  <Text name="answer2" value="$answer2"/>
</View>
"""


def detect(sample: list[Fields]) -> bool:
    """Tasks whose data is a prompt and two answers; also such data without the task around it."""
    return every_row(sample, lambda f: are_texts(_data(f), *DATA))


def _data(fields: Fields) -> Fields:
    data = fields.get("data")
    return data if isinstance(data, dict) else fields


def read(fields: Fields) -> Row:
    """Read a task with each annotation that was not cancelled."""
    data = _data(fields)
    annotations = fields.get("annotations") or []
    if not isinstance(annotations, list):
        raise RowError("annotations is no list")
    kept = [a for a in annotations if isinstance(a, dict) and not a.get("was_cancelled")]
    said = [_judgement(annotation) for annotation in kept]
    problem = "an annotation names neither left nor right" if None in said else None
    return Row(
        [asks(text_of(data, "prompt"))],
        None,
        two_candidates(data, "answer1", "answer2"),
        problem=problem,
        judgements=tuple(j for j in said if j),
    )


def _judgement(annotation: Fields) -> Judgement | None:
    results = annotation.get("result")
    for result in results if isinstance(results, list) else ():
        value = result.get("value") if isinstance(result, dict) and result.get("type") == "pairwise" else None
        selected = value.get("selected") if isinstance(value, dict) else None
        if isinstance(selected, str) and selected in VERDICTS:
            return Judgement(
                _rater(annotation.get("completed_by")), verdict=VERDICTS[selected], comment=_time(annotation)
            )
    return None


def _rater(completed_by: Any) -> str:
    """Return who annotated: a number, or in other exports an object with an e-mail address."""
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return f"Label Studio {completed_by}" if isinstance(completed_by, (int, str)) else "Label Studio"


def _time(annotation: Fields) -> str:
    lead_time = annotation.get("lead_time")
    return f"lead time {lead_time:.1f} s" if isinstance(lead_time, (int, float)) else ""


def write(row: PreferenceRow) -> Fields:
    """Write a task with the annotation that says which answer is better; their texts decide which stands left."""
    question, first, second, is_first_better = judged_texts(row, "label-studio")
    data = dict(zip(DATA, (question, first, second), strict=True))
    value = {"selected": "left" if is_first_better else "right"}
    result = {"from_name": "comparison", "to_name": "comparison", "type": "pairwise", "value": value}
    return {"data": data, "annotations": [{"was_cancelled": False, "result": [result]}]}


def labelling_config(file_name: str, columns: object = None, /) -> Companion:  # noqa: ARG001
    """Return the labelling interface that a project for these tasks needs."""
    return Companion(f"{file_name}.labelling.xml", CONFIG)


TASKS = Format(
    "label-studio",
    "Label Studio's pairwise tasks: data of prompt, answer1, answer2, and annotations",
    detect,
    read,
    write_preference=write,
    companion=labelling_config,
)

FORMATS = (TASKS,)
