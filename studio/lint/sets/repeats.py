"""Examples that say the same, and prompts that are answered in more than one way."""

from collections.abc import Iterator

from store import findings_of_store
from studio.lint.check import Check, Context, Found, OfSet
from studio.lint.noted import Noted
from studio.lint.sets.by_prompt import same_prompt
from studio.lint.sets.tasks import tasks

NOTEWORTHY = 0.1
"""The share of comparisons whose prompt came before from which on there is something to say about the whole."""


def repeated_examples(noted: Noted, _context: Context) -> Iterator[Found]:
    """Find each example whose prompt and answers are those of an earlier one."""
    first: dict[object, int] = {}
    for each in noted.asked_again:
        if not each.prompt and not each.answer_text:
            continue
        said = frozenset((candidate.text, candidate.label) for candidate in each.candidates)
        earlier = first.setdefault((each.prompt, each.system, each.answer_text, said), each.id)
        if earlier != each.id:
            yield Found(each.id, f"says the same as example {earlier}")


def repeated_prompts(noted: Noted, _context: Context) -> Iterator[Found]:
    """Find each example with the prompt of an earlier one, other candidates for an answer, and no answer of its own."""
    compared = [each for each in noted.asked_again if each.candidates and not each.answer_text]
    extra, found = 0, False
    for group in same_prompt(compared):
        seen: set[frozenset[str]] = set()
        for each in group:
            said = frozenset(candidate.text for candidate in each.candidates)
            if seen and said not in seen:
                found = True
                yield Found(each.id, f"asks the same as example {group[0].id}")
            seen.add(said)
        extra += len(group) - 1
    rows = noted.columns("judged", "answer_text")
    total = sum(bool(judged and not answer) for judged, answer in rows) if found else 0
    if found and extra >= NOTEWORTHY * total:
        different = total - extra
        yield Found(
            None,
            f"{total:,} examples ask {different:,} different things: count prompts, not rows, when you judge"
            " how much data there is.",
        )


def conflicting_answers(noted: Noted, context: Context) -> Iterator[Found]:
    """Find the examples whose own answer differs from that of another one with the same prompt; not of classes."""
    classified = {row.id for task in tasks(noted, context) for row in task.rows}
    answered = [each for each in noted.asked_again if each.answer_text and each.id not in classified]
    for group in same_prompt(answered):
        if len({each.answer_text for each in group}) == 1:
            continue
        for each in group:
            other = next(one for one in group if one.answer_text != each.answer_text)
            yield Found(each.id, f"example {other.id} answers the same prompt in another way")


CHECKS = (
    OfSet(
        Check(
            "repeated-example",
            "examples that say the same as an earlier one",
            "Prompt and answers are equal but for case, spaces and punctuation. Training counts what is repeated"
            " more than the rest, and learns it by heart. Rows of the same bytes are exact-duplicates.",
            "warning",
        ),
        repeated_examples,
        told_by="exact-duplicates",
        told_of=findings_of_store.of_repeated_records,
    ),
    OfSet(
        Check(
            "repeated-prompt",
            "comparisons whose prompt came before, with other answers",
            "Several comparisons of one prompt are no mistake, but they tell less than as many different prompts.",
            "info",
        ),
        repeated_prompts,
    ),
    OfSet(
        Check(
            "conflicting-answers",
            "same prompt, different answers",
            "Training pulls the model towards both. Keep the better one, or make a pair of the two to learn"
            " the preference from.",
            "info",
        ),
        conflicting_answers,
    ),
)
