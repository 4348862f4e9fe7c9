"""How the jobs of the process go on: step by step, in turn."""

from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

Steps = Iterator[Message | None]
"""What a job tells after each step; None where it could only wait."""

WORKED: Message = {}
"""Something was done, and there is nothing to tell."""


class Stopped(Exception):
    """What was asked is no longer wanted."""
