"""Everything that writes to the journal, in any order, against a plain model of it.

The default suite runs few sequences; `JOURNAL_SEQUENCES=1000 pytest tests/studio/labelling/test_judging_sequences.py`
runs a thousand.
"""

import os
import shutil
import tempfile
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from plain_journal import Act, Line, Two, decides, twosome, what_follows, winner_of
from stored import current_verdicts, standing_criteria, standing_verdicts

from store import examples, journal, pair_queues, pairs, responses
from store.database import create_store, open_store
from store.journal import Purpose, Strength
from store.pair_queues import Scope
from store.pairs import Pair, Verdict
from studio.labelling import judging
from studio.labelling.shown import Shown

SEQUENCES = int(os.environ.get("JOURNAL_SEQUENCES", "25"))
RATERS = ("Ada", "Ben")
CRITERIA = ("truth", "tone")
PURPOSES: tuple[Purpose | None, ...] = (None, None, None, "repeat", "anchor", "second", "review", "change")
PROMPT = [{"role": "user", "content": "Why?"}]

rater_names = st.sampled_from(RATERS)
verdicts = st.sampled_from(get_args(Verdict))


class Journal(RuleBasedStateMachine):
    """The journal against plain lists: what stands and what was undone, for each person."""

    queued = Bundle("queued")

    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = create_store(self.folder / "studio.db")
        self._hurry()
        self.done: dict[str, list[Act]] = {name: [] for name in RATERS}
        self.undone: dict[str, list[Act]] = {name: [] for name in RATERS}
        self.prompts: dict[int, list[int]] = {}
        self.pairs: dict[Two, Pair] = {}
        self.comments: dict[int, list[str]] = {}
        self.journal: list[journal.Entry] = []
        self.excluded: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @rule(target=queued, replies=st.integers(2, 4), seed=st.integers(0, 2**31 - 1))
    def add_prompt(self, replies: int, seed: int) -> Any:
        """Add a prompt whose replies are paired with their neighbours; the other pairs come by what follows."""
        example_id = examples.add(self.store, record_id=None, messages=PROMPT, split="train")
        made = [
            responses.add(self.store, example_id, reply(f"Answer {number}."), origin="file")
            for number in range(replies)
        ]
        self.prompts[example_id] = made
        new = []
        for first, second in pairwise(made):
            pair_id = pairs.add_pair(self.store, example_id, first, second, seed=seed)
            assert pairs.add_pair(self.store, example_id, second, first, seed=9) == pair_id
            new.append(self._know(pair_id))
            assert (new[-1].first_id, new[-1].second_id, new[-1].seed) == (first, second, seed)
        return multiple(*new)

    @rule(target=queued, said=st.lists(st.tuples(st.none() | verdicts, rater_names), max_size=3))
    def bring_pair(self, said: list[tuple[Verdict | None, str]]) -> Pair:
        """Add a pair that a file brings along, judged by several people, as an import does."""
        example_id = examples.add(self.store, record_id=None, messages=PROMPT, split="train")
        first, second = (responses.add(self.store, example_id, reply(text), origin="file") for text in "ab")
        self.prompts[example_id] = [first, second]
        pair = Pair(pairs.next_id(self.store), example_id, first, second, 4)
        start = journal.next_id(self.store)
        entries: list[journal.NewEntry] = [
            (number, "verdict", pair.id, pair.left_id, pair.right_id, pair.seed, verdict, "", rater)
            if verdict
            else (number, "comment", pair.id, None, None, None, None, "remark", rater)
            for number, (verdict, rater) in enumerate(said, start)
        ]
        counts = next(((entry[0], entry[6]) for entry in reversed(entries) if entry[6]), (None, None))
        pairs.add_many(self.store, [(*pair, *counts)])
        journal.add_many(self.store, entries)
        self._know(pair.id)
        self.comments[pair.id] = ["remark" for verdict, _ in said if not verdict]
        for number, (verdict, rater) in enumerate(said, start):
            if verdict:
                self._say(Act(Line(number, twosome(pair), winner_of(pair, verdict), verdict, rater)))
        assert [entry.id for entry in self._written()] == list(range(start, start + len(said)))
        return pair

    @rule(
        pair=queued,
        swapped=st.booleans(),
        verdict=verdicts,
        rater=rater_names,
        purpose=st.sampled_from(PURPOSES),
        ranking=st.booleans(),
        strength=st.sampled_from(get_args(Strength)),
        reasons=st.lists(st.text(max_size=5), max_size=2),
        note=st.text(max_size=9),
    )
    def judge(
        self,
        pair: Pair,
        swapped: bool,
        verdict: Verdict,
        rater: str,
        purpose: Purpose | None,
        ranking: bool,
        strength: Strength,
        reasons: list[str],
        note: str,
    ) -> None:
        why = purpose or self._purpose(twosome(pair), rater)
        shown = self._shown(pair, swapped, purpose, ranking)
        head = judging.judge(
            self.store,
            shown,
            verdict,
            rater=rater,
            task="mine",
            strength=strength,
            reasons=reasons,
            note=note,
            shown_at="2025-01-01T00:00:00+00:00",
        )
        act = Act(Line(head, twosome(pair), winner_of(shown.pair, verdict), verdict, rater, why))
        self._say(act)
        written, *follow = self._written()
        assert (written.kind, written.verdict, written.note, written.task) == ("verdict", verdict, note, "mine")
        assert (written.left_id, written.right_id, written.seed) == (shown.left.id, shown.right.id, shown.pair.seed)
        assert written.strength == (strength if verdict in ("left", "right") else "")
        assert (written.purpose, written.reasons, written.implied_by) == (why, tuple(reasons), None)
        self._follow(act, pair.example_id, follow, ranking)

    @rule(pair=queued, swapped=st.booleans(), left=st.booleans(), rater=rater_names, ranking=st.booleans())
    def edit(self, pair: Pair, swapped: bool, left: bool, rater: str, ranking: bool) -> None:
        shown = self._shown(pair, swapped, None, ranking)
        original, other = (shown.left, shown.right) if left else (shown.right, shown.left)
        text = reply(f"Better than {original.id}, for the {len(self.journal)}th time.")
        third = judging.keep_better(self.store, shown, original, text, rater=rater, task="mine", shown_at=None)
        kept = responses.get(self.store, third)
        assert (kept.messages, kept.origin, kept.author, kept.parent_id) == (text, "human", rater, original.id)
        self.prompts[pair.example_id].append(third)
        head, *follow = self._written()
        assert (head.kind, head.purpose, head.implied_by) == ("verdict", "edited", None)
        assert head.chosen_and_rejected == (original.id, other.id)
        act = Act(Line(head.id, twosome(pair), original.id, str(head.verdict), rater, "edited"))
        self._say(act)
        for entry, worse, why in zip(follow, (original, other), ("edited", "implied"), strict=False):
            assert (entry.chosen_and_rejected, entry.purpose) == ((third, worse.id), why)
            act.follow.append(self._line(entry))
        assert len(act.follow) == 2
        self._follow(act, pair.example_id, follow[2:], ranking)

    @rule(pair=queued, criterion=st.sampled_from(CRITERIA), verdict=verdicts, rater=rater_names)
    def say_by_criterion(self, pair: Pair, criterion: str, verdict: Verdict, rater: str) -> None:
        entry = journal.judge_criterion(self.store, pair, criterion, verdict, rater=rater, shown_at=None)
        self._say(Act(Line(entry, twosome(pair), winner_of(pair, verdict), verdict, rater, criterion=criterion)))
        [written] = self._written()
        assert (written.id, written.criterion, written.verdict) == (entry, criterion, verdict)

    @rule(rater=rater_names)
    def undo(self, rater: str) -> None:
        self._reverse("undo", journal.undo(self.store, rater=rater), self.done[rater], self.undone[rater])

    @rule(rater=rater_names)
    def redo(self, rater: str) -> None:
        self._reverse("redo", journal.redo(self.store, rater=rater), self.undone[rater], self.done[rater])

    @rule(pair=queued, note=st.text(max_size=9), rater=rater_names)
    def comment(self, pair: Pair, note: str, rater: str) -> None:
        journal.comment(self.store, pair.id, note, rater=rater)
        self.comments[pair.id].append(note)
        assert len(self._written()) == 1

    @rule(pair=queued, excluded=st.booleans())
    def exclude(self, pair: Pair, excluded: bool) -> None:
        examples.set_excluded(self.store, pair.example_id, excluded)
        (self.excluded.add if excluded else self.excluded.discard)(pair.example_id)

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self.store = open_store(self.folder / "studio.db")
        self._hurry()

    def _hurry(self) -> None:
        """Do not wait for the disk: what is on it after a crash is tested elsewhere."""
        self.store.connection.execute("PRAGMA synchronous=OFF")

    def _reverse(self, kind: str, target: journal.Entry | None, source: list[Act], sink: list[Act]) -> None:
        if not source:
            assert target is None
            assert self._written() == []
            return
        act = source.pop()
        sink.append(act)
        assert target is not None
        assert target.id == act.head.entry
        [written] = self._written()
        assert (written.kind, written.target_id) == (kind, act.head.entry)

    def _follow(self, act: Act, example_id: int, written: list[journal.Entry], ranking: bool) -> None:
        """Hold what was written with a verdict to what follows from all that its rater said of the prompt."""
        rater = act.head.rater
        facts = what_follows(self._outcomes(example_id, rater))
        expected = {}
        for two in map(frozenset, combinations(self.prompts[example_id], 2)):
            stands, fact = self._counting().get(two), facts.get(two)
            if stands is None:
                if ranking and fact:
                    expected[two] = fact
            elif stands.purpose == "implied" and stands.rater == rater and stands.winner != (fact or "skip"):
                expected[two] = fact or "skip"
        assert all((entry.implied_by, entry.purpose) == (act.head.entry, "implied") for entry in written)
        lines = [self._line(entry) for entry in written]
        assert {line.two: line.winner for line in lines} == expected
        assert len(lines) == len(expected)
        act.follow.extend(lines)

    def _outcomes(self, example_id: int, rater: str) -> dict[Two, int | str]:
        measured = ("repeat", "anchor", "implied")
        said = [line for act in self.done[rater] for line in act.verdicts if line.purpose not in measured]
        return {line.two: line.winner for line in said if line.two <= set(self.prompts[example_id])}

    def _counting(self) -> dict[Two, Line]:
        """Return what counts for each pair: the newest; a second opinion or a skipped review only without another."""
        standing = [line for stack in self.done.values() for act in stack for line in act.verdicts]
        standing = [line for line in standing if line.purpose not in ("repeat", "anchor")]
        return {line.two: line for line in sorted(standing, key=lambda each: (decides(each), each.entry))}

    def _purpose(self, two: Two, rater: str) -> Purpose:
        line = self._counting().get(two)
        if line is None or line.winner == "skip":
            return "first"
        return "change" if line.rater == rater else "second"

    def _shown(self, pair: Pair, swapped: bool, purpose: Purpose | None, ranking: bool) -> Shown:
        pair = pair._replace(seed=pair.seed + swapped)
        left, right = responses.get(self.store, pair.left_id), responses.get(self.store, pair.right_id)
        return Shown(pair, PROMPT, left, right, False, purpose, "1 of about 3" if ranking else "")

    def _say(self, act: Act) -> None:
        self.done[act.head.rater].append(act)
        self.undone[act.head.rater].clear()

    def _know(self, pair_id: int) -> Pair:
        pair = pairs.get(self.store, pair_id)
        if twosome(pair) not in self.pairs:
            self.pairs[twosome(pair)] = pair
            self.comments[pair.id] = []
        return self.pairs[twosome(pair)]

    def _line(self, entry: journal.Entry) -> Line:
        pair = self._know(entry.pair_id)
        assert entry.left_id is not None
        assert entry.right_id is not None
        assert twosome(pair) == {entry.left_id, entry.right_id}
        better = entry.chosen_and_rejected
        verdict = str(entry.verdict)
        winner = better[0] if better else verdict
        return Line(entry.id, twosome(pair), winner, verdict, entry.rater, entry.purpose, entry.criterion)

    def _written(self) -> list[journal.Entry]:
        """Take what is new in the journal over into the model's."""
        newest = list(journal.entries(self.store))[len(self.journal) :]
        self.journal.extend(newest)
        return newest

    @invariant()
    def journal_only_grows(self) -> None:
        assert list(journal.entries(self.store)) == self.journal

    @invariant()
    def what_counts_is_what_the_model_says(self) -> None:
        counting = self._counting()
        lines = sorted(counting.values(), key=lambda line: line.entry)
        assert [self._line(entry) for entry in current_verdicts(self.store)] == lines
        for two, pair in self.pairs.items():
            found = journal.current_verdict(self.store, pair.id)
            assert (found.id if found else None) == (counting[two].entry if two in counting else None)
            assert [e.note for e in journal.entries(self.store, pair_id=pair.id) if e.kind == "comment"] == (
                self.comments[pair.id]
            )
            for rater in RATERS:
                assert journal.purpose_of(self.store, pair.id, rater) == self._purpose(two, rater)
        live = [pair for pair in self.pairs.values() if pair.example_id not in self.excluded]
        assert list(pair_queues.undecided(self.store, Scope())) == sorted(
            pair.id for pair in live if twosome(pair) not in counting
        )
        words = Counter(counting[twosome(pair)].verdict for pair in live if twosome(pair) in counting)
        assert pairs.counts(self.store) == {"pairs": len(live), **words}

    @invariant()
    def what_stands_is_what_the_model_says(self) -> None:
        acts = [act for stack in self.done.values() for act in stack]
        verdicts = sorted((line for act in acts for line in act.verdicts), key=lambda line: line.entry)
        assert [self._line(entry) for entry in standing_verdicts(self.store)] == verdicts
        criteria = sorted((act.head for act in acts if act.head.criterion), key=lambda line: line.entry)
        assert [self._line(entry) for entry in standing_criteria(self.store)] == criteria

    @invariant()
    def each_person_has_their_own_stack(self) -> None:
        for rater, stack in self.done.items():
            given = [act.head for act in reversed(stack) if not act.head.criterion]
            latest = journal.latest_verdicts(self.store, rater=rater, limit=3)
            assert [self._line(entry) for entry in latest] == given[:3]
            for two, pair in self.pairs.items():
                last = max((line.entry for act in stack for line in act.verdicts if line.two == two), default=0)
                expected = [
                    act.head.entry
                    for act in stack
                    if act.head.criterion and act.head.two == two and act.head.entry > last
                ]
                assert [e.id for e in journal.criteria_of(self.store, pair.id, rater=rater)] == expected


def reply(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


Journal.TestCase.settings = settings(max_examples=SEQUENCES, stateful_step_count=40, deadline=None)
TestJournal = Journal.TestCase
