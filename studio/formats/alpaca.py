"""Alpaca: instruction, input, output, with a system text and a history where there are some."""

from typing import Any

from store.examples import Message, prompt_of
from studio.formats.row import PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format, every_row
from studio.formats.trl_preference import chosen_over_rejected
from studio.formats.turns import only_text, optional_text, system_turn, text_of


def detect(sample: list[Fields]) -> bool:
    """Rows with an instruction and an output (GPTeacher calls it response)."""
    return every_row(sample, lambda f: _is_text(f, "instruction") and _is_text(f, _answer_key(f)))


def _answer_key(fields: Fields) -> str:
    return "output" if "output" in fields else "response"


def _is_text(fields: Fields, key: str) -> bool:
    return isinstance(fields.get(key), str)


def read(fields: Fields) -> Row:
    """Read an instruction with its answer."""
    answer = text_of(fields, _answer_key(fields))
    return Row([*_prompt(fields), {"role": "assistant", "content": answer}])


def _prompt(fields: Fields) -> list[Message]:
    messages = system_turn(fields)
    history = fields.get("history") or []
    if not isinstance(history, list):
        raise RowError("history is no list of pairs")
    for pair in history:
        messages += _past(pair)
    # Where one of the two is empty no line end is left behind.
    asked = (text_of(fields, "instruction"), optional_text(fields, "input"))
    return [*messages, {"role": "user", "content": "\n".join(part for part in asked if part)}]


def _past(pair: Any) -> list[Message]:
    if not isinstance(pair, list) or [type(text) for text in pair] != [str, str]:
        raise RowError("history holds something that is no pair of texts")
    return [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]


def write(row: SftRow) -> Fields:
    """Write a conversation that alternates between user and assistant."""
    prompt = prompt_of(row.messages)
    if len(row.messages) != len(prompt) + 1:
        raise RowError("alpaca holds answers of one message only")
    only_text(row.messages, "alpaca")
    return {**_write_prompt(prompt, row.tools, "output", row.messages[-1]["content"]), **_extras(prompt)}


def _write_prompt(prompt: list[Message], tools: Any, key: str, answer: Any) -> Fields:
    return {"instruction": _last_question(prompt, tools), "input": "", key: answer}


def _last_question(prompt: list[Message], tools: Any) -> str:
    if tools:
        raise RowError("alpaca can't say tools")
    only_text(prompt, "alpaca")
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
    return every_row(sample, lambda f: all(_is_text(f, key) for key in ("instruction", "chosen", "rejected")))


def read_ranking(fields: Fields) -> Row:
    """Read `{"instruction", "input", "chosen", "rejected"}`."""
    chosen, rejected = ([{"role": "assistant", "content": text_of(fields, key)}] for key in ("chosen", "rejected"))
    return chosen_over_rejected(_prompt(fields), chosen, rejected)


def write_ranking(row: PreferenceRow) -> Fields:
    """Write a pair whose answers are one text each."""
    if len(row.chosen) != 1 or len(row.rejected) != 1:
        raise RowError("alpaca holds answers of one message only")
    only_text(row.chosen + row.rejected, "alpaca")
    fields = _write_prompt(row.prompt, row.tools, "chosen", row.chosen[0]["content"])
    return {**fields, "rejected": row.rejected[0]["content"], **_extras(row.prompt)}


ALPACA = Format("alpaca", "Alpaca: instruction, input, output", detect, read, write_sft=write)
RANKING = Format(
    "llamafactory-ranking-alpaca",
    "LLaMA-Factory preferences in Alpaca's shape: instruction, input, chosen, rejected",
    detect_ranking,
    read_ranking,
    write_preference=write_ranking,
    note='In dataset_info.json: {"file_name": "FILE", "ranking": true, "columns": {"prompt": "instruction", '
    '"query": "input", "chosen": "chosen", "rejected": "rejected", "system": "system", "history": "history"}}.',
)
