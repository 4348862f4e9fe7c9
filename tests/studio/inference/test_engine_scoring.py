"""The scores of given tokens are those of the logits, read and computed in another way."""

import math
from pathlib import Path

import numpy as np
import pytest
from tiny_gguf import VOCABULARY, write_model

from studio.inference.asked import EngineError
from studio.inference.engine import Engine

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("engine")]

SEQUENCES = [[(7 * n) % 250 for n in range(150)], [3, 1, 4, 1, 5], [9, 9]]
STARTS = [20, 1, 2]

Logits = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def logits_of(gguf: Path, ids: list[int]) -> Logits:
    from llama_cpp import Llama

    model = Llama(str(gguf), n_ctx=256, logits_all=True, verbose=False)
    try:
        model.eval(ids)
        return np.array(model.scores[: len(ids)], dtype=np.float64)
    finally:
        model.close()


def chances_of(logits: Logits) -> Logits:
    return (
        logits
        - np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1, keepdims=True))
        - logits.max(1, keepdims=True)
    )


@pytest.fixture(scope="module")
def other(tiny: Path) -> Path:
    return write_model(tiny.parent / "other.gguf", seed=9, sharpness=0.6)


def test_each_token_has_its_chance(engine: Engine, tiny: Path) -> None:
    found = list(engine.compare(engine.load(tiny), SEQUENCES, STARTS))
    for scored, ids, start in zip(found, SEQUENCES, STARTS, strict=True):
        chances = chances_of(logits_of(tiny, ids)[start - 1 : -1])
        assert scored.logprobs == pytest.approx(chances[range(len(ids) - start), ids[start:]].tolist(), abs=1e-4)
        assert scored.kl == scored.same_top == scored.reference_logprobs == []


def test_another_model_as_reference(engine: Engine, tiny: Path, other: Path) -> None:
    key, reference = engine.load(tiny), engine.load(other)
    found = list(engine.compare(key, SEQUENCES, STARTS, reference=reference))
    for scored, ids, start in zip(found, SEQUENCES, STARTS, strict=True):
        ours, theirs = (chances_of(logits_of(path, ids)[start - 1 : -1]) for path in (tiny, other))
        assert scored.kl == pytest.approx((np.exp(theirs) * (theirs - ours)).sum(1).tolist(), abs=1e-4)
        assert scored.same_top == (ours.argmax(1) == theirs.argmax(1)).tolist()
        assert scored.reference_logprobs == pytest.approx(
            theirs[range(len(ids) - start), ids[start:]].tolist(), abs=1e-4
        )
    [same] = engine.compare(key, SEQUENCES[:1], STARTS[:1], reference=key)
    assert max(same.kl) < 1e-9
    assert all(same.same_top)


def test_logits_made_elsewhere_as_reference(engine: Engine, tiny: Path, tmp_path: Path) -> None:
    """As torch makes them: wider than the vocabulary, the rest being for no token."""
    for number, (ids, start) in enumerate(zip(SEQUENCES, STARTS, strict=True)):
        logits = logits_of(tiny, ids)[start - 1 : -1].astype(np.float32)
        padded = np.concatenate([logits, np.full((len(logits), 6), 50, dtype=np.float32)], axis=1)
        np.save(tmp_path / f"{number}.npy", padded)
    found = list(engine.compare(engine.load(tiny), SEQUENCES, STARTS, reference=tmp_path))
    assert max(value for scored in found for value in scored.kl) < 1e-7
    assert all(value for scored in found for value in scored.same_top)
    assert found[0].reference_logprobs == pytest.approx(found[0].logprobs, abs=1e-4)


def test_what_cannot_be_scored_is_refused_in_words(engine: Engine, tiny: Path, tmp_path: Path) -> None:
    key = engine.load(tiny, context=256)
    for ids, start, words in (
        ([1] * 300, 1, "300 tokens"),
        ([1, 2], 0, "from token 0"),
        ([1, VOCABULARY], 1, "has not"),
    ):
        with pytest.raises(EngineError, match=words):
            list(engine.compare(key, [ids], [start]))
    with pytest.raises(EngineError, match=r"0\.npy can't be read"):
        list(engine.compare(key, [[1, 2]], [1], reference=tmp_path))
    np.save(tmp_path / "0.npy", np.zeros((4, VOCABULARY), dtype=np.float32))
    with pytest.raises(EngineError, match="not of 1 tokens"):
        list(engine.compare(key, [[1, 2]], [1], reference=tmp_path))


def test_a_model_that_computes_nonsense_has_scores_that_say_so(engine: Engine, tiny: Path, tmp_path: Path) -> None:
    broken = engine.load(write_model(tmp_path / "broken.gguf", sharpness=float("nan")))
    [scored] = engine.compare(broken, [[1, 2, 3]], [1], reference=engine.load(tiny))
    assert all(map(math.isnan, [*scored.logprobs, *scored.kl]))


def test_scoring_can_be_stopped(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    many = 2000
    comparison = engine.compare(key, [SEQUENCES[0]] * many, [1] * many)
    next(comparison)
    comparison.cancel()
    assert len(list(comparison)) < many - 1
    assert list(comparison) == []
    assert list(engine.compare(key, SEQUENCES[1:2], [1]))


def test_texts_become_vectors_of_length_one(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    first, near, far, again = engine.embed(key, [list(range(60)), list(range(58)), [200] * 60, list(range(60))])
    assert first == again
    assert sum(part * part for part in first) == pytest.approx(1)

    def likeness(one: list[float], two: list[float]) -> float:
        return sum(a * b for a, b in zip(one, two, strict=True))

    assert likeness(first, near) > likeness(first, far)
    with pytest.raises(EngineError, match="Text 2 has 0 tokens"):
        engine.embed(key, [[1], []])
