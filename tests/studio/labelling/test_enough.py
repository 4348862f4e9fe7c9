"""Whether there are enough verdicts: told apart, futile, how many more, and when DPO can be tried."""

import pytest
from labelled import ask, judge

from studio.labelling.enough import ASSUMED, short
from studio.labelling.report import report
from studio.labelling.report_words import plain
from studio.statistics.sample_size import pairs_needed
from studio.statistics.shares import wilson


def play(store, *, won: int, lost: int, ties: int = 0, both_bad: int = 0, authors=("base", "tuned")) -> None:
    """Let the second author win so often."""
    with store.transaction():
        for verdict, count in (("right", won), ("left", lost), ("tie", ties), ("both_bad", both_bad)):
            for _ in range(count):
                judge(store, ask(store, authors=authors), verdict)


def test_the_line_of_the_table(store) -> None:
    play(store, won=50, lost=25, ties=11, both_bad=4)
    [pair] = report(store).enough.authors
    assert (pair.better, pair.win_rate) == ("tuned", wilson(50, 75))
    assert (pair.odds, pair.odds_low, pair.odds_high) == pytest.approx((2.0, 1.24, 3.21), abs=0.03)
    assert (pair.e_value, pair.wins_needed, pair.told_apart) == (pytest.approx(13.9, abs=0.05), 51, False)
    assert pair.p == pytest.approx(0.005, abs=0.001)


@pytest.mark.parametrize(("won", "lost", "apart"), [(17, 3, True), (16, 4, False), (36, 14, True), (35, 15, False)])
def test_told_apart_at_the_line(store, won, lost, apart) -> None:
    play(store, won=won, lost=lost)
    assert report(store).enough.authors[0].told_apart is apart
    assert short(store, "", "Ada").startswith("told apart" if apart else f"{won} to {lost}, told apart at")


def test_several_pairs_of_authors_need_more_each(store) -> None:
    play(store, won=17, lost=3)
    play(store, won=5, lost=5, authors=("base", "other"))
    first, second = report(store).enough.authors
    assert (first.e_needed, first.told_apart, second.e_needed) == (40.0, False, 40.0)
    assert first.p_holm == pytest.approx(2 * first.p)
    assert short(store, "", "Ada") == "17 to 3, told apart at 18"


def test_how_many_more_follows_ties_and_self_agreement(store) -> None:
    play(store, won=10, lost=8, ties=2)
    enough = report(store).enough
    assert enough.self_agreement_is_assumed
    assert enough.pairs_needed == pairs_needed(2.0, 0.1, ASSUMED) == 110
    assert enough.authors[0].more == 90
    with store.transaction():
        for number in range(20):
            pair = ask(store, authors=("", ""))
            judge(store, pair, "left")
            judge(store, pair, "right" if number < 2 else "left", purpose="repeat")
    enough = report(store).enough
    assert (enough.self_agreement_is_assumed, enough.self_agreement) == (False, 0.9)
    assert enough.pairs_needed == pairs_needed(2.0, 0.1, 0.9)


def test_guesses_are_never_enough(store) -> None:
    with store.transaction():
        for number in range(20):
            pair = ask(store)
            judge(store, pair, "left")
            judge(store, pair, "right" if number % 2 else "left", purpose="repeat")
    enough = report(store).enough
    assert (enough.pairs_needed, enough.authors[0].more) == (None, None)
    assert "no number is enough" in plain(report(store), "Ada")


@pytest.mark.parametrize(
    ("usable", "repeats", "tried", "worth_while"), [(49, 0, 0, 0), (50, 0, 1, 0), (200, 0, 1, 0), (180, 20, 1, 1)]
)
def test_when_dpo_can_be_tried(store, usable, repeats, tried, worth_while) -> None:
    with store.transaction():
        for _ in range(usable):
            judge(store, ask(store), "left")
        for _ in range(repeats):
            pair = ask(store)
            judge(store, pair, "left")
            judge(store, pair, "left", purpose="repeat")
    dpo = report(store).enough.dpo
    assert (dpo.usable, dpo.can_be_tried, dpo.worth_while) == (usable + repeats, bool(tried), bool(worth_while))


def test_the_short_word_keeps_names_to_itself_and_fits(store) -> None:
    assert short(store, "", "Ada") == ""
    play(store, won=3, lost=1, ties=1)
    assert short(store, "", "Ada") == ""
    play(store, won=8, lost=1)
    assert short(store, "", "Ada") == "11 to 2, told apart at 12"
    assert short(store, "", "Ben") == ""
    assert short(store, "another", "Ada") == ""
    play(store, won=160, lost=169)
    said = short(store, "", "Ada")
    assert said == "no difference: 171 to 171"
    assert len(said) <= 40
