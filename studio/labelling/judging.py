"""What a key in Compare writes: a verdict with what follows from it, or a better reply of one's own."""

import random
from collections.abc import Iterable
from typing import NamedTuple

from store import journal, pairs, responses
from store.database import Store
from store.examples import Message
from store.journal import Purpose, Strength
from store.pairs import Pair, Verdict
from store.responses import Response
from studio.errors import StudioError
from studio.labelling import ranking
from studio.labelling.shown import Shown

_OTHER_WAY: dict[Verdict, Verdict] = {"left": "right", "right": "left"}


def judge(
    store: Store,
    shown: Shown,
    verdict: Verdict,
    *,
    rater: str,
    task: str,
    strength: Strength = "",
    reasons: Iterable[str] = (),
    note: str = "",
    shown_at: str | None,
) -> int:
    """Write a verdict on a pair and, where replies are ranked, all that follows from it; return the journal's line.

    Args:
        store: the project's file; all is on the disk when this returns.
        shown: the pair as it was shown; why it was shown is found out where it does not say.
        verdict: what was said.
        rater: who said it.
        task: the name of the queue that it was shown in.
        strength: how much better; of no meaning where neither is.
        reasons: the rater's own words for why, from the task's list.
        note: a remark that belongs to the verdict.
        shown_at: when the pair was painted; None where it was not seen blind.
    """
    with store.transaction():
        head = journal.judge(
            store,
            shown.pair,
            verdict,
            rater=rater,
            purpose=shown.purpose or journal.purpose_of(store, shown.pair.id, rater),
            task=task,
            strength=strength if verdict in ("left", "right") else "",
            reasons=tuple(reasons),
            note=note,
            shown_at=shown_at,
        )
        _follow(store, shown, _Head(head, shown.pair.example_id, rater, task))
    return head


def keep_better(
    store: Store,
    shown: Shown,
    original: Response,
    messages: list[Message],
    *,
    rater: str,
    task: str,
    shown_at: str | None,
) -> int:
    """Keep an edited reply as a third one that is better than both; return its id. One undo takes all verdicts back.

    Raises:
        StudioError: it says the same as one of the two.
    """
    other = shown.right if original.id == shown.left.id else shown.left
    if messages in (original.messages, other.messages):
        raise StudioError(
            "The edited reply is the same as one of the two, so nothing was saved.",
            "Change it, or press h or l to say which of the two is better.",
        )
    example_id = shown.pair.example_id
    with store.transaction():
        third = responses.add(store, example_id, messages, origin="human", author=rater, parent_id=original.id)
        line = journal.judge(
            store,
            shown.pair,
            "left" if original.id == shown.left.id else "right",
            rater=rater,
            purpose="edited",
            task=task,
            shown_at=shown_at,
        )
        head = _Head(line, example_id, rater, task)
        _write_implied(store, head, ranking.Outcome(third, original.id, "left"), "edited")
        _write_implied(store, head, ranking.Outcome(third, other.id, "left"), "implied")
        _follow(store, shown, head)
    return third


class _Head(NamedTuple):
    """The line of the journal that others follow from."""

    line: int
    example_id: int
    rater: str
    task: str


def _follow(store: Store, shown: Shown, head: _Head) -> None:
    """Write what a verdict implies where replies are ranked; everywhere, set right what does not follow any more."""
    counting = {ranking.outcome(e).two: e for e in journal.current_verdicts_of(store, head.example_id)}
    mine = {two for two, entry in counting.items() if entry.purpose == "implied" and entry.rater == head.rater}
    if not (shown.ranking or mine):
        return
    implied = ranking.implied(ranking.outcomes_of(store, head.example_id, rater=head.rater))
    # What follows no more becomes a skip: an older verdict that this one replaces implied it.
    wanted = {two: ranking.Outcome(min(two), max(two), "skip") for two in mine}
    wanted |= {each.two: each for each in implied if each.two in mine or shown.ranking}
    for two, outcome in wanted.items():
        stands = counting.get(two)
        if stands is None or (two in mine and ranking.outcome(stands).winner != outcome.winner):
            _write_implied(store, head, outcome, "implied")


def _write_implied(store: Store, head: _Head, outcome: ranking.Outcome, purpose: Purpose) -> None:
    seed = random.SystemRandom().getrandbits(31)
    pair = pairs.get(store, pairs.add_pair(store, head.example_id, outcome.left, outcome.right, seed=seed))
    journal.judge(
        store,
        pair,
        _as_shown(pair, outcome),
        rater=head.rater,
        purpose=purpose,
        task=head.task,
        implied_by=head.line,
    )


def _as_shown(pair: Pair, outcome: ranking.Outcome) -> Verdict:
    """Return an outcome's verdict for a pair that may have the two the other way round."""
    return outcome.verdict if pair.left_id == outcome.left else _OTHER_WAY.get(outcome.verdict, outcome.verdict)
