"""Putting single terms into the text of a query and taking them out again, as the filter keys do."""

import re
from collections.abc import Sequence

_OPERATORS = {"OR", "AND", "NOT"}
_TERM = re.compile(r'(?:"[^"]*"?|[^\s"()])+')


def terms(text: str) -> list[str]:
    """Return the parts of a query that all must hold; what is in parentheses is one part.

    A query with operators in words is one part too.
    """
    found: list[str] = []
    at, depth, start = 0, 0, 0
    while at < len(text):
        term = _TERM.match(text, at)
        letter, end = text[at], term.end() if term else at + 1
        depth += (letter == "(") - (letter == ")" and depth > 0)
        # A minus before a parenthesis belongs to it.
        if not depth and text[start:end].strip() != "-":
            found.append(text[start:end].strip())
            start = end
        at = end
    parts = [part for part in [*found, text[start:].strip()] if part]
    if parts and parts[-1].count('"') % 2:
        parts[-1] += '"'
    return [f"({' '.join(parts)})"] if _OPERATORS & set(parts) else parts


def toggled(text: str, term: str) -> str:
    """Return the query with a term, or without it where it has it."""
    parts = terms(text)
    return _joined([p for p in parts if p != term] if term in parts else [*parts, term])


def added(text: str, term: str) -> str:
    """Return the query with a term."""
    parts = terms(text)
    return _joined(parts if term in parts else [*parts, term])


def field_term(path: Sequence[str], value: str) -> str | None:
    """Return the term that asks for a field of this value; None where the language can't ask for it."""
    from store.query import Field, parse
    from store.query_names import NAMES

    name = ".".join(path)
    if not re.fullmatch(r"[^\W\d][\w.-]*", name):
        # In quotes a name is one name: a dot in it leads into no other field.
        if len(path) > 1:
            return None
        name = f'"{name}"'
    elif name.casefold() in NAMES:
        # The dot says that a field is meant, not what the language itself calls so.
        name = f".{name}"
    term = f"{name}:{quoted(value)}"
    asked = parse(term)
    return term if isinstance(asked, Field) and ".".join(asked.path) == ".".join(path) else None


def replaced(text: str, field: str, value: str) -> str:
    """Return the query with another value of a field that it asks for at most once; an empty value asks for any."""
    rest = [p for p in terms(text) if not p.startswith(f"{field}:")]
    return _joined([*rest, f"{field}:{quoted(value)}"] if value else rest)


def value_of(text: str, field: str) -> str:
    """Return the value of a field that the query asks for; empty where it asks for any."""
    found = [p.removeprefix(f"{field}:") for p in terms(text) if p.startswith(f"{field}:")]
    return found[-1].strip('"') if found else ""


def quoted(value: str) -> str:
    """Return a value as it is written in a query."""
    return value if re.fullmatch(r"[^\s\"()]+", value) else '"' + value.replace('"', " ") + '"'


def _joined(parts: list[str]) -> str:
    # Parentheses around all of it were only needed beside another term.
    return parts[0][1:-1] if len(parts) == 1 and parts[0].startswith("(") else " ".join(parts)
