"""What was noted of all examples: as columns, and as rows where a check needs them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, compress, count
from typing import Any

from studio.lint.features import STORED, Features, read


class Noted:
    """What `studio.lint.features.features` noted of each example, in the order of their ids."""

    def __init__(self, stored: Sequence[Sequence[Any]]) -> None:
        """Take the values of each of `STORED`; no examples may come without columns."""
        self._stored = stored or [()] * len(STORED)

    def __len__(self) -> int:
        return len(self._stored[0])

    def column(self, name: str) -> Sequence[Any]:
        """Return one of `STORED` of all examples."""
        return self._stored[STORED.index(name)]

    def columns(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Yield some of `STORED` of each example."""
        return zip(*map(self.column, names), strict=True)

    def rows(self, which: Iterable[bool]) -> list[Features]:
        """Return the examples for which something holds, given for each of them."""
        places = compress(count(), which)
        return [read([column[place] for column in self._stored]) for place in places]

    @cached_property
    def asked_again(self) -> list[Features]:
        """Examples whose prompt and system turns are those of another one, also where both have none."""
        times = self._times_asked
        if len(times) == len(self):
            return []
        return self.rows(times[each] > 1 for each in self.columns("prompt", "system"))

    @cached_property
    def several_verdicts(self) -> list[Features]:
        """Examples with three or more verdicts, or whose prompt is asked by another one: they can contradict."""
        times = self._times_asked
        if len(times) == len(self) and max(self.column("verdicts"), default=0) < 3:
            return []
        rows = self.columns("prompt", "system", "verdicts")
        return self.rows(bool(asked) and (verdicts > 2 or times[asked, told] > 1) for asked, told, verdicts in rows)

    @cached_property
    def with_numbers(self) -> list[tuple[int, list[list[Any]]]]:
        """Examples with numbers in their answers: the id, and each number's name and value."""
        return [(row_id, numbers) for row_id, numbers in self.columns("id", "numbers") if numbers]

    @cached_property
    def sides(self) -> list[list[Any]]:
        """Of each decided pair the better answer's author and length, and the worse one's."""
        return list(chain.from_iterable(self.column("sides")))

    @cached_property
    def authors(self) -> Counter[tuple[str, str]]:
        """How often each author's answer was preferred to each other author's."""
        return Counter((better, worse) for better, _, worse, _ in self.sides)

    @cached_property
    def judged_here(self) -> list[Features]:
        """Examples with a verdict that was given in the studio."""
        return self.rows(map(bool, self.column("timed_verdicts")))

    @cached_property
    def asked_in(self) -> dict[str, set[str]]:
        """The prompts of each split; for an example that has none, its answer."""
        found: dict[str, set[str]] = defaultdict(set)
        for split, prompt, answer in self.columns("split", "prompt", "answer_text"):
            found[split].add(prompt or answer)
        return found

    @cached_property
    def _times_asked(self) -> Counter[tuple[str, str]]:
        return Counter(self.columns("prompt", "system"))
