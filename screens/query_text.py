"""Putting single terms into the text of a query and taking them out again, as the filter keys do."""

import re

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
