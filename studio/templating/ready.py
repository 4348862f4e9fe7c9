"""Ready-made templates: what a source's rows were read as, or look like, said as a template to go on from."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from studio import templates
from studio.errors import StudioError
from studio.fields import field_of
from studio.file_look import columns_of
from studio.formats.row import Row, RowError
from studio.guessing import guess
from studio.mapped_rows import is_turns
from studio.mapping import MEANINGS, Mapping, code_of
from studio.settings import ResponseTemplate, TemplateSettings, TurnTemplate

Fields = dict[str, Any]

_SHAPES: tuple[tuple[str, dict[str, str]], ...] = (
    ("messages", {"messages": "messages"}),
    ("messages", {"messages": "conversations"}),
    ("preference", {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}),
    ("preference", {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}),
    ("preference", {"messages": "chosen", "chosen": "chosen", "rejected": "rejected"}),
    ("preference", {"prompt": "instruction", "chosen": "chosen", "rejected": "rejected"}),
    ("labelled", {"prompt": "prompt", "completion": "completion", "label": "label"}),
    ("labelled", {"messages": "messages", "completion": "messages", "label": "label"}),
    ("labelled", {"prompt": "instruction", "completion": "output", "label": "kto_tag"}),
    ("alpaca", {"prompt": "instruction", "completion": "output"}),
    ("alpaca", {"prompt": "instruction", "completion": "response"}),
    ("prompt-completion", {"prompt": "prompt", "completion": "completion"}),
    ("text", {"completion": "text"}),
)
"""The columns that make a shape; the more of them are there, the surer it is."""

_BESIDE = ("system", "tools")
"""Columns that mean what they are called in every shape."""


@dataclass(frozen=True)
class Ready:
    """A template that was made for the rows of a source."""

    title: str
    template: TemplateSettings
    same: int
    """Rows of the sample of which it makes just what the import made; of all, where the import made nothing."""
    rows: int


def ready_made(
    sample: list[Fields], read: Callable[[Fields], Row] | None = None, mapping: Mapping | None = None
) -> list[Ready]:
    """Return templates for the rows of a source, the one that agrees with its import most before the others.

    `read` is how the import understood a row, `mapping` what a person said of its columns.
    """
    said = mapping or Mapping()
    found: dict[TemplateSettings, Ready] = {}
    for name, columns in _candidates(sample, said.columns):
        template = of_columns(name, columns, sample, said)
        if template not in found:
            found[template] = Ready(_title(name, columns), template, *_agreement(template, sample, read))
    return sorted((r for r in found.values() if r.same), key=lambda ready: -ready.same)


def _candidates(sample: list[Fields], said: dict[str, str]) -> Iterable[tuple[str, dict[str, str]]]:
    if said:
        yield "mapping", said
    present = {name for fields in sample for name, value in fields.items() if value is not None}
    beside = {name: name for name in _BESIDE if name in present}
    shapes = [(name, columns) for name, columns in _SHAPES if present.issuperset(columns.values())]
    for name, columns in sorted(shapes, key=lambda shape: -len(shape[1])):
        yield name, columns | beside
    guessed = guess(columns_of(sample))
    if guessed:
        is_asked = {"prompt", "completion"} <= guessed.keys()
        yield "question-answer" if is_asked else "guessed", guessed


def of_columns(
    name: str, columns: dict[str, str], sample: list[Fields], mapping: Mapping | None = None
) -> TemplateSettings:
    """Return the template that reads rows by their columns, as `--map` does."""
    turns = []
    if "messages" in columns:
        has_answer = columns["messages"] in (columns.get("chosen"), columns.get("completion"))
        turns.append(TurnTemplate(templates.PROMPT if has_answer else templates.CONVERSATION, columns["messages"]))
    if "prompt" in columns:
        turns.append(_turn("user", columns["prompt"], sample, beside=_input_of(columns["prompt"], sample)))
    is_labelled = "label" in columns
    if "completion" in columns and not is_labelled:
        turns.append(_turn("assistant", columns["completion"], sample))
    responses = []
    if is_labelled:
        label = f"{{{{ {_name(columns['label'])} | string | lower }}}}"
        responses.append(ResponseTemplate(_answer(columns["completion"], sample), label=label))
    for side, author in (("chosen", ""), ("rejected", ""), ("response_a", "author_a"), ("response_b", "author_b")):
        if side in columns:
            whose = name_in_template(columns[author]) if author in columns else ""
            responses.append(ResponseTemplate(_answer(columns[side], sample), whose))
    return TemplateSettings(
        name=name,
        turns=tuple(turns),
        responses=tuple(responses),
        verdict="left" if "chosen" in columns else _verdict(columns.get("verdict"), sample, mapping),
        system=_optional(columns["system"]) if "system" in columns else "",
        tools=_optional(columns["tools"]) if "tools" in columns else "",
    )


def name_in_template(path: str) -> str:
    """Return how a template says a field, given by its name or by a path into nested ones."""
    return f"{{{{ {_name(path)} }}}}"


def _name(path: str) -> str:
    steps = path.split(".")
    is_plain = all(step.isidentifier() and step not in _WORDS for step in steps)
    # What is named like a method of an object would be that method.
    is_plain = is_plain and steps[0] not in _TAKEN and not any(hasattr(dict, step) for step in steps[1:])
    return path if is_plain else f"{json.dumps(path, ensure_ascii=False)} | field"


_WORDS = {"and", "else", "if", "in", "is", "not", "or", "true", "false", "none", "True", "False", "None"}
_TAKEN = {"loop", "self", "super", "caller", "varargs", "kwargs", "range", "dict", "cycler", "joiner", "namespace"}


def _optional(path: str) -> str:
    return f'{{{{ {path} | default("") }}}}' if _name(path) == path else name_in_template(path)


def _turn(role: str, path: str, sample: list[Fields], beside: str = "") -> TurnTemplate:
    if any(is_turns(value) for value in _values(path, sample)):
        return TurnTemplate(templates.CONVERSATION, path)
    if beside:
        both = f'[{_name(path)}, {beside} | default("")]'
        return TurnTemplate(role, f'{{{{ {both} | select | join("\\n") }}}}')
    return TurnTemplate(role, name_in_template(path))


def _input_of(prompt: str, sample: list[Fields]) -> str:
    """Return Alpaca's second half of a question, where the rows have one."""
    return "input" if prompt == "instruction" and any(isinstance(f.get("input"), str) for f in sample) else ""


