"""Answers that are JSON, or should be."""

import ast
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

from store.examples import Message
from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import name_of
from studio.lint.rows.tools import described_error, validator_of

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)

_LOOKS_LIKE_JSON = re.compile(
    r"""\{\s*(["'])[^"'\n]{1,80}\1\s*:|\[\s*(?:\{\s*(["'])[^"'\n]{1,80}\2\s*:|"[^"\n]*"\s*[,\]])"""
)
"""An object with a quoted key, a list of such objects, or a list of texts."""


def _invalid_json(subject: Subject, context: Context) -> Iterator[str]:
    for where, text in _structured(subject, context):
        error = _parsed(text)[1]
        # JSON with a remark below it is prose, unless a schema says that nothing else may be there.
        is_prose = error.startswith("Extra data") and not context.options["schema"]
        if error and not is_prose and not _is_python(text):
            yield f"{where}: {error}"


def _python_quotes(subject: Subject, context: Context) -> Iterator[str]:
    for where, text in _structured(subject, context):
        if _parsed(text)[1] and _is_python(text):
            yield f"{where}: {text[:40]!r}"


def _mend_python(message: Message) -> Message:
    content = message.get("content")
    if message["role"] != "assistant" or not isinstance(content, str) or not content.strip():
        return message
    inner = _inner(content)
    if not _LOOKS_LIKE_JSON.match(inner) or not _parsed(inner)[1] or not _is_python(inner):
        return message
    return {**message, "content": content.replace(inner, json.dumps(ast.literal_eval(inner), ensure_ascii=False), 1)}


def _duplicate_key(subject: Subject, context: Context) -> Iterator[str]:
    for where, text in _structured(subject, context):
        if repeated := _parsed(text)[2]:
            yield f"{where}: {', '.join(map(repr, repeated))}"


def _schema(subject: Subject, context: Context) -> Iterator[str]:
    schema = context.options["schema"]
    if not schema:
        return
    validator = validator_of(json.dumps(schema, sort_keys=True))
    if isinstance(validator, str):
        return
    for where, text in _structured(subject, context):
        value, error, _ = _parsed(text)
        if not error:
            yield from (f"{where}: {described_error(found)}" for found in validator.iter_errors(value))


def _structured(subject: Subject, context: Context) -> Iterator[tuple[str, str]]:
    """Yield the answers that are to be JSON: all where a schema is declared, else those that look like it."""
    declared = bool(context.options["schema"])
    for answer in subject.answers:
        content = answer.messages[-1].get("content") if answer.messages else None
        if not isinstance(content, str) or not content or answer.messages[-1].get("tool_calls"):
            continue
        if declared or content.lstrip()[:1] in ("{", "[") or content.startswith("```json"):
            inner = _inner(content)
            if inner and (declared or _LOOKS_LIKE_JSON.match(inner)):
                yield name_of(subject, answer), inner


def _inner(content: str) -> str:
    text = content.strip()
    fenced = _FENCED.fullmatch(text)
    return fenced[1].strip() if fenced else text


def _parsed(text: str) -> tuple[Any, str, list[str]]:
    """Return a JSON text's value, why it is none, and the keys that an object of it holds twice."""
    repeated: list[str] = []

    def gather(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members):
            keys = [key for key, _ in members]
            repeated.extend(key for key in found if keys.count(key) > 1)
        return found

    try:
        return json.loads(text, object_pairs_hook=gather, parse_constant=_no_constant), "", repeated
    except json.JSONDecodeError as error:
        return None, f"{error.msg} at line {error.lineno}, column {error.colno}", []
    except (ValueError, RecursionError) as error:
        return None, str(error) or "nested too deep", []


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            value = ast.literal_eval(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False
    return isinstance(value, (dict, list))


CHECKS = (
    OfRow(
        Check(
            "invalid-json",
            "JSON answers that do not parse",
            "The answer begins as JSON, or lint.schema says that it should be, and no parser takes it.",
            "error",
        ),
        _invalid_json,
    ),
    OfRow(
        Check(
            "python-quotes",
            "JSON answers written as Python",
            "Single quotes, True and None are Python's, and a parser of JSON fails on what the model would learn.",
            "error",
            fix="writes them as JSON",
        ),
        _python_quotes,
        _mend_python,
    ),
    OfRow(
        Check(
            "duplicate-key",
            "JSON answers with a key twice",
            "Parsers keep one of the two values silently, and not all the same one.",
            "warning",
        ),
        _duplicate_key,
    ),
    OfRow(
        Check(
            "schema-mismatch",
            "JSON answers that miss the schema",
            "The answer parses, but is not as lint.schema in studio.toml says.",
            "error",
        ),
        _schema,
    ),
)
