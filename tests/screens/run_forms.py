"""The form for a new run, opened and read, and something to train on."""

from reading import until
from textual.pilot import Pilot
from textual.widgets import Static

from screens.new_run import NewRunForm
from store import examples, journal, pairs, responses
from store.database import Store


async def form_of(pilot: Pilot[None]) -> NewRunForm:
    """Open the form from the Train screen, and wait until the rows are counted."""
    await pilot.press("n")
    await pilot.pause()
    form = pilot.app.screen
    assert isinstance(form, NewRunForm)
    await until(pilot, lambda: "counting" not in shown(form, "#rows-that-count"))
    return form


def shown(form: NewRunForm, selector: str) -> str:
    """Return what a line of the form says."""
    return str(form.query_one(selector, Static).content)


def add_judged_pairs(store: Store) -> None:
    """Judge eight pairs, two of them held out."""
    for number in range(8):
        prompt = [{"role": "user", "content": f"Question {number}"}]
        split: examples.Split = "train" if number < 6 else "validation"
        example = examples.add(store, record_id=None, messages=prompt, split=split)
        first, second = (
            responses.add(store, example, [{"role": "assistant", "content": text}], origin="file")
            for text in (f"Good {number}", f"Bad {number}")
        )
        pair = pairs.get(store, pairs.add_pair(store, example, first, second, seed=0))
        journal.judge(store, pair, "left", rater="ann")
