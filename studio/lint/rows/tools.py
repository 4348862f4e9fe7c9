"""Calls of tools against the tools' own descriptions."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from store.examples import Message
from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import name_of


def _tool_call(subject: Subject, _: Context) -> Iterator[str]:
    for number, message in enumerate(subject.prompt, 1):
        for found in _wrong_calls(message, subject.tools):
            yield f"turn {number}: {found}"
    for answer in subject.answers:
        for message in answer.messages:
            for found in _wrong_calls(message, subject.tools):
                yield f"{name_of(subject, answer)}: {found}"


def _wrong_calls(message: Message, tools: list[dict[str, Any]] | None) -> Iterator[str]:
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        name, arguments = str(function.get("name")), function.get("arguments")
        known = [tool["function"] for tool in tools or () if isinstance(tool.get("function"), dict)]
        described = next((tool for tool in known if tool.get("name") == name), None)
        if described is None:
            names = ", ".join(str(tool.get("name")) for tool in known) or "none"
            yield f"calls {name!r}, but the example's tools are: {names}"
            continue
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except ValueError as error:
                yield f"the arguments of {name} are not valid JSON: {error}"
                continue
        if not isinstance(arguments, dict):
            yield f"the arguments of {name} are no object"
        elif described.get("parameters"):
            yield from _misfits(name, arguments, json.dumps(described["parameters"], sort_keys=True))


def _misfits(name: str, arguments: dict[str, Any], schema: str) -> Iterator[str]:
    validator = validator_of(schema)
    if isinstance(validator, str):
        yield f"the parameters of {name} are no JSON schema: {validator}"
        return
    for error in validator.iter_errors(arguments):
        yield f"{name}: {described_error(error)}"


@lru_cache(maxsize=256)
def validator_of(schema: str) -> Any:
    """Return what checks values against a JSON schema given as text, or the reason why it is none."""
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    try:
        parsed = json.loads(schema)
        kind = validator_for(parsed, default=Draft202012Validator)
        kind.check_schema(parsed)
    except SchemaError as error:
        return error.message[:200]
    except (ValueError, RecursionError) as error:
        return str(error)
    return kind(parsed)


def described_error(error: Any) -> str:
    """Return a schema's complaint with its place, on one line."""
    place = error.json_path.removeprefix("$").removeprefix(".")
    return f"{f'{place}: ' if place else ''}{error.message[:160]}"


CHECKS = (
    OfRow(
        Check(
            "tool-call",
            "tool calls that no tool would take",
            "The called name is not among the example's tools, or the arguments miss its schema: the model learns"
            " calls that fail.",
            "error",
        ),
        _tool_call,
    ),
)
