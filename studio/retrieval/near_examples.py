"""Few-shot examples chosen for a question: the approved examples of the train split that ask most like it."""

from dataclasses import dataclass

from store import examples, nearest, responses
from store.database import Store
from store.examples import Example, Message, completion_of, prompt_of
from studio.retrieval.searchable import make_searchable
from studio.retrieval.terms import any_of, words_of
from studio.retrieval.weights import weigh
from studio.shingles import fold

LOOKED_AT = 50
"""Examples that are weighed against each other."""
MOST_TERMS = 32


@dataclass(frozen=True)
class NearExample:
    """An example that is shown to the model before a question."""

    id: int
    turns: tuple[Message, ...]
    """Of user and assistant, with an answer at the end."""
    score: float
    """From 0 to 1, how much of what the question says it asks too."""


def few_shot_for(store: Store, question: str, k: int) -> list[NearExample]:
    """Return the `k` examples nearest to a question, the nearest last, where a model heeds it most.

    None is held out, or has a prompt that is held out as well, or asks the question itself.
    """
    make_searchable(store)
    weights = weigh(store, words_of(question))
    found = nearest.ids(store, any_of(weights.rarest(MOST_TERMS)), "shown", LOOKED_AT)
    read = examples.get_many(store, found)
    asked, shown = fold(question), []
    for number in found:
        turns = _turns(store, read[number])
        if turns and asked not in fold(turns[-2]["content"]):
            score = weights.covered(words_of(turns[-2]["content"]))
            shown.append(NearExample(number, tuple(turns), score))
    shown.sort(key=lambda example: (example.score, -example.id))
    return shown[-k:] if k > 0 else []


def _turns(store: Store, example: Example) -> list[Message]:
    """Return an example as turns that can be shown; none where it has no answer, or more than texts."""
    answer = completion_of(example.messages)
    if not answer and (better := nearest.better_answer(store, example.id)) is not None:
        answer = responses.get(store, better).messages
    turns: list[Message] = []
    for message in [*(m for m in prompt_of(example.messages) if m["role"] != "system"), *answer]:
        if message["role"] not in ("user", "assistant") or not isinstance(message.get("content"), str):
            return []
        if message["role"] == "assistant" and message.get("weight") == 0 and turns:
            # What was shown before this example's own question.
            turns.pop()
            continue
        turns.append({"role": message["role"], "content": message["content"]})
    is_whole = len(turns) >= 2 and turns[0]["role"] == turns[-2]["role"] == "user" and turns[-1]["role"] == "assistant"
    return turns if is_whole and not example.tools else []
