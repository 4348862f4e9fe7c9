"""Queries as conditions of SQL, and as statements that give the few rows which a condition can hold for at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from store import facts, field_match
from store.facts import Fact, Kind
from store.query import And, Field, Node, Not, Or, Term
from store.query_names import IS
from store.text_match import Expressions

Scope = Literal["rows", "block", "all"]
"""What a condition is asked of: a few rows one by one, the rows of a small block of ids, or those of a large one."""


@dataclass(frozen=True)
class Condition:
    """A condition of SQL on the record `r` or the example `e`."""

    sql: str
    seed: str | None = None
    """A statement that gives, in a column `id`, the rows that it holds for; some perhaps twice."""
    of_seed: str = "1"
    """What is still to be asked of these rows."""
    match: str | None = None
    """What the index of records is asked, where that says it all."""
    is_slow_to_begin: bool = False
    """Whether the index has to read all that it finds before it gives the first row."""


class Conditions:
    """Makes the conditions of one query; their values are in `values`.

    Those of text are about rows between :low and :high, whose records are between :first and :last.
    """

    def __init__(self, kind: Kind, expressions: Expressions, scope: Scope) -> None:
        self._kind = kind
        self._expressions = expressions
        self._scope = scope
        self.values: dict[str, str | int] = {}

    def all_of(self, node: Node) -> list[Condition]:
        """Return the conditions that must all hold; all that a query says of the text is the first of them."""
        nodes = node.nodes if isinstance(node, And) else (node,)
        texts = [each for each in nodes if self._is_text(each)]
        if texts:
            # What the text must not say narrows one search down; alone it would be one for all the other rows.
            texts += [each for each in nodes if isinstance(each, Not) and self._is_text(each.node)]
        # What has to read rows comes last, for those that all else holds for.
        rest = [self._of(each) for each in sorted(nodes, key=_reads_fields) if each not in texts]
        return [self._text(And(tuple(texts))), *rest] if texts else rest

    def _is_text(self, node: Node) -> bool:
        return self._expressions.whole(node) is not None

    def _of(self, node: Node) -> Condition:
        if isinstance(node, Not):
            barred = self._of(node.node)
            return Condition(f"NOT {barred.sql}", is_slow_to_begin=barred.is_slow_to_begin)
        if isinstance(node, Term):
            return self._term(node)
        if isinstance(node, Field):
            return self._field(node)
        if isinstance(node, Or) and not self._is_text(node):
            return self._any_of(node)
        parts = self.all_of(node)
        return Condition(joined(p.sql for p in parts), is_slow_to_begin=any(p.is_slow_to_begin for p in parts))

    def _any_of(self, node: Or) -> Condition:
        parts = [self._of(each) for each in node.nodes]
        seeds = [part.seed for part in parts if part.seed]
        seed = " UNION ALL ".join(f"SELECT id FROM ({each})" for each in seeds) if len(seeds) == len(parts) else None
        return Condition(
            joined((part.sql for part in parts), "OR"),
            seed,
            "1" if all(part.of_seed == "1" for part in parts) else joined((part.sql for part in parts), "OR"),
            is_slow_to_begin=any(part.is_slow_to_begin for part in parts),
        )

    def _term(self, term: Term) -> Condition:
        name, value = term.name, term.value
        if name == "is" and value in IS:
            name, value = "has", IS[str(value)]
        return self._fact(facts.of(self._kind, name, term.operator, self._value(value), value))

    def _fact(self, fact: Fact) -> Condition:
        if fact.of == self._kind:
            return Condition(f"({fact.sql})", fact.seed)
        seed = f"SELECT s.id FROM ({fact.seed}) s"
        # The signs keep SQLite from looking the fact up first, for every row anew.
        if fact.of == "record":
            sql = f"EXISTS (SELECT 1 FROM record r WHERE r.id = e.record_id AND +({fact.sql}))"
            seed = f"SELECT e.id FROM ({fact.seed}) s CROSS JOIN example e ON e.record_id = s.id"
        else:
            sql = f"EXISTS (SELECT 1 FROM example e WHERE e.record_id = r.id AND +({fact.sql}))"
            of_record = "e.id = s.id AND e.record_id IS NOT NULL"
            seed = f"SELECT e.record_id AS id FROM ({fact.seed}) s CROSS JOIN example e ON {of_record}"
        return Condition(sql, seed if fact.seed else None)

    def _field(self, field: Field) -> Condition:
        asked = field_match.call(
            "COALESCE(t.fields, CASE WHEN o.error IS NULL THEN t.raw END)", self._value(field_match.wanted(field))
        )
        record = "r.id" if self._kind == "record" else "e.record_id"
        says = (
            f"COALESCE((SELECT {asked} FROM record_text t JOIN record o ON o.id = t.record_id"
            f" WHERE t.record_id = {record}), 0)"
        )
        words = field_match.words(field)
        if words is None:
            return Condition(says)
        is_slow = self._expressions.spelled(words) is None
        seed = f"SELECT rowid AS id FROM search.record_fts WHERE record_fts MATCH {self._match(words)}"
        if self._kind == "example":
            seed = f"SELECT e.id FROM ({seed}) s CROSS JOIN example e ON e.record_id = s.id"
        sql = f"CASE WHEN {self._record_text(words, record)} THEN {says} ELSE 0 END"
        return Condition(sql, seed, says, is_slow_to_begin=is_slow)

    def _text(self, node: Node) -> Condition:
        is_slow = self._expressions.spelled(node) is None
        match = self._match(node)
        found = f"SELECT rowid AS id FROM search.record_fts WHERE record_fts MATCH {match}"
        if self._kind == "record":
            return Condition(self._record_text(node, "r.id"), found, match=match, is_slow_to_begin=is_slow)
        own = f"SELECT rowid AS id FROM search.example_fts WHERE example_fts MATCH {match}"
        bounds = "rowid = e.id" if self._scope == "rows" else "rowid BETWEEN :low AND :high"
        in_own = f"e.id IN ({own} AND {bounds})"
        sql = f"CASE WHEN e.own_text THEN {in_own} ELSE {self._record_text(node, 'e.record_id')} END"
        seed = (
            f"SELECT e.id FROM ({found}) s CROSS JOIN example e ON e.record_id = s.id WHERE NOT e.own_text"
            f" UNION ALL {own}"
        )
        return Condition(sql, seed, is_slow_to_begin=is_slow)

    def _record_text(self, node: Node, record: str) -> str:
        """Return the condition that the text of a record, named by its id, matches."""
        found = f"SELECT rowid FROM search.record_fts WHERE record_fts MATCH {self._match(node)}"
        if self._scope == "rows":
            if self._expressions.spelled(node) is not None:
                return f"EXISTS ({found} AND rowid = {record})"
            return f"COALESCE({record} IN ({found}), 0)"
        bounds = ":low AND :high" if self._kind == "record" else ":first AND :last"
        return f"COALESCE({record} IN ({found} AND rowid BETWEEN {bounds}), 0)"

    def _match(self, node: Node) -> str:
        spelled = None if self._scope == "all" else self._expressions.spelled(node)
        return self._value(spelled or self._expressions.whole(node) or "")

    def _value(self, value: str | int) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def _reads_fields(node: Node) -> bool:
    if isinstance(node, Not):
        return _reads_fields(node.node)
    return isinstance(node, Field) or (isinstance(node, (And, Or)) and any(map(_reads_fields, node.nodes)))


def joined(parts: Iterable[str], word: str = "AND") -> str:
    """Return conditions as one; without any, one that always holds."""
    return f"({f' {word} '.join(parts) or '1'})"
