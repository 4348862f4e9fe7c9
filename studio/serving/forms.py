"""The form that an answer must have: JSON of any kind, or by a schema, as a grammar that llama.cpp survives."""

from typing import Any

import orjson

from studio.errors import StudioError

MOST_SCHEMA_BYTES = 100_000

MOST_DEPTH = 2_000
"""How deep a grammar may nest: repetitions up to N nest N deep, and llama.cpp's reader overflows its stack on many."""

MOST_RULES = 500_000
"""How many characters a grammar may have: repetitions of at least N write their rule out N times."""


def asked_for(form: Any) -> Any:
    """Return OpenAI's `response_format` as llama-cpp-python's server knows it, which has no `json_schema`.

    Raises:
        ValueError: there is no schema in it.
    """
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return form
    inner = form.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if not isinstance(schema, dict):
        raise ValueError("response_format has no schema: it stands in json_schema.schema.")
    return {"type": "json_object", "schema": schema}


def grammar_of(form: dict[str, Any] | None, vocabulary: Any) -> Any:
    """Return the grammar of a form, or None where any answer will do.

    Args:
        form: as `asked_for` returns it.
        vocabulary: llama.cpp's, of the model that answers.

    Raises:
        StudioError: the schema can't be followed.
    """
    if not form or form["type"] != "json_object":
        return None
    from llama_cpp.llama_grammar import JSON_GBNF, LlamaGrammar

    if "schema" not in form:
        return LlamaGrammar.from_string(JSON_GBNF)
    grammar = LlamaGrammar.from_string(_by_schema(form["schema"]))
    if not _is_understood(grammar, vocabulary):
        raise StudioError("The schema can't be followed: llama.cpp makes no grammar of it.")
    return grammar


def _by_schema(schema: Any) -> str:
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        text = orjson.dumps(schema)
        if len(text) > MOST_SCHEMA_BYTES:
            raise StudioError(f"The schema has {len(text):,} bytes; {MOST_SCHEMA_BYTES:,} can be followed.")
        rules: str = json_schema_to_gbnf(text.decode())
    except StudioError:
        raise
    except Exception as error:  # the converter checks with assertions, and falls over much of what it does not know
        reason = str(error).rstrip(".") if isinstance(error, AssertionError | ValueError) else "it is of another kind"
        raise StudioError(f"The schema can't be followed: {reason}.") from error
    if len(rules) > MOST_RULES or _depth(rules) > MOST_DEPTH:
        raise StudioError(
            "The schema can't be followed: it repeats something thousands of times.",
            "Leave out minLength, maxLength, minItems and maxItems, or make them smaller.",
        )
    return rules


def _depth(rules: str) -> int:
    depth = deepest = 0
    for letter in rules:
        depth += (letter == "(") - (letter == ")")
        deepest = max(deepest, depth)
    return deepest


def _is_understood(grammar: Any, vocabulary: Any) -> bool:
    """Tell whether llama.cpp reads a grammar: it gives nothing for one that it does not, and ends on that later."""
    from llama_cpp import llama_sampler_free, llama_sampler_init_grammar

    sampler = llama_sampler_init_grammar(vocabulary, grammar._grammar.encode(), grammar._root.encode())
    if not sampler:
        return False
    llama_sampler_free(sampler)
    return True
