"""Telling whether two readings of weights are of the same numbers, however they were rounded."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

ROWS = 64
"""Rows of a tensor that are compared, spread over all of it: a wrong order or place shows in any of them."""

ALIKE = 0.9
"""The least cosine of two readings of the same weights: the coarsest quantisation keeps more, others have near 0."""

ROUNDING = 2e-3
"""The most that 16-bit floats differ by, as a share of a tensor's largest number; bf16 rounds a number by 4e-3."""


def spread(rows: int) -> "Array":
    """Return the numbers of the rows that are compared."""
    import numpy as np

    return np.unique(np.linspace(0, rows - 1, min(rows, ROWS)).astype(np.int64))


def alike(a: "Array", b: "Array") -> bool:
    """Tell whether two arrays point the same way."""
    import numpy as np

    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return bool(np.vdot(a, b) >= ALIKE * size) if size else bool(np.allclose(a, b, atol=1e-6))


def rounded(a: "Array", b: "Array") -> bool:
    """Tell whether two arrays differ by no more than their storing in 16 bits."""
    import numpy as np

    return bool(np.abs(a - b).max() <= ROUNDING * max(float(np.abs(b).max()), 1e-6))


def close(a: "Array", b: "Array") -> bool:
    """Tell whether each number of two arrays is the same but for its storing in 16 bits."""
    import numpy as np

    return bool(np.allclose(a, b, rtol=2 * ROUNDING, atol=1e-3))


def has_rows(whole: "Array", rows: "Array") -> bool:
    """Tell whether each row is one of a matrix, wherever it stands in it."""
    import numpy as np

    unit, wanted = (each / np.maximum(np.linalg.norm(each, axis=-1, keepdims=True), 1e-12) for each in (whole, rows))
    return bool((wanted @ unit.T).max(axis=-1).min() >= ALIKE)
