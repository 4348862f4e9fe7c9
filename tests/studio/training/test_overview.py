"""What the Train screen shows of the runs."""

from datetime import UTC, datetime, timedelta

from store import runs
from store.database import Store, now
from store.runs import Metric
from studio.process import started_at
from studio.project import Project
from studio.training.folder import RunFolder, Status, write_json
from studio.training.history.overview import RunLine, overview, run_detail, run_line, seconds_left
from studio.training.history.watch import sync_run
from studio.training.watching import machine, samples
from studio.training.watching.machine import Look
from studio.training.watching.samples import Sample
from tests.studio.training.ended_runs import made

LOOK = Look("t", 0.5, 1.5, 1 << 30, 2 << 30, 4 << 30)


def test_a_run_in_full(project: Project, store: Store) -> None:
    run = made(project, store, result={"general_warning": "It forgets.", "parity": "equal in 3 texts, 9 tokens"})
    runs.add_metrics(
        store, run.id, [Metric(name, 3, 0.5, "2026-01-01T00:00:03+00:00") for name in ("odd", "mfu", "eta_seconds")]
    )
    folder = RunFolder(project.runs / run.id)
    samples.append(folder.samples, [Sample(0, "t", 7, "Hi.", "Hello.", True)])
    machine.append(folder.machine, LOOK)
    folder.log.write_text("one\ntwo\n")
    runs.describe(store, run.id, name="first try", note="two\nlines", tags=["good"])
    detail = run_detail(project, store, runs.get(store, run.id), log_lines=1)
    assert [(curve.name, curve.title) for curve in detail.curves] == [
        ("loss", "training loss"),
        ("mfu", "share of the device's peak (MFU)"),
        ("odd", "odd"),
    ]
    assert detail.curves[0].points == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert detail.warnings == ["It forgets."]
    assert [sample.reply for sample in detail.samples] == ["Hello."]
    assert detail.log == ["two"]
    assert detail.machine == "", "the run is over"
    assert detail.speed == "50.0% of the device's peak"
    assert {"name       first try", "note       two lines", "tags       good"} <= set(detail.facts)
    assert "beta = 0.1" in detail.recipe


def test_a_run_that_goes_on_says_how_long_yet_and_what_the_machine_does(project: Project, store: Store) -> None:
    run = made(project, store)
    runs.update(store, run.id, status="running", pid=1, pid_started=started_at(1))
    ago = (datetime.now(UTC) - timedelta(seconds=100)).isoformat()
    runs.add_metrics(store, run.id, [Metric("eta_seconds", 3, 700.0, ago), Metric("tokens_per_second", 3, 1234.5, ago)])
    folder = RunFolder(project.runs / run.id)
    write_json(folder.status, Status("running", 1, started_at(1), step=3, total_steps=9))
    machine.append(folder.machine, LOOK)
    running = runs.get(store, run.id)
    left = run_line(project, store, running).seconds_left
    assert left is not None
    assert 500 < left < 601
    detail = run_detail(project, store, running, log_lines=0)
    assert detail.speed == "1,234 tokens a second, 10 min left"
    assert detail.machine.startswith("processor 50%")
    long_ago = {"eta_seconds": Metric("eta_seconds", 3, 5.0, ago)}
    assert seconds_left(running, long_ago) == 0, "never below nothing"


def test_a_resumed_run_says_nothing_of_steps_that_it_does_again(project: Project, store: Store) -> None:
    run = made(project, store, steps=57)
    folder, then = RunFolder(project.runs / run.id), "2026-01-01T00:00:00+00:00"
    runs.add_metrics(store, run.id, [Metric("eta_seconds", step, 600.0, then) for step in (40, 57)])

    def shown(step: int) -> RunLine:
        status = Status("running", 1, started_at(1), step=step, total_steps=100, started_at=since)
        write_json(folder.status, status)
        return run_line(project, store, sync_run(project, store, run.id))

    since = now()
    runs.update(store, run.id, status="running", pid=1, pid_started=started_at(1), started_at=since)
    loading, resumed = shown(0), shown(40)
    assert (loading.progress, loading.seconds_left) == ("step 0/100", None)
    assert (resumed.progress, resumed.seconds_left) == ("step 40/100, loss 0.025", None)
    runs.add_metrics(store, run.id, [Metric("loss", 41, 0.75, now()), Metric("eta_seconds", 41, 600.0, now())])
    going_on = shown(41)
    assert going_on.progress == "step 41/100, loss 0.750"
    assert going_on.seconds_left is not None
    assert run_detail(project, store, runs.get(store, run.id), log_lines=0).speed.endswith(" left")


def test_curves_are_worked_out_again_only_when_they_went_on(project: Project, store: Store) -> None:
    run = made(project, store, steps=3)
    first = overview(project, store, run.id)
    again = overview(project, store, run.id, known=first)
    assert first.detail is not None
    assert again.detail is not None
    assert again.detail.curves is first.detail.curves
    assert again.detail == first.detail
    runs.add_metrics(store, run.id, [Metric("loss", 4, 0.25, "2026-01-01T00:00:04+00:00")])
    third = overview(project, store, run.id, known=again)
    assert third.detail is not None
    assert third.detail.curves[0].points[-1] == (4, 0.25)
    other = made(project, store, steps=1)
    fourth = overview(project, store, other.id, known=third)
    assert fourth.detail is not None
    assert fourth.detail.curves[0].points == [(1, 1.0)]


def test_a_curve_begins_with_the_first_step_and_goes_on_by_whole_points(project: Project, store: Store) -> None:
    run = made(project, store, steps=0)
    runs.update(store, run.id, status="running", pid=1, pid_started=started_at(1))
    seen = overview(project, store, run.id)
    assert seen.detail is not None
    assert seen.detail.curves == []
    drawn = []
    for last in (1, 4000, 4001, 4050):
        runs.add_metrics(store, run.id, [Metric("loss", last, 1.0, f"2026-01-01T00:00:00.{last:06}+00:00")])
        seen = overview(project, store, run.id, known=seen)
        assert seen.detail is not None
        drawn.append(seen.detail.curves[0].points[-1][0])
    assert drawn == [1, 4000, 4000, 4050], "a step of 4,001 moves no point of 400"
