"""What the names of the query language ask of the store's tables."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["record", "example"]


@dataclass(frozen=True)
class Fact:
    """A condition on a record `r` or an example `e`."""

    of: Kind
    sql: str
    seed: str | None = None
    """A statement that gives, in a column `id`, the records or examples that it holds for."""


def of(kind: Kind, name: str, operator: str, parameter: str, value: str | int) -> Fact:
    """Return what a name with a value says; `parameter` stands for the value in SQL."""
    if name == "has":
        return _HAS[str(value)] if value in _HAS else _own(kind, str(value))
    if name == "is":
        return _EXCLUDED[kind]
    if name in ("len", "line", "id"):
        return _number(kind, name, operator, parameter)
    if name == "verdict":
        return _verdict(str(value), parameter)
    if name == "tag":
        return _tag(kind, parameter)
    if name == "finding":
        of_kind, _, check = str(value).partition(" ")
        return _finding("example" if of_kind == "example" else "record", check)
    return _named(name, parameter, value)


def _own(kind: Kind, what: str) -> Fact:
    """Return a fact that records and examples have each of their own."""
    row = kind[0]
    if what == "finding":
        return _any_finding(kind)
    if what == "flag":
        return Fact(kind, f"{row}.flagged", f"SELECT id FROM {kind} WHERE flagged")
    if what == "note":
        return Fact(kind, f"{row}.note <> ''", f"SELECT id FROM {kind} WHERE note <> ''")
    return Fact(
        kind,
        f"EXISTS (SELECT 1 FROM {kind}_tag t WHERE t.{kind}_id = {row}.id)",
        f"SELECT {kind}_id AS id FROM {kind}_tag",
    )


def _tag(kind: Kind, parameter: str) -> Fact:
    # The few tags of a project are looked through once, for the ways that a tag is written in.
    same = f"t.tag IN (SELECT value FROM json_each({parameter}))"
    return Fact(
        kind,
        f"EXISTS (SELECT 1 FROM {kind}_tag t WHERE t.{kind}_id = {kind[0]}.id AND {same})",
        f"SELECT t.{kind}_id AS id FROM {kind}_tag t WHERE {same}",
    )


def _finding(kind: Kind, check: str) -> Fact:
    # Names of checks are words joined by hyphens; `resolving` lets no other through.
    same = f"f.kind = '{kind}' AND f.name = '{check}'"
    return Fact(
        kind,
        f"EXISTS (SELECT 1 FROM findings.finding f WHERE {same} AND f.row_id = {kind[0]}.id)",
        f"SELECT f.row_id AS id FROM findings.finding f WHERE {same}",
    )


def _any_finding(kind: Kind) -> Fact:
    """Return the fact that something was found in a row, in its record, or in an example made of it."""
    own = f"SELECT f.row_id FROM findings.finding f WHERE f.kind = '{kind}'"
    if kind == "record":
        other = "SELECT o.record_id FROM findings.finding f CROSS JOIN example o ON o.id = f.row_id"
        of_other = f"{other} WHERE f.kind = 'example'"
        sql = f"EXISTS ({own} AND f.row_id = r.id) OR EXISTS (SELECT 1 FROM example o WHERE o.record_id = r.id AND"
        sql += " EXISTS (SELECT 1 FROM findings.finding f WHERE f.kind = 'example' AND f.row_id = o.id))"
    else:
        other = "SELECT o.id FROM findings.finding f CROSS JOIN example o ON o.record_id = f.row_id"
        of_other = f"{other} WHERE f.kind = 'record'"
        sql = f"EXISTS ({own} AND f.row_id = e.id) OR EXISTS ("
        sql += "SELECT 1 FROM findings.finding f WHERE f.kind = 'record' AND f.row_id = e.record_id)"
    return Fact(kind, sql, f"SELECT row_id AS id FROM ({own}) UNION ALL SELECT * FROM ({of_other})")


def _number(kind: Kind, name: str, operator: str, parameter: str) -> Fact:
    if name == "id":
        one = f"SELECT {parameter} AS id" if operator == "=" else None
        return Fact(kind, f"{kind[0]}.id {operator} {parameter}", one)
    if name == "len":
        return Fact("record", f"r.length {operator} {parameter}")
    by_source = f"SELECT id FROM record WHERE source_id IN (SELECT id FROM source) AND line = {parameter}"
    return Fact("record", f"r.line {operator} {parameter}", by_source if operator == "=" else None)


def _verdict(value: str, parameter: str) -> Fact:
    if value == "judged":
        return _HAS["verdict"]
    same = "p.verdict IS NULL" if value == "none" else f"p.verdict = {parameter}"
    return Fact(
        "example",
        f"EXISTS (SELECT 1 FROM pair p WHERE p.example_id = e.id AND +({same}))",
        f"SELECT p.example_id AS id FROM pair p WHERE {same}",
    )


def _named(name: str, parameter: str, value: str | int) -> Fact:
    if name == "source":
        same = f"source_id IN (SELECT value FROM json_each({parameter}))"
        return Fact("record", f"r.{same}", f"SELECT id FROM record WHERE {same}")
    if name == "status":
        # The index leaves drafts out, which are nearly all.
        decided = f"SELECT id FROM example WHERE status <> 'draft' AND status = {parameter}"
        return Fact("example", f"e.status = {parameter}", None if value == "draft" else decided)
    if name == "split":
        return Fact("example", f"e.split = {parameter}", f"SELECT id FROM example WHERE split = {parameter}")
    # An index holds the responses that name an author; the origin has none, but is read once, not by example.
    same = (
        f"a.origin = {parameter}" if name == "origin" else f"a.author <> '' AND a.author LIKE {parameter} ESCAPE '\\'"
    )
    seed = f"SELECT a.example_id AS id FROM response a WHERE {same}"
    return Fact("example", f"EXISTS (SELECT 1 FROM response a WHERE a.example_id = e.id AND {same})", seed)


_EXCLUDED = {
    "record": Fact("record", "r.excluded", "SELECT id FROM record WHERE excluded"),
    "example": Fact(
        "example",
        "e.excluded OR COALESCE((SELECT r.excluded FROM record r WHERE r.id = e.record_id), 0)",
        "SELECT id FROM example WHERE excluded UNION ALL"
        " SELECT o.id FROM record x CROSS JOIN example o ON o.record_id = x.id WHERE x.excluded",
    ),
}


def _in_group(of: Kind, kind: str) -> Fact:
    member = "duplicate_member m JOIN duplicate_group g ON g.id = m.group_id"
    return Fact(
        of,
        f"EXISTS (SELECT 1 FROM {member} WHERE m.item_id = {of[0]}.id AND g.kind = '{kind}')",
        f"SELECT m.item_id AS id FROM {member} WHERE g.kind = '{kind}'",
    )


_DOUBTFUL = "(error IS NOT NULL OR problem IS NOT NULL)"
"""As the index of such records has it."""

_HAS = {
    "error": Fact("record", "r.error IS NOT NULL", f"SELECT id FROM record WHERE {_DOUBTFUL} AND error IS NOT NULL"),
    "problem": Fact(
        "record", "r.error IS NOT NULL OR r.problem IS NOT NULL", f"SELECT id FROM record WHERE {_DOUBTFUL}"
    ),
    "duplicate": Fact("record", "r.duplicate_of IS NOT NULL", "SELECT id FROM record WHERE duplicate_of IS NOT NULL"),
    "near": _in_group("record", "near"),
    "leak": _in_group("example", "leak"),
    "example": Fact("example", "1"),
    "edit": Fact("example", "e.revision > 1", "SELECT id FROM example WHERE revision > 1"),
    "synthetic": Fact(
        "example",
        "EXISTS (SELECT 1 FROM synthetic y WHERE y.example_id = e.id)",
        "SELECT example_id AS id FROM synthetic",
    ),
    "tools": Fact(
        "example",
        "EXISTS (SELECT 1 FROM revision v WHERE v.example_id = e.id AND v.number = e.revision AND v.tools IS NOT NULL)",
    ),
    "response": Fact("example", "EXISTS (SELECT 1 FROM response a WHERE a.example_id = e.id)"),
    "pair": Fact("example", "EXISTS (SELECT 1 FROM pair p WHERE p.example_id = e.id)"),
    "verdict": Fact(
        "example",
        "EXISTS (SELECT 1 FROM pair p WHERE p.example_id = e.id AND +(p.verdict IS NOT NULL))",
        "SELECT p.example_id AS id FROM pair p WHERE p.verdict IS NOT NULL",
    ),
    "comment": Fact(
        "example",
        "EXISTS (SELECT 1 FROM pair p JOIN comparison c ON c.pair_id = p.id"
        " WHERE p.example_id = e.id AND c.note <> '')",
    ),
}
