"""What checks of single examples look at, made from what the store holds."""

from collections.abc import Iterator
from datetime import datetime

from store import findings, whole_examples
from store.database import Store
from store.examples import completion_of, prompt_of
from store.whole_examples import WholeExample, WholePair
from studio.lint.check import Answer, Judged, Subject

READ_TOGETHER = 50
"""Examples whose texts are in memory at once: one may be a megabyte."""


def subjects(store: Store, example_ids: list[int]) -> Iterator[tuple[Subject, str]]:
    """Yield examples, each with the state that it is looked at in."""
    for start in range(0, len(example_ids), READ_TOGETHER):
        page = example_ids[start : start + READ_TOGETHER]
        with store.reading():
            states = findings.states(store, page)
            read = whole_examples.read(store, page)
        yield from ((_subject(whole), states[whole.id]) for whole in read)


def _subject(whole: WholeExample) -> Subject:
    own = completion_of(whole.messages)
    answers = [Answer(None, own)] if own else []
    answers += [Answer(each.id, each.messages, each.author, each.label) for each in whole.responses]
    return Subject(
        id=whole.id,
        revision=whole.revision,
        record_id=whole.record_id,
        source=whole.source,
        split=whole.split,
        prompt=prompt_of(whole.messages),
        answers=answers,
        pairs=[_judged(pair) for pair in whole.pairs],
        tools=whole.tools,
        group=whole.group,
    )


def _judged(pair: WholePair) -> Judged:
    return Judged(pair.left_id, pair.right_id, pair.verdict, pair.rater, _seconds(pair.shown_at, pair.answered_at))


def _seconds(shown_at: str | None, answered_at: str | None) -> float | None:
    if shown_at is None or answered_at is None:
        return None
    try:
        return (datetime.fromisoformat(answered_at) - datetime.fromisoformat(shown_at)).total_seconds()
    except (ValueError, TypeError):
        return None
