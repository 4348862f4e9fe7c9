"""A labeller's way through a task: which pair comes next, which ones come back, and with which sides."""

from dataclasses import replace
from typing import Literal, NamedTuple

from store import pair_queues, pairs, responses, sessions
from store.database import Store
from store.journal import NOT_COUNTED, Entry, Purpose
from store.pair_queues import Kind, Waiting
from store.pairs import Pair, Verdict
from studio.labelling import orders, ranking, repeats, shown
from studio.labelling.orders import Plan
from studio.labelling.repeats import Again, Session
from studio.labelling.shown import Content, Shown
from studio.labelling.sides import Sides
from studio.labelling.task_settings import Task

__all__ = ["Plan", "Queue"]

AHEAD = 2
"""Pairs that are read before they are asked for."""

PLANNED_ANEW = 25
"""After so many verdicts an order that hangs on verdicts is worked out again."""


class _Dealt(NamedTuple):
    """A pair that was given out to be judged."""

    pair: Pair
    """With the seed of the sides that it is shown with."""
    purpose: Purpose | None
    waits_for: Kind | Literal["change"]


class Queue:
    """A task's pairs on their way to one person.

    What was judged is read from the journal, so that it is all one whether it was judged here, by another program
    or before a restart. All but `plan` takes milliseconds.
    """

    def __init__(self, task: Task, rater: str) -> None:
        self.task = task
        self.rater = rater
        self._kind = orders.kind_of(task)
        self._plan: Plan | None = None
        self._place = 0
        self._after = 0
        self._session = Session(rater)
        self._sides = Sides()
        self._dealt: _Dealt | None = None
        self._back: list[_Dealt] = []
        """What was dealt before others were shown again; the last one comes first."""
        self._prompts: list[int] = []
        """Examples whose responses are being ranked; the last one comes first."""
        self._ahead: dict[int, Content] = {}
        self._judged = 0

    def wants_plan(self, store: Store) -> bool:
        """Tell whether to plan (again): pairs came in, a new session began, or verdicts may have changed the order."""
        plan = self._plan
        if plan is None:
            return True
        self._session.catch_up(store)
        if plan.newest != self._newest(store) or plan.session != self._session.before:
            return True
        is_at_end = self._place >= len(plan.ids) and not self._back and not self._prompts
        wanted = 1 if is_at_end else PLANNED_ANEW
        return self._judged >= wanted and (is_at_end or self.task.order in ("fewest", "uncertain", "disagreements"))

    def plan(self, store: Store) -> Plan:
        """Work out what waits, in its order. It takes a while: for a thread, with a store of its own.

        Raises:
            StudioError: the task's query can't be read.
        """
        session = Session(self.rater)
        session.catch_up(store)
        newest = self._newest(store)
        scope = orders.scope_of(store, self.task)
        ids = orders.ordered(store, self.task, scope, self.rater)
        allowed = None
        if self.task.planned:
            allowed = max(0, self.task.planned - orders.tally(store, self.task, scope, self.rater).done)
            ids = ids if self.task.ranking else ids[:allowed]
        return Plan(ids, repeats.anchors(store, session, self.task, self.rater), allowed, newest, session.before)

    def use(self, plan: Plan) -> None:
        """Go on by a plan."""
        self._plan = plan
        self._place = 0
        self._judged = 0

    def next(self, store: Store) -> Shown | None:
        """Return the pair to be judged now, the same one until it is; None where nothing waits, or no plan is there."""
        dealt = self._dealt
        while dealt:
            waiting = self._waiting(store, dealt)
            if waiting and dealt.waits_for != "change":
                return self._deal(store, dealt, waiting)
            dealt = self._back.pop() if self._back else None
        self._dealt = None
        self._session.catch_up(store)
        return self._next_ranked(store) if self.task.ranking else self._next_pair(store)

    def prefetch(self, store: Store) -> None:
        """Read what probably comes next."""
        ahead = [dealt.pair.id for dealt in reversed(self._back[-AHEAD:])]
        if not self.task.ranking:
            ahead += [number for number in self._following(store, AHEAD + 1) if not self._is_dealt(number)]
        known = self._ahead
        self._ahead = {number: known.get(number) or shown.read(store, number) for number in ahead[:AHEAD]}

    def judged(self, judged: Shown, verdict: Verdict) -> None:
        """Take note that a pair was judged: the next one may come."""
        if self._is_dealt(judged.pair.id):
            self._dealt = self._back.pop() if self._back else None
        self._judged += verdict != "skip" and judged.purpose not in NOT_COUNTED

    def show_again(self, store: Store, entry: Entry) -> Shown:
        """Return a pair with the sides that it had in a verdict; what was to be judged now comes after it."""
        pair = pairs.get(store, entry.pair_id)
        if entry.seed is not None:
            pair = pair._replace(seed=entry.seed)
        dealt = self._dealt if self._is_dealt(pair.id) else None
        if entry.kind == "verdict" and sessions.stands(store, entry.id):
            again = _Dealt(pair, "review" if entry.purpose == "review" else None, "change")
        elif entry.kind == "criterion" and dealt:
            again = dealt._replace(pair=pair)
        else:
            kept = entry.purpose if entry.purpose in (*NOT_COUNTED, "review") else None
            # Another person may have judged it meanwhile: who takes a verdict back is asked for a new one all the same.
            again = _Dealt(pair, kept, "disagreements" if kept == "review" else self._kind_again(store, pair.id))
        self._put_back(again)
        return self._deal(store, again, pair_queues.in_use(store, pair.id))

    def _kind_again(self, store: Store, pair_id: int) -> Kind | Literal["change"]:
        # Where an earlier verdict of theirs stands, the pair waits for none, and is shown to be judged anew.
        return "mine" if pair_queues.waiting(store, pair_id, "mine", rater=self.rater) else "change"

    def is_open(self, store: Store, current: Shown) -> bool:
        """Tell whether a pair that is shown still waits for a verdict, and its data is in use."""
        dealt = self._dealt if self._is_dealt(current.pair.id) else None
        return self._waiting(store, dealt or _Dealt(current.pair, current.purpose, self._kind)) is not None

    def _newest(self, store: Store) -> int:
        """Return the newest of what the order is made of: pairs, or responses where pairs are made on demand."""
        return (responses.next_id(store) if self.task.ranking else pairs.next_id(store)) - 1

    @property
    def _is_plain(self) -> bool:
        """Whether all pairs come as they came in, so that the next one is found without a plan."""
        task = self.task
        is_all = not task.query and task.pairs == "any" and not task.planned and not task.ranking
        return is_all and task.order == "imported"

    def _put_back(self, again: _Dealt) -> None:
        """Let what is dealt now come after a pair that is shown again."""
        if self.task.ranking:
            # Which pair comes next there depends on the verdicts, so only the prompts are remembered.
            self._prompts = [each for each in self._prompts if each != again.pair.example_id]
            if again.purpose not in NOT_COUNTED:
                self._prompts.append(again.pair.example_id)
            return
        if self._dealt and self._dealt.waits_for != "change":
            self._back.append(self._dealt)
        self._back = [each for each in self._back if each.pair.id != again.pair.id]

    def _next_pair(self, store: Store) -> Shown | None:
        again = self._again(store, is_end=False)
        if again:
            return again
        following = self._following(store, 1)
        if not following:
            return self._again(store, is_end=True)
        pair_id = self._after = following[0]
        waiting = pair_queues.waiting(store, pair_id, self._kind, rater=self.rater)
        pair = pairs.get(store, pair_id)
        content = self._content(store, pair_id, waiting)
        pair = pair._replace(seed=self._sides.seed(content.first, content.second))
        purpose: Purpose | None = "review" if self.task.order == "disagreements" else None
        return self._deal(store, _Dealt(pair, purpose, self._kind), waiting)

    def _following(self, store: Store, number: int) -> list[int]:
        """Return the next pairs of the order that wait; what does not wait any more is passed for good."""
        found: list[int] = []
        ids = self._plan.ids if self._plan else ()
        place = self._place
        while place < len(ids) and len(found) < number:
            if pair_queues.waiting(store, ids[place], self._kind, rater=self.rater):
                found.append(ids[place])
            elif not found:
                self._place = place + 1
            place += 1
        if not found and self._is_plain:
            found = pair_queues.first_undecided(store, after=self._after, limit=number)
            found = found or pair_queues.first_undecided(store, after=0, limit=number)
        return found

    def _again(self, store: Store, *, is_end: bool) -> Shown | None:
        anchors = self._plan.anchors if self._plan else ()
        for again in repeats.due(self._session, self.task, self.rater, anchors=anchors, is_end=is_end):
            waiting = pair_queues.in_use(store, again.pair_id)
            if waiting:
                return self._deal_again(store, again, waiting)
        return None

    def _deal_again(self, store: Store, again: Again, waiting: Waiting) -> Shown:
        content = self._content(store, again.pair_id, waiting)
        if again.left_id is None:
            seed = self._sides.seed(content.first, content.second)
        else:
            seed = self._sides.seed_with(content.pair, again.left_id)
        return self._deal(store, _Dealt(content.pair._replace(seed=seed), again.purpose, self._kind), waiting)

    def _next_ranked(self, store: Store) -> Shown | None:
        while self._prompts:
            found = self._to_be_ranked(store, self._prompts[-1])
            if found:
                return found
            self._prompts.pop()
        # Pairs come back between two prompts, never amid one.
        again = self._again(store, is_end=False)
        if again:
            return again
        plan = self._plan
        while plan and self._place < len(plan.ids) and (plan.allowed is None or self._judged < plan.allowed):
            example_id = plan.ids[self._place]
            self._place += 1
            found = self._to_be_ranked(store, example_id)
            if found:
                self._prompts.append(example_id)
                return found
        return self._again(store, is_end=True) if plan else None

    def _to_be_ranked(self, store: Store, example_id: int) -> Shown | None:
        known = ranking.outcomes_of(store, example_id, rater=self.rater)
        two = ranking.next_pair(pair_queues.candidates(store, example_id), known)
        if two is None:
            return None
        content = shown.read(store, pairs.add_pair(store, example_id, *two, seed=self._sides.any_seed()))
        pair = content.pair._replace(seed=self._sides.seed(content.first, content.second))
        self._ahead = {pair.id: content}
        return self._deal(store, _Dealt(pair, None, self._kind), Waiting(content.revision, content.flagged))

    def _is_dealt(self, pair_id: int) -> bool:
        return self._dealt is not None and self._dealt.pair.id == pair_id

    def _ranking_words(self, store: Store, dealt: _Dealt) -> str:
        """Return how far the ranking of a pair's prompt is; empty where nothing is ranked."""
        if not self.task.ranking or dealt.purpose in NOT_COUNTED:
            return ""
        known = ranking.outcomes_of(store, dealt.pair.example_id, rater=self.rater)
        left = ranking.estimate(pair_queues.candidates(store, dealt.pair.example_id), known)
        return f"{len(known) + 1} of about {len(known) + max(1, left)}"

    def _waiting(self, store: Store, dealt: _Dealt) -> Waiting | None:
        """Return what a pair that was dealt is now if it still waits for its verdict."""
        if dealt.waits_for == "change":
            return pair_queues.in_use(store, dealt.pair.id)
        if dealt.purpose in NOT_COUNTED:
            self._session.catch_up(store)
            was_asked = any(g.pair_id == dealt.pair.id and g.purpose == dealt.purpose for g in self._session.given)
            return None if was_asked else pair_queues.in_use(store, dealt.pair.id)
        return pair_queues.waiting(store, dealt.pair.id, dealt.waits_for, rater=self.rater)

    def _deal(self, store: Store, dealt: _Dealt, waiting: Waiting | None) -> Shown:
        self._dealt = dealt
        content = self._content(store, dealt.pair.id, waiting)
        found = content.shown(dealt.pair.seed, dealt.purpose, self._ranking_words(store, dealt))
        return replace(found, flagged=waiting.flagged) if waiting else found

    def _content(self, store: Store, pair_id: int, waiting: Waiting | None) -> Content:
        """Return what there is to show of a pair, read before or now."""
        known = self._ahead.get(pair_id)
        if known is None or (waiting and known.revision != waiting.revision):
            known = shown.read(store, pair_id)
            self._ahead[pair_id] = known
        return known
