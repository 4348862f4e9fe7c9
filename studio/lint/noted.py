"""What was noted of all examples: as columns, and as rows where a check needs them; only what is asked for is made."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, overload

from studio.lint.features import Features, read


class Noted(Sequence[Features]):
    """What `studio.lint.features.features` noted of each example, in the order of their ids."""

    def __init__(self, stored: Sequence[Sequence[Any]]) -> None:
        self._stored = stored

    def __len__(self) -> int:
        return len(self._stored)

    @overload
    def __getitem__(self, at: int) -> Features: ...

    @overload
    def __getitem__(self, at: slice) -> "Noted": ...

    def __getitem__(self, at: "int | slice") -> "Features | Noted":
        return Noted(self._stored[at]) if isinstance(at, slice) else read(self._stored[at])

    def column(self, name: str) -> list[Any]:
        """Return one field of all examples, as it is stored."""
        return list(map(itemgetter(Features._fields.index(name)), self._stored))

    def columns(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Yield some fields of each example, as they are stored."""
        return map(itemgetter(*map(Features._fields.index, names)), self._stored)

    def rows(self, which: Iterable[bool]) -> list[Features]:
        """Return the examples for which something holds, given for each of them."""
        return [read(stored) for stored, wanted in zip(self._stored, which, strict=True) if wanted]

    @cached_property
    def asked_again(self) -> list[Features]:
        """Examples whose prompt and system turns are those of another one, also where both have none."""
        asked = list(self.columns("prompt", "system"))
        times = Counter(asked)
        return self.rows(times[each] > 1 for each in asked) if len(times) < len(asked) else []

    @cached_property
    def several_verdicts(self) -> list[Features]:
        """Examples with three or more verdicts, or whose prompt is asked by another one: they can contradict."""
        asked = list(self.columns("prompt", "system"))
        times = Counter(asked)
        many = (len(decisions) > 2 for decisions in self.column("decisions"))
        return self.rows(bool(each[0]) and (times[each] > 1 or here) for each, here in zip(asked, many, strict=True))

    @cached_property
    def with_numbers(self) -> list[tuple[int, list[list[Any]]]]:
        """Examples with numbers in their answers: the id, and each number's name and value."""
        return [(row_id, numbers) for row_id, numbers in self.columns("id", "numbers") if numbers]

    @cached_property
    def sides(self) -> list[tuple[str, int, str, int]]:
        """Of each decided pair the better answer's author and length, and the worse one's."""
        return [tuple(side) for sides in self.column("sides") for side in sides]

    @cached_property
    def judged_here(self) -> list[Features]:
        """Examples with a verdict that was given in the studio."""
        return self.rows(any(d[4] is not None for d in decisions) for decisions in self.column("decisions"))
