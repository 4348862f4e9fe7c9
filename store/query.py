"""The query language: what a person types to find rows, as a tree.

Words and "quoted phrases", `name:value`, `len>1000`, `-not`, `OR`, parentheses; a space means that both must hold.
What is no syntax is searched for as it stands. docs/queries.md says it all, name by name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from store.errors import StoreError
from store.query_names import NAMES, nearest
from store.unspaced import ends_so

Operator = Literal["=", "<", ">", "<=", ">="]

MOST_TERMS = 500
MOST_NESTED = 20
"""SQLite's parsers end a little above these."""


class QueryError(StoreError):
    """A query that can't be read; the message names the place."""

    def __init__(self, at: int, what: str, remedy: str) -> None:
        super().__init__(f"The query can't be read at character {at + 1}: {what}; {remedy}.")
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True)
class Words:
    """A word or a phrase, anywhere in the text."""

    text: str
    open: bool = False
    """Whether the last word may go on: it is still being typed."""


@dataclass(frozen=True)
class Term:
    """A name of the language with its value."""

    name: str
    operator: Operator
    value: str | int
    at: int


@dataclass(frozen=True)
class Field:
    """What a field of the record says."""

    path: tuple[str, ...]
    operator: Operator
    value: str | float
    open: bool = False


@dataclass(frozen=True)
class Saved:
    """A saved query by its name."""

    name: str
    at: int


@dataclass(frozen=True)
class Not:
    """The rows that a node does not match."""

    node: "Node"


@dataclass(frozen=True)
class And:
    """The rows that all nodes match; without nodes, all rows."""

    nodes: "tuple[Node, ...]"


@dataclass(frozen=True)
class Or:
    """The rows that any node matches."""

    nodes: "tuple[Node, ...]"


Node: TypeAlias = Words | Term | Field | Saved | Not | And | Or


def parse(text: str) -> Node:
    """Return a query as a tree; text that asks for nothing matches everything.

    Raises:
        QueryError: the text can't be a query.
    """
    # A NUL would end an expression of the index early, and half a surrogate pair can't be sent to SQLite at all.
    return _Parser(text.replace("\0", " ").encode(errors="replace").decode()).query()


def is_searchable(text: str) -> bool:
    """Tell whether the index has words for any of a text."""
    return any(letter.isalnum() for letter in text)


