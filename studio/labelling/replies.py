"""What the verdicts say of the replies: does the longer one win, how many are no good, do verdicts go in a circle."""

from dataclasses import dataclass

from store import tallies
from store.gathered import Gathered
from store.tallies import Criterion
from studio.statistics.shares import Share, wilson


@dataclass(frozen=True)
class Replies:
    """Patterns in what won."""

    longer_won: Share
    """Decided pairs with a longer reply in which that one won: how good "pick the longer one" is as a judge."""
    tied: Share
    """Ties, of all pairs that were not skipped."""
    both_bad: Share
    """Pairs without a good reply, of all that were not skipped."""
    circles: Share
    """Threes of replies to a prompt that go in a circle (A beats B beats C beats A), of all that were decided."""
    strengths: dict[str, int]
    """How many decided pairs were called slightly and clearly better."""
    reasons: dict[str, int]
    criteria: list[Criterion]


def replies(of: Gathered) -> Replies:
    """Return the patterns in what won."""
    counts = tallies.verdicts(of)
    said = sum(counts.values()) - counts.get("skip", 0)
    return Replies(
        wilson(*tallies.longer(of)),
        wilson(counts.get("tie", 0), said),
        wilson(counts.get("both_bad", 0), said),
        wilson(*tallies.triangles(of)),
        tallies.strengths(of),
        tallies.reasons(of),
        tallies.criteria(of),
    )
