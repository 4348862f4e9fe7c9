"""Jinja that always comes to an end: what strangers' templates may use up, of time, rounds and characters."""

from studio.bounded.budget import BeyondBounds, Limits
from studio.bounded.environment import BoundedEnvironment, run

__all__ = ["BeyondBounds", "BoundedEnvironment", "Limits", "run"]
