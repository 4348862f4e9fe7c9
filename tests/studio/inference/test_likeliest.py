"""What is said of a token's chances, held against the plain formula."""

import numpy as np
import pytest

from studio.inference.llama.sampling import likeliest


@pytest.mark.parametrize("width", [1, 3, 63, 64, 65, 200, 49_152])
@pytest.mark.parametrize("count", [1, 5, 100])
def test_the_likeliest_are_those_of_the_plain_formula(width: int, count: int) -> None:
    logits = np.random.default_rng(width + count).normal(scale=5, size=width).astype(np.float32)
    logprob, others = likeliest(logits, width // 2, count)
    exact = logits.astype(np.float64)
    exact -= exact.max() + np.log(np.exp(exact - exact.max()).sum())
    order = np.argsort(-logits, kind="stable")[:count]
    assert [token for token, _ in others] == order.tolist()
    assert [score for _, score in others] == pytest.approx(exact[order], abs=1e-4)
    assert logprob == pytest.approx(exact[width // 2], abs=1e-4)


def test_equals_are_all_there() -> None:
    logprob, others = likeliest(np.zeros(1000, dtype=np.float32), 999, 5)
    assert len({token for token, _ in others}) == 5
    assert [score for _, score in others] == pytest.approx([-np.log(1000)] * 5)
    assert logprob == others[0][1]
