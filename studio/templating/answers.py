"""What a template says of the answers: the tools that may be called, and the JSON schema that they must fit."""

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from store.examples import Message
from studio.formats.row import RowError
from studio.formats.turns import read_tools
from studio.templating.parts import TemplateError
from studio.templating.places import Place

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@lru_cache(maxsize=256)
def read_tool_list(text: str) -> str:
    """Return the JSON of tool definitions in the form that examples keep; empty for none.

    Raises:
        RowError: it is no JSON, or no list of tools that a model could be told of.
    """
    tools = read_tools(text)
    if not tools:
        return ""
    names: set[str] = set()
    for number, tool in enumerate(tools, start=1):
        name = _checked_function(tool.get("function"), number)
        if name in names:
            raise RowError(f"two tools are called {name!r}")
        names.add(name)
    return json.dumps(tools)


def _checked_function(function: Any, number: int) -> str:
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise RowError(f"tool {number} has no name")
    if not isinstance(function.get("description", ""), str):
        raise RowError(f"the description of the tool {name!r} is no text")
    parameters = function.get("parameters")
    if parameters is None:
        return name
    if not isinstance(parameters, dict) or parameters.get("type", "object") != "object":
        raise RowError(f"the parameters of the tool {name!r} are no JSON schema of an object")
    problem = _problem_of_schema(parameters)
    if problem:
        raise RowError(f"the parameters of the tool {name!r} are no JSON schema: {problem}")
    return name


@lru_cache(maxsize=8)
def validator(schema: str) -> "Validator | None":
    """Return what checks answers by a schema; None where the template has none.

    Raises:
        TemplateError: the text is no JSON schema.
    """
    if not schema.strip():
        return None
    from jsonschema.validators import validator_for

    try:
        parsed = json.loads(schema)
    except ValueError as error:
        place = Place(getattr(error, "lineno", 0), getattr(error, "colno", 0))
        reason = getattr(error, "msg", str(error))
        raise TemplateError("schema", place, f"not valid JSON: {reason}") from error
    if not isinstance(parsed, dict):
        raise TemplateError("schema", Place(), "a JSON schema is an object")
    if problem := _problem_of_schema(parsed):
        raise TemplateError("schema", Place(), f"no JSON schema: {problem}")
    from referencing.jsonschema import EMPTY_REGISTRY

    # Nothing is fetched: without this a reference to another document would be.
    return validator_for(parsed)(parsed, registry=EMPTY_REGISTRY)


def check_answer(messages: list[Message], schema: str) -> None:
    """Make sure that the last text of an answer is JSON that fits a schema.

    Raises:
        RowError: it does not; the message says where.
        TemplateError: the schema can't be used.
    """
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    check = validator(schema)
    if check is None or messages[-1].get("tool_calls"):
        return
    try:
        value = json.loads(messages[-1]["content"])
    except (ValueError, RecursionError) as error:
        raise RowError(f"the answer is not valid JSON: {error}") from error
    try:
        problem = best_match(check.iter_errors(value))
    except (Unresolvable, RecursionError, re.error) as error:
        raise TemplateError("schema", Place(), f"it can't be used: {error}") from error
    if problem is not None:
        at = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem.absolute_path)
        raise RowError(f"the answer does not fit the schema{f' at {at}' if at else ''}: {problem.message[:200]}")


def _problem_of_schema(schema: dict[str, Any]) -> str:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        return error.message[:200]
    return ""
