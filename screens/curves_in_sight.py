"""Which curves are drawn, of which steps, and how smooth; the same in the Train screen and where runs are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase

from screens.widgets.plot import Chart, Steps
from studio.training.history.overview import Curve, in_order

SMOOTHING = (0.0, 0.6, 0.9)
"""Weights of what came before; the first draws the curves as they are."""

MOST_RUNS = 8
"""Curves that can be told apart over each other."""

DEEPEST = 10
"""How often the steps are halved at most."""


@dataclass(frozen=True)
class Sight:
    """What one chose to see of curves."""

    smoothing: float = 0.0
    depth: int = 0
    """How often the steps were halved."""
    end: float = 1.0
    """Where the steps that are drawn end, as a share of all."""
    names: tuple[str, ...] = ()
    """The metrics; where none is chosen the most telling ones."""

    def smoother(self) -> "Sight":
        """Return the next smoothing, after the last one none."""
        at = SMOOTHING.index(self.smoothing) if self.smoothing in SMOOTHING else -1
        return replace(self, smoothing=SMOOTHING[(at + 1) % len(SMOOTHING)])

    def zoomed(self, by: int) -> "Sight":
        """Return half of the steps, the later ones, or twice as many."""
        depth = max(0, min(self.depth + by, DEEPEST))
        return replace(self, depth=depth, end=max(self.end, 0.5**depth))

    def panned(self, by: int) -> "Sight":
        """Return as many steps that lie half of their number earlier or later."""
        share = 0.5**self.depth
        return replace(self, end=max(share, min(self.end + by * share / 2, 1.0)))

    def steps(self, of: Steps) -> Steps:
        """Return the first and the last of the steps that are drawn."""
        first, span = of[0], of[1] - of[0]
        return round(first + (self.end - 0.5**self.depth) * span), round(first + self.end * span)

    @property
    def remark(self) -> str:
        """What is said of it under the curves."""
        smooth = f"smoothed {self.smoothing:g} (S)" if self.smoothing else ""
        return ", ".join(filter(None, (smooth, f"1/{2**self.depth} of all (Z h l)" if self.depth else "")))


def lettered(run_ids: Sequence[str]) -> dict[str, str]:
    """Return which run each letter stands for; none where there is but one."""
    return dict(zip(ascii_uppercase, run_ids[:MOST_RUNS], strict=False)) if len(run_ids) > 1 else {}


def charts_of(curves: Mapping[str, Sequence[Curve]], names: Sequence[str]) -> list[Chart]:
    """Return a chart for each metric, the most telling first.

    Args:
        curves: of each run, by the run's id.
        names: the metrics; all that there are where none is named or none of the named is there.
    """
    letter_of = {run_id: letter for letter, run_id in lettered(list(curves)).items()} or dict.fromkeys(curves, "")
    by_name: dict[str, dict[str, Curve]] = {}
    for run_id, found in curves.items():
        for curve in found:
            by_name.setdefault(curve.name, {})[letter_of[run_id]] = curve
    ordered = [curve.name for curve in in_order({name: [] for name in by_name})]
    wanted = [name for name in ordered if name in names] or ordered
    return [_chart(by_name[name]) for name in wanted]


def _chart(curves: Mapping[str, Curve]) -> Chart:
    title = next(iter(curves.values())).title
    return Chart(title, {letter: curve.points for letter, curve in curves.items()})
