"""Axolotl: conversations with a flag on each turn, and its many columns for preferences."""

from collections.abc import Callable

from store.examples import Message
from studio.formats.companions import axolotl
from studio.formats.dialects import dialect
from studio.formats.dialects import read as read_chat
from studio.formats.pairing import chosen_over_rejected, single_answers
from studio.formats.plain_text import answer_of, asks, only_texts
from studio.formats.row import PreferenceRow, Row, RowError, SftRow
from studio.formats.shape import Fields, Format, are_texts, every_row, has_any
from studio.formats.trl_preference import has_system, has_three_texts
from studio.formats.trl_sft import is_chat
from studio.formats.turns import is_conversation, only_text, read_tools, read_turns, system_turn, text_of

_MAPPING = ("field_messages: messages", "message_property_mappings:", "  role: role", "  content: content")


def detect_chat(sample: list[Fields]) -> bool:
    """Conversations with a sign of Axolotl's own: else TRL's shape, which reads the same, has the name."""
    return is_chat(sample) and dialect(sample) == "axolotl"


def write_chat(row: SftRow) -> Fields:
    """Write `{"messages": [...], "tools"?: [...]}`, with `train: false` on what is not to be learnt."""
    return {"messages": list(map(_flagged, row.messages)), **({"tools": row.tools} if row.tools else {})}


def _flagged(message: Message) -> Message:
    if message.get("weight") != 0:
        return message
    return {**{key: value for key, value in message.items() if key != "weight"}, "train": False}


def detect_dpo(sample: list[Fields]) -> bool:
    """Rows with messages and one message each under chosen and rejected."""
    return every_row(
        sample,
        lambda f: is_conversation(f.get("messages")) and _is_turn(f.get("chosen")) and _is_turn(f.get("rejected")),
    )


def _is_turn(value: object) -> bool:
    return is_conversation([value])


def read_dpo(fields: Fields) -> Row:
    """Read `{"messages": [...], "chosen": {...}, "rejected": {...}}`."""
    chosen, rejected = (_answer(fields, key) for key in ("chosen", "rejected"))
    prompt = read_turns(fields.get("messages"), "messages")
    return chosen_over_rejected(prompt, chosen, rejected, read_tools(fields.get("tools")))


def _answer(fields: Fields, key: str) -> list[Message]:
    answer = read_turns([fields.get(key)], key)
    if answer[0]["role"] != "assistant":
        raise RowError(f"{key} is not a turn of the assistant")
    return answer


def write_dpo(row: PreferenceRow) -> Fields:
    """Write a pair whose answers are one message each."""
    chosen, rejected = single_answers(row, "axolotl-dpo")
    if row.tools:
        raise RowError("axolotl-dpo can't say tools")
    only_text([*row.prompt, chosen, rejected], "axolotl-dpo")
    return {"messages": row.prompt, "chosen": chosen, "rejected": rejected}


def detect_argilla(sample: list[Fields]) -> bool:
    """Texts under instruction, chosen_response and rejected_response."""
    return every_row(sample, lambda f: are_texts(f, "instruction", "chosen_response", "rejected_response"))


def detect_icr(sample: list[Fields]) -> bool:
    """Texts under input, chosen and rejected, where input is all there is of a prompt."""
    others = ("instruction", "prompt", "question")
    return every_row(sample, lambda f: are_texts(f, "input", "chosen", "rejected") and not has_any(f, *others))


def detect_intel(sample: list[Fields]) -> bool:
    """Texts under question, chosen and rejected, where question is all there is of a prompt."""
    others = ("instruction", "prompt")
    return every_row(sample, lambda f: are_texts(f, "question", "chosen", "rejected") and not has_any(f, *others))


def detect_prompt_pairs(sample: list[Fields]) -> bool:
    """Texts under prompt, chosen and rejected with a system text; without one it is TRL's own shape."""
    return every_row(sample, has_three_texts) and has_system(sample)


def _texts(type: str, columns: tuple[str, str, str], detect: Callable[[list[Fields]], bool]) -> Format:
    """Return the format of preferences that are texts under these columns, with a system text where there is one."""
    question, chosen, rejected = columns

    def read(fields: Fields) -> Row:
        prompt = [*system_turn(fields), asks(text_of(fields, question))]
        return chosen_over_rejected(prompt, answer_of(fields, chosen), answer_of(fields, rejected))

    name = f"axolotl-{type.replace('_', '-')}"

    def write(row: PreferenceRow) -> Fields:
        system, rest = _parted(row, name)
        return {"system": system, **dict(zip(columns, only_texts(rest, name), strict=True))}

    return Format(
        name,
        f"Axolotl's .{type} preferences: system, {', '.join(columns)}",
        detect,
        read,
        write_preference=write,
        companion=axolotl(f"chatml.{type}", f"# llama3.{type} for a model with that template", top=("rl: dpo",)),
    )


def _parted(row: PreferenceRow, shape: str) -> tuple[str, PreferenceRow]:
    """Return the system text of a pair, empty for none, and the pair without it."""
    roles = [turn["role"] for turn in row.prompt]
    if roles not in (["user"], ["system", "user"]):
        raise RowError(f"{shape} holds one question as plain text, with a system turn at most before it")
    if len(roles) == 1:
        return "", row
    only_text(row.prompt[:1], shape)
    system = str(row.prompt[0]["content"])
    if not system:
        raise RowError(f"{shape} can't say an empty system turn")
    return system, row._replace(prompt=row.prompt[1:])


CHAT = Format(
    "axolotl-chat",
    "Axolotl conversations for type chat_template: messages, with train on a turn",
    detect_chat,
    read_chat,
    write_sft=write_chat,
    companion=axolotl("chat_template", *_MAPPING, "message_field_training: train"),
)
DPO = Format(
    "axolotl-dpo",
    "Axolotl preferences for type chat_template.default: messages, chosen, rejected",
    detect_dpo,
    read_dpo,
    write_preference=write_dpo,
    holds_messages=True,
    companion=axolotl(
        "chat_template.default", *_MAPPING, "field_chosen: chosen", "field_rejected: rejected", top=("rl: dpo",)
    ),
)
ARGILLA = _texts("argilla", ("instruction", "chosen_response", "rejected_response"), detect_argilla)
ICR = _texts("icr", ("input", "chosen", "rejected"), detect_icr)
INTEL = _texts("intel", ("question", "chosen", "rejected"), detect_intel)
PROMPT_PAIRS = _texts("prompt_pairs", ("prompt", "chosen", "rejected"), detect_prompt_pairs)

FORMATS = (CHAT, DPO, ARGILLA, ICR, INTEL, PROMPT_PAIRS)
