"""The evidence in a window, from Train: what was compared, what differs, and proving it anew."""

import threading
from collections.abc import Callable

import pytest
from reading import screen_text, until
from run_lists import add_run, opened

from screens.evidence_window import EvidenceWindow
from screens.widgets.text_view import TextView
from store.database import Store
from studio.inference.proof import Check, Evidence, Finding
from studio.inference.proof.evidence import Difference, Piece, write
from studio.project import Project
from studio.training.folder import RunFolder

DIFFERENCE = Difference("example 7", 3, "in [b]", (Piece("19\x1b", 30),), (Piece("1", 34), Piece("9", 42)))
CHECKS = (
    Check("tokens", "different", "in 2 of 40 texts; first in example 7", (), {}, DIFFERENCE),
    Check("template", "equal", "the same 368 characters"),
    Check(
        "adapter", "different", "210 tensors", (Finding("scale", "It acts at 2 times [/i] the strength.", "Write it."),)
    ),
)


def plain(window: EvidenceWindow) -> str:
    return " ".join(window.query_one(TextView).plain.split())


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 50)])
async def test_what_was_compared_is_shown(project: Project, store: Store, size: tuple[int, int]) -> None:
    run_id = add_run(project, store, "done")
    write(RunFolder(project.runs / run_id).path, Evidence(run_id, CHECKS, {"gguf": "base.gguf"}))
    async with opened(project, size) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        await pilot.press("p")
        window = pilot.app.screen
        assert isinstance(window, EvidenceWindow)
        await until(pilot, lambda: "Token ids" in screen_text(pilot.app))
        text = plain(window)
        assert "! Token ids: DIFFERENT" in text
        assert "= Chat template: equal" in text
        assert "It acts at 2 times [/i] the strength." in text
        assert "30 '19\\x1b' (U+0031 U+0039 U+001B)" in text
        assert "gguf: base.gguf" in text
        assert "Weights, adapter and logits are compared" in text
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is screen


async def test_where_nothing_is_proven_it_says_how_and_why_it_can_t_be(project: Project, store: Store) -> None:
    run_id = add_run(project, store, "done")
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        await pilot.press("p")
        window = pilot.app.screen
        assert isinstance(window, EvidenceWindow)
        await until(pilot, lambda: "Nothing is proven yet" in plain(window))
        await pilot.press("r")
        # Its folder does not say what it was started with.
        await until(pilot, lambda: "is no run's folder" in plain(window))


async def test_a_proof_goes_on_where_its_window_is_left_and_is_not_begun_beside_itself(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = add_run(project, store, "done")
    begun: list[str] = []
    may_end = threading.Semaphore(0)

    def prove_anew(project: Project, store: Store, ref: str, say: Callable[[str], None]) -> Evidence:
        begun.append(ref)
        say("counting")
        may_end.acquire(timeout=10)
        return Evidence(ref, CHECKS)

    monkeypatch.setattr("studio.inference.proof.asking.prove_anew", prove_anew)
    async with opened(project) as (pilot, screen):
        await until(pilot, lambda: run_id in screen.facts.plain)
        await pilot.press("p", "r")
        await until(pilot, lambda: "counting ..." in screen_text(pilot.app))
        await pilot.press("escape", "p")
        await until(pilot, lambda: "Nothing is proven yet" in screen_text(pilot.app))
        assert "proving ..." in screen_text(pilot.app)
        await pilot.press("r")
        may_end.release()
        await until(pilot, lambda: "Token ids: DIFFERENT" in screen_text(pilot.app))
        assert "proving ..." not in screen_text(pilot.app)
        assert begun == [run_id]
        await until(pilot, lambda: all(worker.is_finished for worker in pilot.app.workers))
        await pilot.press("r", "escape")
        may_end.release()
        await until(pilot, lambda: any("is proven: " in note.message for note in pilot.app._notifications))
