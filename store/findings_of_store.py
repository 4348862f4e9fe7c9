"""What is wrong with rows as far as the tables say it already: no text is read for it."""

from collections.abc import Iterator

from store.database import Store


def unreadable(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the records that could not be parsed, with the reason."""
    return iter(
        store.connection.execute(
            "SELECT id, error FROM record WHERE (error IS NOT NULL OR problem IS NOT NULL) AND error IS NOT NULL"
            " ORDER BY id"
        )
    )


def with_a_problem(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the records that made less than they seem to hold, with the reason."""
    return iter(
        store.connection.execute(
            "SELECT id, problem FROM record WHERE (error IS NOT NULL OR problem IS NOT NULL) AND error IS NULL"
            " ORDER BY id"
        )
    )


def without_common_prompt(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the records of pairs whose two sides follow different prompts, with what reading them said."""
    return ((number, reason) for number, reason in with_a_problem(store) if "do not share their prompt" in reason)


def raters_disagree(store: Store) -> Iterator[tuple[int, str]]:
    """Yield the examples with a pair of which one standing verdict prefers this side, another that; with whose."""
    several = "SELECT pair_id FROM comparison WHERE kind = 'verdict' GROUP BY pair_id HAVING COUNT(*) > 1"
    preferred = "CASE verdict WHEN 'left' THEN left_id ELSE right_id END"
    return iter(
        store.connection.execute(
            "SELECT p.example_id, 'pair ' || p.id || ': ' || d.raters FROM"
            f" (SELECT pair_id, GROUP_CONCAT(rater || ' prefers response ' || {preferred}, ', ') AS raters"
            f" FROM standing_verdict WHERE verdict IN ('left', 'right') AND pair_id IN ({several})"
            f" GROUP BY pair_id HAVING COUNT(DISTINCT {preferred}) > 1) d"
            " JOIN pair p ON p.id = d.pair_id ORDER BY p.example_id"
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
    """Yield the examples whose prompt is held out more in another split, with both splits."""
    rank = "CASE e.split WHEN 'test' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END"
    return iter(
        store.connection.execute(
            f"SELECT e.id, e.split, CASE k.best WHEN 0 THEN 'test' ELSE 'validation' END FROM duplicate_group g JOIN"
            f" (SELECT m.group_id, MIN({rank}) AS best FROM duplicate_member m JOIN example e ON e.id = m.item_id"
            "  JOIN duplicate_group h ON h.id = m.group_id AND h.kind = 'leak' GROUP BY m.group_id) k"
            " ON k.group_id = g.id JOIN duplicate_member m ON m.group_id = g.id JOIN example e ON e.id = m.item_id"
            f" WHERE g.kind = 'leak' AND {rank} > k.best ORDER BY e.id"
        )
    )
