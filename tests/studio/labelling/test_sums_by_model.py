"""What SQLite sums up equals what a plain walk over the journal finds, whatever was said, repeated and taken back."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import ask, judge
from stored import current_verdicts, standing_verdicts

from store import journal, pairs
from store.database import Store, create_store
from store.journal import Entry
from studio.labelling.report import report
from studio.statistics.agreement import kappa
from studio.statistics.shares import wilson

PEOPLE = ("Ada", "Ben")
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(("left", "right", "tie", "both_bad", "skip")),
            st.sampled_from(PEOPLE),
            st.sampled_from(("first", "repeat", "anchor", "second", "review", "change", "implied")),
            st.booleans(),
        ),
        st.tuples(st.sampled_from(("undo", "redo")), st.sampled_from(PEOPLE)),
    ),
    max_size=25,
)


@settings(max_examples=50, deadline=None)
@given(STEPS)
def test_the_sums_are_those_of_the_journal(steps) -> None:
    with TemporaryDirectory() as folder, create_store(Path(folder) / "studio.db") as store:
        with store.transaction():
            play(store, steps)
        standing = [entry for entry in standing_verdicts(store) if entry.implied_by is None]
        for rater in ("", *PEOPLE):
            labels = report(store, rater=rater)
            mine = [entry for entry in standing if rater in ("", entry.rater)]
            assert labels.verdicts == Counter(entry.verdict for entry in chosen(store, standing, rater))
            decided = [entry for entry in mine if entry.verdict in ("left", "right")]
            assert labels.position.left == wilson(sum(e.verdict == "left" for e in decided), len(decided))
            assert labels.agreement.repeats == kappa(again(mine))
            if rater == "":
                assert labels.others.people == [] or labels.others.people[0].agreement == kappa(both(standing))


def play(store: Store, steps: list[tuple]) -> None:
    asked = [ask(store) for _ in range(3)]
    heads: dict[str, int] = {}
    for step in steps:
        if step[0] in ("undo", "redo"):
            getattr(journal, step[0])(store, rater=step[1])
            continue
        number, verdict, rater, purpose, swapped = step
        if purpose == "implied" and rater not in heads:
            continue
        more = {"implied_by": heads[rater]} if purpose == "implied" else {}
        line = judge(store, asked[number], verdict, rater=rater, purpose=purpose, swapped=swapped, **more)
        if purpose != "implied":
            heads[rater] = line


def winner(entry: Entry) -> int:
    decision = entry.chosen_and_rejected
    return decision[0] if decision else 0


def latest(standing: list[Entry]) -> dict[tuple[int, str], Entry]:
    """Return what each person says of each pair now; who skips a disagreement says nothing."""
    said = [entry for entry in standing if (entry.purpose, entry.verdict) != ("review", "skip")]
    return {(e.pair_id, e.rater): e for e in said if e.purpose not in journal.NOT_COUNTED}


def chosen(store: Store, standing: list[Entry], rater: str) -> list[Entry]:
    if rater:
        return [entry for (_, name), entry in latest(standing).items() if name == rater]
    counting = {entry.id for entry in current_verdicts(store)}
    return [entry for entry in standing if entry.id in counting]


def again(standing: list[Entry]) -> Counter:
    table: Counter = Counter()
    said: dict[tuple[int, str], Entry] = {}
    for entry in standing:
        before = said.get((entry.pair_id, entry.rater))
        if entry.purpose not in journal.NOT_COUNTED:
            said[entry.pair_id, entry.rater] = entry
        elif before is not None and "skip" not in (before.verdict, entry.verdict):
            table[named(entry.pair_id, before), named(entry.pair_id, entry)] += 1
    return table


def both(standing: list[Entry]) -> Counter:
    now = latest([entry for entry in standing if entry.purpose != "review"])
    table: Counter = Counter()
    for (pair_id, rater), entry in now.items():
        other = now.get((pair_id, "Ben"))
        if rater == "Ada" and other is not None and "skip" not in (entry.verdict, other.verdict):
            table[named(pair_id, entry), named(pair_id, other)] += 1
    return table


def named(pair_id: int, entry: Entry) -> str:
    """Return which of a pair's two won: its first response has the odd number, as `ask` adds them."""
    return {0: "none", 2 * pair_id - 1: "first", 2 * pair_id: "second"}[winner(entry)]


def test_the_first_response_has_the_odd_number(store) -> None:
    for _ in range(3):
        pair = pairs.get(store, ask(store).id)
        assert (pair.first_id, pair.second_id) == (2 * pair.id - 1, 2 * pair.id)
