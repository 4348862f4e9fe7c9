"""The criteria of a rubric that are asked before the verdict: which one is next, also after a restart."""

from collections.abc import Sequence
from dataclasses import replace

from store import journal
from store.database import Store
from studio.labelling.shown import Shown


def next_criterion(store: Store, shown: Shown, criteria: Sequence[str], *, rater: str) -> tuple[Shown, str]:
    """Return the first criterion that was not answered of a pair, empty when all were; the pair as it is to be shown.

    That is with the sides that it had at the answers before, or they would change in the middle of a rubric.
    """
    if not criteria:
        return shown, ""
    answers = journal.criteria_of(store, shown.pair.id, rater=rater)
    answered = {answer.criterion for answer in answers}
    asked = next((criterion for criterion in criteria if criterion not in answered), "")
    if answers and answers[-1].left_id == shown.right.id:
        turned = shown.pair._replace(seed=answers[-1].seed or 0)
        return replace(shown, pair=turned, left=shown.right, right=shown.left), asked
    return shown, asked
