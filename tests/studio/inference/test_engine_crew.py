"""The number of threads follows what the machine gives."""

from dataclasses import dataclass

from studio.inference.llama.crew import LONGEST_WAIT, WINDOW_SECONDS, Crew, Machine


@dataclass
class Clocks(Machine):
    """A machine of some processors, of which other programs take some."""

    processors: float = 16
    taken: float = 0
    now: float = 0
    worked: float = 0
    rested: float = 0

    def passed(self) -> float:
        return self.now

    def used(self) -> float:
        return self.worked

    def idle(self) -> float:
        return self.rested

    def work(self, crew: Crew, seconds: float = WINDOW_SECONDS, *, most: int = 16) -> int:
        """Let a crew, or as many of it as are of use, evaluate; return how many it has afterwards."""
        threads = min(most, crew.count)
        crew.begin(threads)
        given = min(threads, self.processors - self.taken)
        self.now += seconds
        self.worked += seconds * given
        self.rested += seconds * max(0.0, self.processors - self.taken - given)
        crew.end()
        return crew.count


def test_on_a_quiet_machine_all_work() -> None:
    for processors in (2, 16):
        clocks = Clocks(processors)
        crew = Crew(processors, clocks)
        assert {clocks.work(crew, most=processors) for _ in range(20)} == {processors}


def test_a_step_that_takes_half_of_them_holds_up_none() -> None:
    """As a single token does where two threads share a processor."""
    clocks = Clocks()
    crew = Crew(16, clocks)
    assert {clocks.work(crew, most=8) for _ in range(20)} == {16}


def test_they_give_way_to_others_and_come_back() -> None:
    clocks = Clocks(2, taken=1)
    crew = Crew(2, clocks)
    assert [clocks.work(crew) for _ in range(4)] == [1, 1, 1, 1]
    clocks.taken = 0
    assert [clocks.work(crew) for _ in range(3)][-1] == 2


def test_what_seems_idle_but_is_not_given_is_tried_less_and_less() -> None:
    """As in a container whose share of the machine nothing tells of."""

    class Throttled(Clocks):
        def idle(self) -> float:
            return 14 * self.now

    clocks = Throttled(processors=2)
    crew = Crew(16, clocks)
    counts = [clocks.work(crew) for _ in range(6 * LONGEST_WAIT)]
    assert sum(count > 2 for count in counts) < len(counts) / 20


def test_a_moment_changes_nothing() -> None:
    clocks = Clocks(taken=16)
    crew = Crew(8, clocks)
    assert {clocks.work(crew, WINDOW_SECONDS / 100) for _ in range(3)} == {8}


def test_where_a_gpu_computes_their_number_stays() -> None:
    clocks = Clocks(taken=16)
    crew = Crew(8, clocks, fixed=True)
    assert {clocks.work(crew) for _ in range(3)} == {8}


def test_the_clocks_of_this_machine_run() -> None:
    crew = Crew(2)
    for _ in range(3):
        crew.begin(crew.count)
        until = crew._machine.used() + 1.1 * WINDOW_SECONDS
        while crew._machine.used() < until:
            pass
        crew.end()
        assert 1 <= crew.count <= 2
