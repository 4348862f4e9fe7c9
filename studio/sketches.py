"""Which of many texts may be alike, found without comparing each with each: MinHash sketches, cut into bands.

A text takes 176 bytes here, whatever its length, and as much again where it may be like another: at most 0.5 GB
for a million.
"""

import hashlib
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from studio.shingles import shingles

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

BANDS = 21
BAND_ROWS = 6
"""Of two texts that share 80 % of their runs 99.8 % have a band in common, of those that share half 28 %."""

MOST_CANDIDATES = 50
"""So many texts, the likeliest ones, are compared with one."""

BATCH_RUNS = 4000
"""Runs that are hashed at once: their hashes take BANDS * BAND_ROWS * 4 bytes each."""


class Sketches:
    """The sketches of texts in the order in which they were added; a text's place in it is its position."""

    def __init__(self, *, near: bool) -> None:
        self.ids = array("q")
        self._values = array("Q")
        self._width = 1 + BANDS * near
        self._minhash = _Bands() if near else None

    def add(self, item_id: int, folded: str) -> None:
        """Add a folded text; an empty one is left out, since it is like nothing."""
        if not folded:
            return
        self.ids.append(item_id)
        self._values.frombytes(hashlib.blake2b(folded.encode(), digest_size=8).digest())
        if self._minhash:
            self._values.frombytes(self._minhash.of(folded))

    def candidates(self) -> "Candidates":
        """Return what may be alike among all that was added."""
        import numpy

        values = numpy.frombuffer(self._values, dtype=numpy.uint64).reshape(-1, self._width)
        return Candidates(values)


class Candidates:
    """Texts that share a value with others, a number each; the leaders among them are offered to the others."""

    def __init__(self, values: "NDArray[numpy.uint64]") -> None:
        import numpy

        buckets, count = _buckets(values)
        alike = (buckets >= 0).any(axis=1)
        self.positions: list[int] = numpy.flatnonzero(alike).tolist()
        """Where each of them stands among all texts, in order."""
        self._width = values.shape[1]
        self._buckets = array("i", buckets[alike].tobytes())
        # The leaders of a bucket are a chain: its newest one, and for each the one before.
        self._newest = array("i", [_NONE]) * count
        self._before = array("i", [_NONE]) * len(self._buckets)

    def lead(self, number: int) -> None:
        """Offer a text to the others."""
        for place, bucket in self._places(number):
            self._before[place] = self._newest[bucket]
            self._newest[bucket] = number

    def of(self, number: int) -> list[int]:
        """Return the leaders that a text may be like, the likeliest first."""
        met: Counter[int] = Counter()
        for place, bucket in self._places(number):
            met.update(islice(self._chain(place % self._width, bucket), MOST_CANDIDATES))
        return sorted(met, key=lambda leader: (-met[leader], leader))[:MOST_CANDIDATES]

    def _places(self, number: int) -> list[tuple[int, int]]:
        """Return the places of a text's buckets, with the buckets that hold others too."""
        start = number * self._width
        buckets = self._buckets[start : start + self._width]
        return [(place, bucket) for place, bucket in enumerate(buckets, start) if bucket != _NONE]

    def _chain(self, column: int, bucket: int) -> Iterator[int]:
        leader = self._newest[bucket]
        while leader != _NONE:
            yield leader
            leader = self._before[leader * self._width + column]


_NONE = -1


def _buckets(values: "NDArray[numpy.uint64]") -> "tuple[NDArray[numpy.int32], int]":
    """Number the values that occur more than once in their column; return the numbers and how many there are."""
    import numpy

    numbers = numpy.empty(values.shape, dtype=numpy.int32)
    count = 0
    for column in range(values.shape[1]):
        order = values[:, column].argsort()
        ordered = values[order, column]
        runs = numpy.cumsum(numpy.concatenate([[0], ordered[1:] != ordered[:-1]]))
        repeated = numpy.bincount(runs) > 1
        named = numpy.where(repeated, numpy.cumsum(repeated) - 1 + count, _NONE)
        numbers[order, column] = named[runs]
        count += int(repeated.sum())
    return numbers, count


class _Bands:
    """MinHash signatures, each band of one made a number of 64 bits."""

    def __init__(self) -> None:
        import numpy
        from datasketch import MinHash

        self._empty: Any = MinHash(num_perm=BANDS * BAND_ROWS, hashfunc=zlib.crc32)
        chance = numpy.random.default_rng(1)
        self._weights = chance.integers(1, 1 << 63, size=BAND_ROWS, dtype=numpy.uint64) * numpy.uint64(
            2
        ) + numpy.uint64(1)

    def of(self, folded: str) -> bytes:
        """Return a text's bands."""
        signature = self._empty.copy()
        runs = iter([run.encode() for run in shingles(folded)])
        while batch := list(islice(runs, BATCH_RUNS)):
            signature.update_batch(batch)
        bands = signature.hashvalues.astype("uint64").reshape(BANDS, BAND_ROWS)
        return bytes((bands * self._weights).sum(axis=1, dtype="uint64").tobytes())
