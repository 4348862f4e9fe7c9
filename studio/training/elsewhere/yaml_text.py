"""Settings as YAML, for tools that read it: texts are quoted as in JSON, which YAML reads too."""

import json
from collections.abc import Iterator
from typing import Any


def as_yaml(settings: dict[str, Any]) -> str:
    """Return settings as YAML, in their order."""
    return "".join(f"{line}\n" for line in _mapping(settings))


def _mapping(settings: dict[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            yield f"{name}:"
            yield from (f"  {line}" for line in _mapping(value))
        elif isinstance(value, list) and value:
            yield f"{name}:"
            yield from (f"  {line}" for line in _list(value))
        else:
            yield f"{name}: {_scalar(value)}"


def _list(values: list[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            first, *others = _mapping(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
        else:
            yield f"- {_scalar(value)}"


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "e" in text and "." not in text:
        # YAML 1.1 takes 2e-05 for a text: it wants a point before the exponent.
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa}.0e{exponent}"
    return text
