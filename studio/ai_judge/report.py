"""What a judge is worth: how often it can be read, stays by its word in the other order, and agrees with a person."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from store import judgements
from store.database import Store
from store.jobs import Job
from store.judgements import Answer, Cell
from studio.statistics.agreement import Kappa, kappa
from studio.statistics.shares import Share, wilson

FEW = 30
"""Pairs below which the figures of a judge say next to nothing."""

ENOUGH_CONSISTENCY = 0.7
"""Share of pairs below which a judge's answers hang on the order: ChatGPT reaches it on published pairs, 0.71."""


@dataclass(frozen=True)
class JudgeFigures:
    """One judge beside one person."""

    judge: str
    clear: Share
    """Pairs on which its verdict could be read in both orders, of all that it was asked about."""
    consistent: Share
    """Pairs on which it said the same in both orders, of those that could be read."""
    named_first_shown: Share
    """How often it named the reply that was shown first, of all its readable verdicts for one reply."""
    compared: int
    """Pairs with a consistent answer that the person has decided too."""
    first: Share
    """Of those where the person found the pair's first response better, those where the judge did too."""
    second: Share
    """The same of the second response."""
    agreement: Kappa
    """All answers, ties and both bad among them."""

    @property
    def trust(self) -> str:
        """What the figures mean, in a sentence."""
        if self.clear.of and not self.clear.part:
            return "Nothing that it said is a verdict: this model does not keep to the form."
        if self.clear.of and self.clear.high < 0.5:
            return "Most of what it said is no verdict: this model does not keep to the form."
        if self.consistent.of and self.consistent.high < ENOUGH_CONSISTENCY:
            return "Its answers hang on the order of the replies: do not rely on it."
        if self.compared < FEW:
            return f"Too few pairs to tell: {self.compared} of at least {FEW}."
        if self.agreement.value is not None and self.agreement.low <= 0:
            return "It agrees with the person no more than chance would."
        return "It can be a second reader; where it differs, the person decides."


@dataclass(frozen=True)
class JudgeReport:
    """All judges of a project, beside one person."""

    rater: str
    judges: tuple[JudgeFigures, ...]


def read(store: Store, rater: str) -> JudgeReport | None:
    """Return the figures of every judge that was asked, None where none was."""
    found = judgements.cells(store, rater)
    names = dict.fromkeys(cell.judge for cell in found)
    if not names:
        return None
    return JudgeReport(rater, tuple(_figures(name, [cell for cell in found if cell.judge == name]) for name in names))


def counted(job: Job) -> list[str]:
    """Say what came of the pairs that a job asked about."""
    counts = ", ".join(f"{number:,} {kind}" for kind, number in sorted(job.facts.get("counts", {}).items()))
    return [f"{job.done:,} of {job.total:,} pairs{f': {counts}' if counts else ''}."]


def lines(report: JudgeReport) -> list[str]:
    """Put the figures into lines for a person."""
    return [line for figures in report.judges for line in lines_of(figures)]


def lines_of(figures: JudgeFigures) -> list[str]:
    """Put one judge's figures into lines."""
    value = figures.agreement.value
    small = "" if value is None else f" (kappa {value:.2f} [{figures.agreement.low:.2f}, {figures.agreement.high:.2f}])"
    return [
        f"AI judge {figures.judge}: {figures.trust}",
        f"  verdicts that can be read, in both orders: {figures.clear}",
        f"  the same answer in both orders: {figures.consistent}",
        f"  named the reply that was shown first: {figures.named_first_shown}",
        f"  agrees where the person preferred the first response: {figures.first}",
        f"  agrees where the person preferred the second: {figures.second}",
        f"  agrees on all that both answered: {figures.agreement.observed}{small}",
    ]


def _figures(judge: str, cells: Sequence[Cell]) -> JudgeFigures:
    clear = [cell for cell in cells if "unclear" not in (cell.first_shown_left, cell.first_shown_right)]
    same = [cell for cell in clear if cell.first_shown_left == cell.first_shown_right]
    table: Counter[tuple[Hashable, Hashable]] = Counter()
    for cell in same:
        if cell.person is not None:
            table[cell.person, cell.first_shown_left] += cell.pairs
    named = Counter({"first": 0, "all": 0})
    for cell in cells:
        for answer, shown_first in ((cell.first_shown_left, "first"), (cell.first_shown_right, "second")):
            if answer in ("first", "second"):
                named["all"] += cell.pairs
                named["first"] += cell.pairs * (answer == shown_first)
    return JudgeFigures(
        judge,
        wilson(_count(clear), _count(cells)),
        wilson(_count(same), _count(clear)),
        wilson(named["first"], named["all"]),
        sum(table.values()),
        _recall(table, "first"),
        _recall(table, "second"),
        kappa(table),
    )


def _count(cells: Sequence[Cell]) -> int:
    return sum(cell.pairs for cell in cells)


def _recall(table: Counter[tuple[Hashable, Hashable]], side: Answer) -> Share:
    of = sum(number for (person, _), number in table.items() if person == side)
    return wilson(table[side, side], of)
