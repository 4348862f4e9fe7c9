"""Alpaca: instruction, input, output, with a system text and a history where there are some."""

from typing import Any

from store.examples import Message, prompt_of
from studio.formats.companions import dataset_info
from studio.formats.pairing import chosen_over_rejected, is_label, labelled, single_answer, single_answers
from studio.formats.plain_text import answer_of, answers, asks
from studio.formats.row import LabelledRow, PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format, are_texts, every_row, has_any
from studio.formats.turns import only_text, optional_text, system_turn, text_of

COLUMNS = {"prompt": "instruction", "query": "input", "system": "system", "history": "history"}
"""LLaMA-Factory's names for the columns of a prompt."""


def detect(sample: list[Fields]) -> bool:
    """Rows with an instruction and an output (GPTeacher calls it response)."""
    beside = ("kto_tag", "chosen", "rejected")
    return every_row(sample, lambda f: are_texts(f, "instruction", _answer_key(f)) and not has_any(f, *beside))


def _answer_key(fields: Fields) -> str:
    return "output" if "output" in fields else "response"


def read(fields: Fields) -> Row:
    """Read an instruction with its answer."""
    return Row([*read_prompt(fields), answers(text_of(fields, _answer_key(fields)))])


def read_prompt(fields: Fields) -> list[Message]:
    """Return the system text, the history and the instruction with its input as messages."""
    messages = system_turn(fields)
    history = fields.get("history") or []
    if not isinstance(history, list):
        raise RowError("history is no list of pairs")
    for pair in history:
        messages += _past(pair)
    return [*messages, asks(question(fields))]


def question(fields: Fields) -> str:
    """Return the instruction with its input below; where one of them is empty no line end is left behind."""
    asked = (text_of(fields, "instruction"), optional_text(fields, "input"))
    return "\n".join(asked) if all(asked) else asked[0] or asked[1]


def _past(pair: Any) -> list[Message]:
    if not isinstance(pair, list) or [type(text) for text in pair] != [str, str]:
        raise RowError("history holds something that is no pair of texts")
    return [asks(pair[0]), answers(pair[1])]


def write(row: SftRow) -> Fields:
    """Write a conversation that alternates between user and assistant."""
    prompt = prompt_of(row.messages)
    answer = single_answer(row.messages[len(prompt) :], "alpaca")
    return _write(prompt, row.tools, output=answer)


def _write(prompt: list[Message], tools: Any, **by_column: Message) -> Fields:
    only_text([*prompt, *by_column.values()], "alpaca")
    said = {column: answer["content"] for column, answer in by_column.items()}
    return {"instruction": _last_question(prompt, tools), "input": "", **said, **_extras(prompt)}


def _last_question(prompt: list[Message], tools: Any) -> str:
    if tools:
        raise RowError("alpaca can't say tools")
    turns = prompt[1:] if prompt and prompt[0]["role"] == "system" else prompt
    roles = [turn["role"] for turn in turns]
    if len(roles) % 2 == 0 or roles != ["user", "assistant"] * (len(roles) // 2) + ["user"]:
        raise RowError("alpaca needs turns of user and assistant by turns")
    return str(turns[-1]["content"])


def _extras(prompt: list[Message]) -> Fields:
    has_system = prompt[0]["role"] == "system"
    past = [turn["content"] for turn in prompt[has_system:-1]]
    extras: Fields = {}
    if has_system:
        if not prompt[0]["content"]:
            raise RowError("alpaca can't say an empty system turn")
        extras["system"] = prompt[0]["content"]
    if past:
        extras["history"] = [list(pair) for pair in zip(past[::2], past[1::2], strict=True)]
    return extras


def detect_ranking(sample: list[Fields]) -> bool:
    """Rows with an instruction and two answers, chosen and rejected, all texts."""
    return every_row(
        sample, lambda f: are_texts(f, "instruction", "chosen", "rejected") and not isinstance(f.get("prompt"), str)
    )


def read_ranking(fields: Fields) -> Row:
    """Read `{"instruction", "input", "chosen", "rejected"}`."""
    return chosen_over_rejected(read_prompt(fields), answer_of(fields, "chosen"), answer_of(fields, "rejected"))


def write_ranking(row: PreferenceRow) -> Fields:
    """Write a pair whose answers are one text each."""
    chosen, rejected = single_answers(row, "llamafactory-ranking-alpaca")
    return _write(row.prompt, row.tools, chosen=chosen, rejected=rejected)


def detect_kto(sample: list[Fields]) -> bool:
    """Rows with an instruction, an output and a `kto_tag`."""
    return every_row(sample, lambda f: are_texts(f, "instruction", "output") and is_label(f.get("kto_tag")))


def read_kto(fields: Fields) -> Row:
    """Read `{"instruction", "input", "output", "kto_tag"}`."""
    return labelled(read_prompt(fields), answer_of(fields, "output"), fields.get("kto_tag"))


def write_kto(row: LabelledRow) -> Fields:
    """Write one answer with its label."""
    answer = single_answer(row.completion, "llamafactory-kto-alpaca")
    return {**_write(row.prompt, row.tools, output=answer), "kto_tag": row.label}


ALPACA = Format(
    "alpaca",
    "Alpaca: instruction, input, output",
    detect,
    read,
    write_sft=write,
    companion=dataset_info({**COLUMNS, "response": "output"}),
)
RANKING = Format(
    "llamafactory-ranking-alpaca",
    "LLaMA-Factory preferences in Alpaca's shape: instruction, input, chosen, rejected",
    detect_ranking,
    read_ranking,
    write_preference=write_ranking,
    companion=dataset_info({**COLUMNS, "chosen": "chosen", "rejected": "rejected"}, ranking=True),
)
KTO = Format(
    "llamafactory-kto-alpaca",
    "LLaMA-Factory single answers in Alpaca's shape, for KTO: instruction, input, output, kto_tag",
    detect_kto,
    read_kto,
    write_labelled=write_kto,
    companion=dataset_info({**COLUMNS, "response": "output", "kto_tag": "kto_tag"}),
)

FORMATS = (ALPACA, RANKING, KTO)
