"""The number of threads follows what the machine gives."""

import time

from studio.inference.llama.crew import WINDOW_SECONDS, Crew


def test_threads_that_are_given_no_time_become_fewer() -> None:
    crew = Crew(8)
    crew.begin()
    time.sleep(1.1 * WINDOW_SECONDS)
    crew.end()
    assert crew.count == 1


def test_a_moment_changes_nothing() -> None:
    crew = Crew(8)
    for _ in range(3):
        crew.begin()
        time.sleep(WINDOW_SECONDS / 100)
        crew.end()
    assert crew.count == 8


def test_there_are_never_more_than_processors() -> None:
    crew = Crew(2)
    for _ in range(3):
        crew.begin()
        until = time.process_time() + 1.1 * WINDOW_SECONDS
        while time.process_time() < until:
            pass
        crew.end()
        assert 1 <= crew.count <= 2
