"""What the journal of comparisons says about the labels and the labellers, in figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store import pairs, tallies
from store.database import Store
from store.gathered import gathered
from studio.ai_judge.report import JudgeReport
from studio.labelling import drift, enough, honesty, others, replies
from studio.lint import options


@dataclass(frozen=True)
class LabellingReport:
    """The state of the labels; shares and kappas carry 95 % intervals."""

    task: str
    """Only verdicts given in this task; all where it is empty."""
    rater: str
    """Only this person's verdicts; the ones that count, of all people, where it is empty."""
    pairs: int
    """Pairs of the project whose data is in use."""
    unjudged: int
    usable: int
    """Pairs of the project that training can use: one side was called better."""
    verdicts: dict[str, int]
    """How many pairs stand at each verdict, of this task and person."""
    raters: list[str]
    """Everybody who judged in the project."""
    agreement: honesty.SelfAgreement
    position: honesty.Position
    pace: honesty.Pace
    hasty: honesty.Hasty
    drift: drift.Drift
    others: others.Others
    replies: replies.Replies
    enough: enough.Enough
    ai_judge: JudgeReport | None
    """Models that judged as second readers, beside the person; None where none did, or no person is meant."""

    @property
    def judged(self) -> int:
        """Pairs with a verdict, of this task and person."""
        return sum(self.verdicts.values())


def report(
    store: Store, *, task: str = "", rater: str = "", lint: Mapping[str, Any] | None = None, reader: str = ""
) -> LabellingReport:
    """Sum the journal up.

    Args:
        store: the project's file; nothing is written.
        task: only verdicts given in this task.
        rater: only this person's.
        lint: the project's lint options, which say what is too fast.
        reader: whom AI judges are compared with where no `rater` is named.
    """
    from studio.ai_judge import report as ai_judge

    counts = pairs.counts(store)
    total = counts.pop("pairs")
    usable = counts.get("left", 0) + counts.get("right", 0)
    with gathered(store, task=task, rater=rater) as of:
        agreement = honesty.self_agreement(of)
        return LabellingReport(
            task=task,
            rater=rater,
            pairs=total,
            unjudged=total - sum(counts.values()),
            usable=usable,
            verdicts=tallies.verdicts(of),
            raters=tallies.raters(store),
            agreement=agreement,
            position=honesty.position(of),
            pace=honesty.pace(of),
            hasty=honesty.hasty(of, options.defaults() if lint is None else lint),
            drift=drift.drift(of),
            others=others.others(of),
            replies=replies.replies(of),
            enough=enough.enough(of, agreement.decided, usable),
            ai_judge=ai_judge.read(store, rater or reader) if rater or reader else None,
        )
