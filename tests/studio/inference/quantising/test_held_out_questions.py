"""What a quantised model is tried on: the rows that its run held out, whatever its method, or the project's."""

import orjson
import pytest

from store import runs, snapshots
from store.snapshots import Items, Snapshot
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.inference.quantising.held_out import digest, questions_for
from studio.inference.quantising.making import make
from studio.inference.quantising.testing import Trial
from studio.rendering import ChatTokenizer

ASKED = [{"role": "user", "content": "Where is my order?"}]
GOOD = [{"role": "assistant", "content": "On its way."}]
BAD = [{"role": "assistant", "content": "Who knows."}]


@pytest.fixture
def run_of(project, store):
    """Return what makes a run with these held-out rows and returns its id."""
    snapshots.save(store, Snapshot("s", "sft", Items(), "", {}))

    def make_run(*rows: dict) -> str:
        run_id = runs.add(store, method="sft", base_model="m", base_hash=None, snapshot_id="s", recipe={})
        data = project.runs / run_id / "data"
        data.mkdir(parents=True)
        held_out = ({"example": number, **row} for number, row in enumerate(rows, 1))
        (data / "validation.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in held_out))
        return run_id

    return make_run


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"messages": ASKED + GOOD}, GOOD),
        ({"prompt": ASKED, "chosen": GOOD, "rejected": BAD}, GOOD),
        ({"prompt": ASKED, "completion": GOOD, "label": True}, GOOD),
        ({"prompt": ASKED, "completion": BAD, "label": False}, []),
        ({"prompt": ASKED, "fields": {"answer": "On its way."}}, []),
    ],
)
def test_each_method_gives_its_prompt_and_its_good_answer(project, store, run_of, row, answer) -> None:
    [question] = questions_for(project, store, run_of(row), 10)
    assert (question.prompt, question.answer) == (ASKED, answer)
    assert question.fields == ({"answer": "On its way."} if answer or "fields" in row else {})


def test_a_prompt_is_asked_once_and_a_choice_is_always_the_same(project, store, run_of) -> None:
    rows = [{"messages": [{"role": "user", "content": f"Question {n % 30}"}, *GOOD]} for n in range(60)]
    run_id = run_of(*rows)
    assert len(questions_for(project, store, run_id, 100)) == 30
    some = questions_for(project, store, run_id, 10)
    assert len(some) == 10
    assert digest(some) == digest(questions_for(project, store, run_id, 10))
    assert digest(some) != digest(questions_for(project, store, run_id, 11))


def test_without_anything_held_out_it_says_what_to_do(project, store, run_of) -> None:
    for ref in (run_of(), "smollm2"):
        with pytest.raises(StudioError, match="No example is held out"):
            questions_for(project, store, ref, 10)


def test_prompts_without_answers_are_measured_on_the_unquantised_models_own(
    project, store, run_of, narrow, tmp_path
) -> None:
    questions = questions_for(project, store, run_of({"prompt": ASKED, "fields": {}}), 10)
    with (tmp_path / "log.txt").open("wb") as log:
        make(narrow, tmp_path / "small.gguf", "Q4_0", log, lambda _: None)
    tokenizer = ChatTokenizer.load(tmp_path / "narrow")
    told: list[float] = []
    with Engine(tmp_path / "engine.log") as engine:
        trial = Trial(engine, tokenizer, engine.load(narrow, context=256), questions, (), 12, "key")
        test = trial.run(tmp_path / "small.gguf", lambda _, done: told.append(done))
    assert test.own_answers
    assert test.texts == 1
    assert test.tokens > 0
    assert test.mean_kl > 0
    assert test.checks == ()
    assert told == sorted(told)
