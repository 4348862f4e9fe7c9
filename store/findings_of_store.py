"""What is wrong with rows as far as the tables say it already: no text is read for it."""

from collections.abc import Iterator

from store.database import Store
from store.journal import NOT_COUNTED


def unreadable(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the records that could not be parsed, with the reason."""
    return iter(
        store.connection.execute(
            "SELECT id, error FROM record WHERE (error IS NOT NULL OR problem IS NOT NULL) AND error IS NOT NULL"
            " ORDER BY id"
        )
    )


def with_a_problem(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the records that made less than they seem to hold, with the reason; not those with a check of their own."""
    has_empty = (
        " AND EXISTS (SELECT 1 FROM example e JOIN findings.finding f ON f.kind = 'example'"
        " AND f.name = 'empty-answer' AND f.row_id = e.id AND f.number = 0 WHERE e.record_id = r.id)"
    )
    return iter(
        store.connection.execute(
            f"SELECT r.id, r.problem FROM record r WHERE {_PROBLEM} AND r.problem NOT LIKE '%{_TWO_PROMPTS}%'"
            f" AND NOT (r.problem LIKE '%answer % is empty'{has_empty}) ORDER BY r.id"
        )
    )


def without_common_prompt(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the records of pairs whose two sides follow different prompts, with what reading them said."""
    return iter(
        store.connection.execute(
            f"SELECT r.id, r.problem FROM record r WHERE {_PROBLEM} AND r.problem LIKE '%{_TWO_PROMPTS}%' ORDER BY r.id"
        )
    )


_PROBLEM = "(r.error IS NOT NULL OR r.problem IS NOT NULL) AND r.error IS NULL"
"""Records with a problem, in the words of the index that has them."""
_TWO_PROMPTS = "do not share their prompt"


def raters_disagree(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the examples with a pair of which one standing verdict prefers this side, another that; with whose.

    What only measures a person, what they replaced themselves, and what a review has settled is no contradiction.
    """
    several = "SELECT pair_id FROM comparison WHERE kind = 'verdict' GROUP BY pair_id HAVING COUNT(*) > 1"
    first = "(CASE s.verdict WHEN 'left' THEN s.left_id ELSE s.right_id END = p.first_id)"
    return iter(
        store.connection.execute(
            "SELECT p.example_id, 'the first of two answers is better to '"
            f" || GROUP_CONCAT(CASE WHEN {first} THEN s.rater END, ', ') || '; the second to '"
            f" || GROUP_CONCAT(CASE WHEN NOT {first} THEN s.rater END, ', ')"
            " FROM standing_verdict s JOIN pair p ON p.id = s.pair_id"
            f" WHERE s.verdict IN ('left', 'right') AND s.pair_id IN ({several}) AND s.purpose NOT IN {NOT_COUNTED}"
            " AND NOT EXISTS (SELECT 1 FROM standing_verdict n WHERE n.pair_id = s.pair_id AND n.id > s.id"
            " AND (n.purpose = 'review' AND n.verdict <> 'skip' OR +n.rater = s.rater"
            " AND n.purpose IN ('change', 'edited')))"
            f" GROUP BY p.id HAVING COUNT(DISTINCT {first}) > 1 ORDER BY p.example_id, p.id"
        )
    )


def exact_duplicates(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the records that repeat an earlier one, with its place."""
    return iter(
        store.connection.execute(
            "SELECT r.id, s.name || ':' || o.line FROM record r JOIN record o ON o.id = r.duplicate_of"
            " JOIN source s ON s.id = o.source_id WHERE r.duplicate_of IS NOT NULL ORDER BY r.id"
        )
    )


def of_repeated_records(store: Store) -> frozenset[int]:
    """Return the examples of records that repeat an earlier one."""
    rows = store.connection.execute(
        "SELECT e.id FROM record r JOIN example e ON e.record_id = r.id WHERE r.duplicate_of IS NOT NULL"
    )
    return frozenset(row[0] for row in rows)


def of_leaks(store: Store) -> frozenset[int]:
    """Return the examples whose prompt, or one like it, a search found in more than one split."""
    rows = store.connection.execute(
        "SELECT m.item_id FROM duplicate_member m JOIN duplicate_group g ON g.id = m.group_id WHERE g.kind = 'leak'"
    )
    return frozenset(row[0] for row in rows)


def near_duplicates(store: Store) -> Iterator[tuple[int, float, str]]:
    """Yield the records that nearly repeat the first of their group, with their similarity and its place."""
    return iter(
        store.connection.execute(
            "SELECT m.item_id, m.similarity, s.name || ':' || o.line FROM duplicate_group g"
            " JOIN (SELECT group_id, MIN(item_id) AS first FROM duplicate_member GROUP BY group_id) k"
            " ON k.group_id = g.id JOIN duplicate_member m ON m.group_id = g.id AND m.item_id > k.first"
            " JOIN record o ON o.id = k.first JOIN source s ON s.id = o.source_id"
            " WHERE g.kind = 'near' ORDER BY m.item_id"
        )
    )


def leaks(store: Store) -> Iterator[tuple[int, str, str]]:
    """Yield the examples of which a search found the prompt, or one like it, held out more, with both splits.

    Not those that a check found by itself.
    """
    rank = "CASE e.split WHEN 'test' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END"
    return iter(
        store.connection.execute(
            f"SELECT e.id, e.split, CASE k.best WHEN 0 THEN 'test' ELSE 'validation' END FROM duplicate_group g JOIN"
            f" (SELECT m.group_id, MIN({rank}) AS best FROM duplicate_member m JOIN example e ON e.id = m.item_id"
            "  JOIN duplicate_group h ON h.id = m.group_id AND h.kind = 'leak' GROUP BY m.group_id) k"
            " ON k.group_id = g.id JOIN duplicate_member m ON m.group_id = g.id JOIN example e ON e.id = m.item_id"
            f" WHERE g.kind = 'leak' AND {rank} > k.best AND NOT EXISTS (SELECT 1 FROM findings.finding f"
            "  WHERE f.kind = 'example' AND f.name = 'leaked-prompt' AND f.row_id = e.id) ORDER BY e.id"
        )
    )