def _answer(path: str, sample: list[Fields]) -> str:
    values = _values(path, sample)
    name = _name(path)
    if any(is_turns(value) for value in values):
        last = next(value for value in values if is_turns(value))[-1]
        return f"{{{{ ({name})[-1].{'value' if 'value' in last else 'content'} }}}}"
    if any(is_turns([value]) for value in values):
        one = next(value for value in values if is_turns([value]))
        return f"{{{{ ({name}).{'value' if 'value' in one else 'content'} }}}}"
    return name_in_template(path)


def _verdict(path: str | None, sample: list[Fields], mapping: Mapping | None) -> str:
    if path is None:
        return ""
    known = {**MEANINGS, **(mapping.verdicts if mapping else {})}
    seen = {code: known[code] for code in sorted({code_of(v) for v in _values(path, sample)}) if code in known}
    return f"{{{{ {json.dumps(seen, ensure_ascii=False)}.get({_name(path)} | string | trim, '') }}}}"


def _values(path: str, sample: list[Fields]) -> list[Any]:
    found = []
    for fields in sample:
        try:
            found.append(field_of(fields, path))
        except RowError:
            continue
    return found


def _agreement(
    template: TemplateSettings, sample: list[Fields], read: Callable[[Fields], Row] | None
) -> tuple[int, int]:
    """Return of how many rows a template makes what their import made, and how many that could be."""
    same = rows = 0
    for fields in sample:
        try:
            wanted = read(fields) if read else None
        except RowError:
            continue
        rows += 1
        try:
            made = templates.apply(template, fields)
        except (RowError, StudioError):
            continue
        same += wanted is None or _said(made) == _said(wanted)
    return same, rows


def _said(row: Row) -> tuple[Any, ...]:
    messages = [{k: v for k, v in m.items() if k != "weight"} for m in row.messages]
    return messages, row.tools, [(c.messages, c.label) for c in row.candidates], row.verdict


def _title(name: str, columns: dict[str, str]) -> str:
    return f"{name}: {', '.join(f'{field} from {path}' if field != path else path for field, path in columns.items())}"
