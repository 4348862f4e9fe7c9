"""The project's checks as reward functions that need nothing of the studio."""

from importlib import resources
from pprint import pformat
from typing import Any

_HEAD = '''"""Rewards for GRPO: each check gives an answer from 0 to 1; TRL calls REWARDS and weighs by WEIGHTS."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Check:
    """One thing that is asked of every answer."""

    name: str
    kind: str
    value: str = ""
    field: str = ""
    weight: float = 1.0


@lru_cache
def validator(schema: str) -> Any:
    """Return what checks JSON by a schema: pip install jsonschema."""
    from jsonschema.validators import validator_for

    parsed = json.loads(schema)
    return validator_for(parsed)(parsed)

'''

_TAIL = """

def _reward(check: Check) -> Callable[..., list[float]]:
    def reward(*, completions: list[Any], fields: list[str], **_: Any) -> list[float]:
        texts = [each if isinstance(each, str) else each[-1]["content"] for each in completions]
        return [score(check, text, json.loads(known)) for text, known in zip(texts, fields, strict=True)]

    reward.__name__ = check.name
    return reward


REWARDS = [_reward(check) for check in CHECKS]
WEIGHTS = [check.weight for check in CHECKS]
"""

_OURS = ("from studio.checks.settings import Check, Kind\n", "    from studio.templating.answers import validator\n\n")
"""What the scores import of the studio, and the head above has in its place."""


def reward_file(checks: list[dict[str, Any]]) -> str:
    """Return a module with `REWARDS` and `WEIGHTS`, which scores as the studio does: it is the same code."""
    source = resources.files("studio.checks").joinpath("run.py").read_text(encoding="utf-8")
    for line in _OURS:
        source = source.replace(line, "")
    body = source[source.index("_NUMBER =") :].replace("dict[Kind,", "dict[str,")
    listed = ",\n".join(f"    Check(**{pformat(check)})" for check in checks)
    return f"{_HEAD}\n{body}\n\nCHECKS = [\n{listed},\n]\n{_TAIL}"
