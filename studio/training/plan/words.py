"""A plan as lines of text."""

from collections.abc import Iterator

from studio.durations import duration
from studio.training.plan.facts import GIB, Change, Memory, Plan, Rows, Timed


def lines(plan: Plan) -> list[str]:
    """Say a plan in lines: what is trained, what was found, the memory and the time."""
    return list(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    after = f", going on from {plan.parent}" if plan.parent else ""
    yield f"{plan.method} of {plan.model}{after}, on the {plan.device} in {plan.dtype}"
    yield from _of_rows(plan.rows)
    if plan.steps:
        yield f"{plan.steps:,} steps of {plan.effective_batch} rows"
    for finding in plan.findings:
        yield f"{finding.level}: {finding.sentence} {finding.hint}".rstrip()
    if plan.memory:
        yield from _of_memory(plan.memory)
    yield from map(_of_change, plan.changes)
    if plan.timed:
        yield from _of_time(plan.timed)


def _of_rows(rows: Rows) -> Iterator[str]:
    about = "about " if rows.is_estimated else ""
    yield f"{about}{rows.kept:,} rows to train on, {rows.held_out:,} held out to measure with"
    lost = {"longer than max_length and cut": rows.cut, "left out as too long": rows.dropped}
    lost |= {"that can't be rendered": rows.not_rendered, "that the parent knows already": rows.replayed}
    said = [f"{count:,} {what}" for what, count in lost.items() if count]
    said += [f"{count:,} {reason}" for reason, count in rows.left_out.items()]
    if said:
        yield f"of all: {', '.join(said)}"
    if rows.tokens:
        learnt = f"{1 - rows.masked_share:.0%} are learnt"
        yield f"{about}{rows.tokens:,} tokens an epoch, of which {learnt}; the longest row has {rows.longest:,}"
    if rows.packed:
        yield f"packed into {about}{rows.packed:,} rows"


def _of_memory(memory: Memory) -> Iterator[str]:
    yield f"memory: {memory.sentence}{'' if memory.fits else ', which does not fit'}"
    for part in memory.parts:
        yield f"  {part.size / GIB:6.2f} GB  {part.name}"


def _of_change(change: Change) -> str:
    return f"change {' '.join(change.overrides)}: about {change.needed / GIB:.1f} GB; {change.why}"


def _of_time(timed: Timed) -> Iterator[str]:
    speed = f"{timed.seconds_a_step:.2f} s a step, {timed.tokens_a_second:,.0f} tokens a second"
    yield f"time: about {duration(timed.seconds)}, {speed}"
    for what, seconds in timed.parts:
        yield f"  {duration(seconds):>8}  {what}"
    yield f"the timed steps held {timed.peak / GIB:.1f} GB"
