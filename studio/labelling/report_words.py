"""The labelling report in words: what each figure is, what it means, and what to do next."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from studio.labelling.drift import Anchors, Change, Drift, day_words
from studio.labelling.enough import FEWEST_REPEATS
from studio.labelling.enough_words import enough_lines
from studio.labelling.honesty import MINIMUM_FOR_BIAS, Hasty, Pace, Position, SelfAgreement
from studio.labelling.line import MOST_LINES, Line, p_words
from studio.labelling.others import Others
from studio.labelling.replies import Replies
from studio.labelling.report import LabellingReport
from studio.labelling.words import VERDICT_WORDS
from studio.statistics.agreement import Kappa
from studio.statistics.shares import Share

STEADY, FAIR = 0.85, 0.75
"""Agreement with oneself from which a judge is steady, and from which more pairs make good for it."""

KAPPA_GOOD, KAPPA_FAIR = 0.8, 0.6
"""From which two people can stand in for each other, and from which their verdicts can be used together (Landis and
Koch, Biometrics 33, 1977)."""

MOST_CIRCLES = 0.05
"""Share of circles above which no order of the replies can be trusted."""


class Section(NamedTuple):
    """Lines that belong together."""

    title: str
    lines: list[Line]


def sections(report: LabellingReport, me: str) -> list[Section]:
    """Return the report in words; `me` is who reads it."""
    who = "you" if report.rater == me else report.rater or "people"
    found = [
        Section("Pairs", list(_pairs(report))),
        Section("Enough?", list(enough_lines(report.enough))),
        Section("Agreement with oneself", list(_self_agreement(report.agreement))),
        Section("Sides and pace", [_position(report.position), *_pace(report.pace), *_hasty(report.hasty)]),
        Section("Drift", list(_drift(report.drift, who))),
        Section("Other people", list(_others(report.others))),
        Section("What wins", list(_replies(report.replies))),
    ]
    if report.ai_judge is not None:
        from studio.ai_judge.report import lines_of

        judges = [lines_of(judge) for judge in report.ai_judge.judges]
        found.append(Section("AI judges", [Line(first, "\n".join(map(str.strip, rest))) for first, *rest in judges]))
    return found


def plain(report: LabellingReport, me: str) -> str:
    """Return the report as text for a terminal or a pipe."""
    person = "everybody" if not report.rater else "you" if report.rater == me else report.rater
    whose = f"Verdicts of {person}, {f'task {report.task}' if report.task else 'all tasks'}"
    texts = ("\n".join([section.title, *_plain(section)]) for section in sections(report, me))
    return "\n\n".join([whose, *texts])


def _plain(section: Section) -> Iterator[str]:
    for title, figure, meaning in section.lines:
        first, *rest = figure.split("\n")
        yield f"  {title}: {first}" if first else f"  {title}"
        yield from (f"    {line}" for line in (*rest, *filter(None, meaning.split("\n"))))


def _pairs(report: LabellingReport) -> Iterator[Line]:
    said = [f"{words} {report.verdicts[name]:,}" for name, words in VERDICT_WORDS.items() if name in report.verdicts]
    open_ones = f"{report.unjudged:,} of {report.pairs:,} pairs of the project have no verdict yet."
    yield Line("pairs with a verdict", f"{report.judged:,}", open_ones)
    yield Line("verdicts", ", ".join(said) or "none yet")


def _self_agreement(agreement: SelfAgreement) -> Iterator[Line]:
    yield Line("all repeats", str(agreement.repeats), _steadiness(agreement.repeats))
    if agreement.repeats.n:
        yield Line("  sides as before", str(agreement.same_sides))
        yield Line("  sides swapped", str(agreement.swapped_sides), _by_side(agreement))
        yield Line("  within a session", str(agreement.soon))
        yield Line("  in a later session", str(agreement.later))
    if agreement.same_texts.of:
        meaning = "Texts that the data has more than once in the same order, judged alike each time."
        yield Line("same texts again", str(agreement.same_texts), meaning)
        yield Line("  later verdicts against the first", str(agreement.texts))
    if agreement.swapped_texts.of:
        meaning = "Texts that the data has in both orders: the verdict went with the text, not with the place."
        yield Line("same texts swapped", str(agreement.swapped_texts), meaning)


def _steadiness(kappa: Kappa) -> str:
    if not kappa.n:
        return "Nothing came back yet. A share of the pairs does so by itself (`repeats` of the queue)."
    if kappa.n < FEWEST_REPEATS:
        return f"Too few to tell: {FEWEST_REPEATS} are needed, and come by themselves."
    chance = " (kappa: 1 is full agreement, 0 what chance gives)"
    if kappa.observed.value >= STEADY:
        return f"Steady{chance}."
    if kappa.observed.value >= FAIR:
        return f"Fair{chance}: more pairs make good for it."
    return f"Unsteady{chance}: write down what makes a reply better (criteria of the queue), and take more time."


def _by_side(agreement: SelfAgreement) -> str:
    same, swapped = agreement.same_sides.observed, agreement.swapped_sides.observed
    if not (same.of and swapped.of):
        return ""
    if swapped.high < same.low:
        return "Less with the sides swapped: some verdicts follow the place. Read both replies to their end."
    return ""


def _position(position: Position) -> Line:
    if position.left.of < MINIMUM_FOR_BIAS:
        meaning = f"Too few to tell a bias: {MINIMUM_FOR_BIAS} decided pairs are needed."
    elif position.p < 0.05:
        meaning = f"A bias ({p_words(position.p)}): some verdicts follow the place. Read both replies to their end."
    else:
        meaning = f"No bias seen ({p_words(position.p)})."
    return Line("left side chosen", str(position.left), meaning)


def _pace(pace: Pace) -> Iterator[Line]:
    if pace.median_seconds is None or pace.pairs_per_minute is None:
        yield Line("pace", "no data", "Only verdicts that were given here are timed.")
        return
    figure = f"{pace.median_seconds:.1f} s a pair (median), {pace.pairs_per_minute:.1f} a minute"
    pauses = f" {pace.pauses:,} pauses of more than two minutes are left out." if pace.pauses else ""
    yield Line("pace", figure, f"Of {pace.timed:,} {'verdict' if pace.timed == 1 else 'verdicts'}.{pauses}")


def _hasty(hasty: Hasty) -> Iterator[Line]:
    if not hasty.verdicts.of:
        return
    if not hasty.verdicts.part:
        yield Line("too fast to have read", str(hasty.verdicts), "None came before both replies can have been skimmed.")
        return
    latest = ", ".join(map(str, hasty.latest_pairs[:5]))
    meaning = f"Judge them again (latest: pairs {latest}), or change lint.reading_speed and lint.shortest_decision."
    yield Line("too fast to have read", str(hasty.verdicts), meaning)


def _drift(drift: Drift, who: str) -> Iterator[Line]:
    yield from _anchors(drift.anchors, who)
    for title, earlier, later in (
        ("left chosen", drift.earlier.left, drift.later.left),
        ("undecided", drift.earlier.undecided, drift.later.undecided),
        ("both bad", drift.earlier.both_bad, drift.later.both_bad),
    ):
        if min(earlier.of, later.of) >= FEWEST_REPEATS:
            yield Line(f"{title}, first half then second", f"{earlier}, then {later}", _moved(earlier, later))


def _anchors(anchors: Anchors, who: str) -> Iterator[Line]:
    if not anchors.pairs:
        meaning = "None came back yet: some do in each session after the first (`anchors` of the queue)."
        yield Line("pairs of earlier sessions", "no data", meaning)
        return
    since, until = day_words(anchors.since), day_words(anchors.until)
    then = since if since == until else f"{since} to {until}"
    yield Line(
        "pairs of earlier sessions", f"{anchors.other_winner} of {anchors.pairs} have another winner than {then}"
    )
    are = "are" if who in ("you", "people") else "is"
    for change, what, fewer, more in (
        (anchors.good_enough, "a good reply", "stricter", "milder"),
        (anchors.decided, "a winner", "less decided", "more decided"),
    ):
        if change.lost > change.gained:
            figure = f"{change.lost} of {anchors.pairs} had {what} then and none now, {change.gained} the other way"
            yield Line(f"{who} {are} {fewer} than on {then}", figure, _certain(change))
        elif change.gained > change.lost:
            figure = f"{change.gained} of {anchors.pairs} had no {what[2:]} then and have one now, {change.lost} the"
            yield Line(f"{who} {are} {more} than on {then}", f"{figure} other way", _certain(change))


def _certain(change: Change) -> str:
    if change.p < 0.05:
        return f"More than chance ({p_words(change.p)}): judge the earlier pairs of this kind again."
    return f"Chance may do that ({p_words(change.p)}); six changes one way are the least that tell."


def _moved(earlier: Share, later: Share) -> str:
    if earlier.high < later.low or later.high < earlier.low:
        return "It moved. Were other replies judged, or by another measure?"
    return ""


def _others(others: Others) -> Iterator[Line]:
    if not others.people:
        meaning = "With a second opinion, agreement is told: set TUNING_STUDIO_RATER to the other's name."
        yield Line("two people on one pair", "no data", meaning)
    for two in others.people[:MOST_LINES]:
        yield Line(f"{two.rater} and {two.other}", str(two.agreement), _together(two.agreement))
    if others.disagreements:
        first = ", ".join(str(each.pair_id) for each in others.disputed[:5])
        meaning = f'The first: pairs {first}. A queue with order = "disagreements" goes through them.'
        yield Line("pairs that people disagree on", f"{others.disagreements:,}", meaning)


def _together(kappa: Kappa) -> str:
    if kappa.n < FEWEST_REPEATS:
        return f"Too few to tell: {FEWEST_REPEATS} pairs together are needed."
    if kappa.value is None or kappa.value >= KAPPA_GOOD:
        return "They judge alike." if kappa.value is not None else "Both said one thing only, which tells nothing."
    if kappa.value >= KAPPA_FAIR:
        return "They mostly judge alike: talk about the disagreements."
    return "They judge by different measures: write down together what makes a reply better."


def _replies(replies: Replies) -> Iterator[Line]:
    yield Line("the longer reply won", str(replies.longer_won), _length(replies.longer_won))
    yield Line("ties", str(replies.tied))
    bad = (
        "Pairs without a good reply teach nothing: sample more, or write one (e in Compare)." if _often(replies) else ""
    )
    yield Line("both bad", str(replies.both_bad), bad)
    if replies.circles.of:
        yield Line("verdicts in a circle", f"{replies.circles} of threes of replies", _circles(replies.circles))
    if replies.strengths:
        yield Line("how much better", _counts(replies.strengths))
    if replies.reasons:
        yield Line("reasons", _counts(replies.reasons))
    for each in replies.criteria:
        figure = f"{each.asked:,} answers, {each.decided:,} decided; as the verdict on the whole in"
        yield Line(f"criterion {each.name}", f"{figure} {each.as_overall:,} of {each.both_decided:,}")


def _length(longer: Share) -> str:
    if not longer.of:
        return ""
    if longer.low > 0.5:
        return "A judge that only counts characters would agree so often: training will make replies longer."
    if longer.high < 0.5:
        return "The shorter one wins more often: training will make replies shorter."
    return "Length alone does not tell who wins."


def _often(replies: Replies) -> bool:
    return replies.both_bad.low > 0.1


def _circles(circles: Share) -> str:
    if circles.low > MOST_CIRCLES:
        return "Too many: no order of these replies can be trusted. Agree on what makes one better."
    return "A beats B beats C beats A; people do so now and then."


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())
