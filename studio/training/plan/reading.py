"""A plan as the process that makes it sends it, read back."""

from typing import Any

from studio.training.plan.facts import Change, Finding, Memory, Part, Plan, Rows, Timed


def plan_of(found: dict[str, Any]) -> Plan:
    """Read it back from JSON."""
    changes = (Change(**{**each, "overrides": tuple(each["overrides"])}) for each in found["changes"])
    parts = {
        "overrides": tuple(found["overrides"]),
        "rows": Rows(**found["rows"]),
        "findings": tuple(Finding(**each) for each in found["findings"]),
        "memory": _memory(found["memory"]) if found["memory"] else None,
        "changes": tuple(changes),
        "timed": _timed(found["timed"]) if found["timed"] else None,
    }
    return Plan(**{**found, **parts})


def _memory(found: dict[str, Any]) -> Memory:
    return Memory(**{**found, "parts": tuple(Part(**part) for part in found["parts"])})


def _timed(found: dict[str, Any]) -> Timed:
    return Timed(**{**found, "parts": tuple((what, seconds) for what, seconds in found["parts"])})