_NAME = re.compile(r"(\.?[^\W\d][\w.-]*)(:|<=|>=|<|>|=)")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_LAST_WORD = re.compile(r"[^\W_]+$")
_COMPARED = re.compile(r"(<=|>=|<|>|=)(.+)", re.DOTALL)
_LARGEST = 2**63 - 1


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._groups = 0
        self._nested = 0
        self._terms = 0

    def query(self) -> Node:
        return self._alternatives() or And(())

    def _alternatives(self) -> Node | None:
        found = [self._all_of()]
        while self._take_operator("OR"):
            found.append(self._all_of())
        nodes = tuple(node for node in found if node is not None)
        return Or(nodes) if len(nodes) > 1 else nodes[0] if nodes else None

    def _all_of(self) -> Node | None:
        nodes: list[Node] = []
        while self._skip_space() and not self._is_group_end(self._at):
            if nodes and self._operator_here("OR"):
                break
            if nodes and self._take_operator("AND"):
                continue
            node = self._one()
            if node is not None:
                nodes.append(node)
        return And(tuple(nodes)) if len(nodes) > 1 else nodes[0] if nodes else None

    def _one(self) -> Node | None:
        if self._take_operator("NOT") or self._take_minus():
            self._skip_space()
            node = self._nest(self._one)
            # What is barred is barred as it is written: -cat says nothing of categories.
            return None if node is None else Not(Words(node.text) if isinstance(node, Words) else node)
        if self._text[self._at] == "(":
            return self._nest(self._group)
        return self._term()

    def _group(self) -> Node | None:
        self._at += 1
        self._groups += 1
        node = self._alternatives()
        self._groups -= 1
        # One that is never closed ends with the query, as it does while it is being typed.
        if self._at < len(self._text):
            self._at += 1
        return node

    def _term(self) -> Node | None:
        start = self._at
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise QueryError(start, f"it has more than {MOST_TERMS} terms", "put a long text in quotes")
        first = self._text[start]
        if first == "@" and self._word_follows(start + 1):
            return self._saved()
        if first == '"':
            return self._phrase_or_quoted_name()
        name = _NAME.match(self._text, start)
        node = self._named(name[1], name[2], name.end(), start) if name else None
        if node is not None:
            return node
        self._at = start
        return _words(self._take_word(), self._is_end())

    def _saved(self) -> Node:
        start = self._at
        self._at += 1
        name = self._take_phrase() if self._text[self._at] == '"' else self._take_word()
        return Saved(name.strip(), start)

    def _phrase_or_quoted_name(self) -> Node | None:
        start = self._at
        text = self._take_phrase()
        closed = self._at > start + 1 and self._text[self._at - 1] == '"'
        if closed and text and self._text.startswith(":", self._at) and self._word_follows(self._at + 1):
            node = self._field((text,), ":", self._at + 1)
            if node is not None:
                return node
            self._at = start
            text = self._take_phrase()
        return _words(text, not closed)

    def _named(self, name: str, sign: str, value_at: int, start: int) -> Node | None:
        """Return what `name:value` asks for; None where it is no such thing, but plain words."""
        known = NAMES.get(name.casefold())
        if known is None:
            path = tuple(step for step in name.split(".") if step)
            return self._field(path, sign, value_at) if self._word_follows(value_at) else None
        if sign in ("<", ">", "<=", ">=") and not known.is_number:
            return None
        if not self._word_follows(value_at):
            raise QueryError(
                start, f"{name}{sign} has no value", f"write it without a space, such as {known.example}, or in quotes"
            )
        text, _ = self._take_value(value_at)
        if known.is_number:
            return self._number(name.casefold(), sign, text, value_at)
        value = known.read(text)
        if value is None:
            raise QueryError(value_at, f"{name} is never {_shown(text)}", nearest(text, known.values))
        return Term(name.casefold(), "=", value, value_at)

    def _number(self, name: str, sign: str, text: str, at: int) -> Node:
        compared = _COMPARED.fullmatch(text) if sign == ":" else None
        sign, digits = compared.groups() if compared else (sign, text)
        if not re.fullmatch(r"[0-9]+", digits):
            raise QueryError(at, f"{_shown(digits)} is no whole number", f"write one, such as {NAMES[name].example}")
        # The lengths of what people type as a number are not bounded; what SQLite can count is.
        value = _LARGEST if len(digits) > 18 else int(digits)
        return Term(name, _operator(sign), value, at)

    def _field(self, path: tuple[str, ...], sign: str, at: int) -> Node | None:
        text, is_open = self._take_value(at)
        quoted = self._text[at] == '"'
        compared = _COMPARED.fullmatch(text) if sign == ":" and not quoted else None
        if compared or sign != ":":
            sign, digits = compared.groups() if compared else (sign, text)
            return Field(path, _operator(sign), float(digits)) if _NUMBER.fullmatch(digits) else None
        # Addresses, paths and scopes: http://x, C:\x, std::vector.
        if not path or not is_searchable(text) or (not quoted and text[0] in ":/\\"):
            return None
        is_number = _NUMBER.fullmatch(text) is not None
        return Field(path, "=", text, is_open and _can_go_on(text) and not is_number)

    def _take_value(self, at: int) -> tuple[str, bool]:
        """Take the value that begins here; tell whether its last word is open."""
        self._at = at
        if self._text[at] == '"':
            text = self._take_phrase()
            return text, self._at == at + 1 or self._text[self._at - 1] != '"'
        return self._take_word(), self._is_end()

    def _take_phrase(self) -> str:
        end = self._text.find('"', self._at + 1)
        text = self._text[self._at + 1 : end if end >= 0 else None]
        self._at = end + 1 if end >= 0 else len(self._text)
        return text

    def _take_word(self) -> str:
        """Take all up to a space or the end of the group; parentheses inside a word, as in f(x), are part of it."""
        start, inner = self._at, 0
        while self._at < len(self._text) and not self._text[self._at].isspace():
            letter = self._text[self._at]
            if letter == ")" and not inner and self._groups:
                break
            inner += (letter == "(") - (letter == ")" and inner > 0)
            self._at += 1
        return self._text[start : self._at]

    def _take_operator(self, word: str) -> bool:
        if not self._operator_here(word):
            return False
        self._at += len(word)
        return True

    def _operator_here(self, word: str) -> bool:
        """Tell whether an operator comes next, with something to work on after it; else it is a plain word."""
        after = self._at + len(word)
        if not self._text.startswith(word, self._at) or not self._text[after : after + 1].isspace():
            return False
        rest = after + len(self._text[after:]) - len(self._text[after:].lstrip())
        return rest < len(self._text) and not self._is_group_end(rest)

    def _take_minus(self) -> bool:
        after = self._text[self._at + 1 : self._at + 2]
        if self._text[self._at] != "-" or not (after.isalnum() or (after and after in '_."(@')):
            return False
        self._at += 1
        return True

    def _skip_space(self) -> bool:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at < len(self._text)

    def _is_group_end(self, at: int) -> bool:
        return self._groups > 0 and self._text.startswith(")", at)

    def _word_follows(self, at: int) -> bool:
        return at < len(self._text) and not self._text[at].isspace() and not self._is_group_end(at)

    def _is_end(self) -> bool:
        return self._at == len(self._text)

    def _nest(self, inner: Callable[[], Node | None]) -> Node | None:
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise QueryError(self._at, f"it is nested more than {MOST_NESTED} deep", "put plain text in quotes")
        node = inner()
        self._nested -= 1
        return node


def _words(text: str, is_open: bool) -> Words | None:
    return Words(text, is_open and _can_go_on(text)) if is_searchable(text) else None


def _can_go_on(text: str) -> bool:
    """Tell whether a text ends in the beginning of a word; one Latin letter alone would begin a word in most rows.

    Numbers are meant as they stand: 12 is not the beginning of all of 1200 to 1299.
    """
    last = _LAST_WORD.search(text)
    if last is None or last[0].isdigit() or ends_so(text):
        return False
    return len(last[0]) > 1 or not last[0].isascii()


def _operator(sign: str) -> Operator:
    operators: dict[str, Operator] = {":": "=", "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
    return operators[sign]


def _shown(text: str) -> str:
    return f"'{text}'" if len(text) <= 30 else f"'{text[:30]}...'"
