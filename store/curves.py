"""A run's metrics as they are drawn: the last value of each, and curves of no more points than fit."""

from store.database import Store
from store.runs import Metric

POINTS = 400
"""More points than a plot in a terminal can show apart."""


Point = tuple[int, float]
"""A step and a value; of a long run the mean of a few steps, at the last of them."""


def latest(store: Store, run_id: str, *, last: int | None = None) -> dict[str, Metric]:
    """Return the last value of each metric, by its name; none of a step after `last`."""
    rows = store.connection.execute(_LATEST, {"run": run_id, "last": last})
    return {row[0]: Metric(*row) for row in rows}


def curves(
    store: Store, run_id: str, *, points: int = POINTS, first: int | None = None, last: int | None = None
) -> dict[str, list[Point]]:
    """Return each metric's curve, by its name.

    Args:
        store: where the metrics are.
        run_id: whose.
        points: how many points a curve has at most; where there are more steps, their means are taken.
        first: the step to begin with.
        last: the step to end with.
    """
    found: dict[str, list[Point]] = {}
    wanted = {"run": run_id, "points": points, "first": first, "last": last}
    for name, step, value in store.connection.execute(_CURVES, wanted):
        found.setdefault(name, []).append((step, value))
    return found


# From name to name by the key, since a long run has a million values of twenty names.
_LATEST = """
WITH RECURSIVE names(name) AS (
    SELECT MIN(name) FROM metric WHERE run_id = :run
    UNION ALL
    SELECT (SELECT MIN(name) FROM metric WHERE run_id = :run AND name > names.name) FROM names WHERE name IS NOT NULL
)
SELECT metric.name, metric.step, metric.value, metric.at
FROM names JOIN metric ON metric.run_id = :run AND metric.name = names.name AND metric.step = (
    SELECT MAX(step) FROM metric
    WHERE run_id = :run AND name = names.name AND step <= COALESCE(:last, 9223372036854775807)
)
"""

_CURVES = """
WITH shown AS (
    SELECT name, step, value FROM metric
    WHERE run_id = :run AND step >= COALESCE(:first, 0) AND step <= COALESCE(:last, 9223372036854775807)
), span(start, width) AS (SELECT MIN(step), MAX(step) - MIN(step) + 1 FROM shown)
SELECT name, MAX(step), AVG(value) FROM shown, span
GROUP BY name, CASE WHEN width <= :points THEN step ELSE (step - start) * :points / width END
ORDER BY name, step
"""
