"""One row as it lies in a file, before anyone asks what it means."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

LONGEST_INTEGER = 4300
"""Digits; Python refuses to read longer ones, because that takes quadratic time."""


DEEPEST = 200
"""Levels; what is nested deeper could not be shown or written again, as Python's own JSON runs out of stack."""


class RawRow(NamedTuple):
    """A row's own text with its fields, or with the reason why it has none."""

    line: int
    """Line in the file, from 1; the row's number where the file has no lines."""
    raw: str | bytes
    """The text exactly as it stands in the file, without the line end; bytes where it is no valid text."""
    fields: dict[str, Any] | None = None
    error: str | None = None
    problem: str | None = None
    """What was lost although the row could be read."""


class RowDecoder:
    """Reads JSON values out of a text and remembers keys that an object held twice."""

    def __init__(self) -> None:
        self._repeated: list[str] = []
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object)
        self._lenient = json.JSONDecoder(parse_int=lambda _: 0)

    def decode(self, text: str, start: int = 0) -> tuple[RawRow, int]:
        """Read the value that begins at `start`; return it as a row of line 0, with the place after it.

        Raises:
            ValueError: no value can be read there; the message is the reason.
        """
        self._repeated.clear()
        try:
            value, end = self._decoder.raw_decode(text, start)
        except json.JSONDecodeError:
            raise
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        except ValueError:
            # The one other fault is an integer of too many digits: its row still ends somewhere.
            _, end = self._lenient.raw_decode(text, start)
            error = f"holds an integer of more than {LONGEST_INTEGER:,} digits"
            return RawRow(0, text[start:end], error=error), end
        return self._row(text[start:end], value), end

    def _row(self, raw: str, value: Any) -> RawRow:
        if not isinstance(value, dict):
            return RawRow(0, raw, error=f"is {kind_of(value)}, not an object with named fields")
        if _is_deeper_than(value, DEEPEST):
            return RawRow(0, raw, error=f"is nested more than {DEEPEST} levels deep")
        names = ", ".join(dict.fromkeys(self._repeated))
        problem = f"has {names} more than once; the last one counts" if names else None
        return RawRow(0, raw, value, problem=problem)

    def _object(self, members: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(members)
        if len(table) < len(members):
            names = [name for name, _ in members]
            self._repeated.extend(name for name in table if names.count(name) > 1)
        return table


def _is_deeper_than(value: Any, levels: int) -> bool:
    here = [value]
    for _ in range(levels + 1):
        nested = [item for item in here if isinstance(item, dict | list)]
        if not nested:
            return False
        here = [part for item in nested for part in (item.values() if isinstance(item, dict) else item)]
    return True


def kind_of(value: Any) -> str:
    """Return what a JSON value is, in words."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def explain(error: ValueError, character: int = 0) -> str:
    """Return why JSON could not be read, in the form of the other reasons; `character` counts in the file's line."""
    if isinstance(error, json.JSONDecodeError):
        place = character or error.colno
        reason = error.msg.removesuffix(" at")
        return f"is not valid JSON: {reason[0].lower()}{reason[1:]} at character {place}"
    return str(error)


def distinct(names: Iterable[str]) -> list[str]:
    """Return column names that are neither empty nor the same."""
    seen: Counter[str] = Counter()
    result = []
    for number, name in enumerate(names, 1):
        shown = name.strip() or f"column {number}"
        seen[shown] += 1
        result.append(shown if seen[shown] == 1 else f"{shown} {seen[shown]}")
    return result
