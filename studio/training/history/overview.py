"""What is shown of the runs: a line a run, and of one run all there is to see."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from store import curves as plotted
from store import runs
from store.curves import Point
from store.database import Store
from store.runs import ACTIVE, UNENDED, Metric, Run
from studio.durations import duration
from studio.project import Project
from studio.training.folder import RunFolder, read_status
from studio.training.history.watch import describe_progress, describe_run, latest_metrics, log_tail, sync_all
from studio.training.watching import machine, samples
from studio.training.watching.machine import Look
from studio.training.watching.samples import Sample

CURVES: dict[str, str] = {
    "loss": "training loss",
    "eval_loss": "held-out loss",
    "rewards/margins": "reward margin",
    "eval_rewards/accuracies": "held-out accuracy",
    "rewards/accuracies": "reward accuracy",
    "eval_rewards/margins": "held-out reward margin",
    "rewards/chosen": "reward of chosen answers",
    "rewards/rejected": "reward of rejected answers",
    "eval_rewards/chosen": "held-out reward of chosen answers",
    "eval_rewards/rejected": "held-out reward of rejected answers",
    "reward": "reward",
    "eval_reward": "held-out reward",
    "eval_accuracy": "held-out accuracy of the scores",
    "accuracy": "accuracy of the scores",
    "margin": "margin of the scores",
    "eval_margin": "held-out margin of the scores",
    "kl": "distance from the base model (KL)",
    "completions/mean_length": "tokens of an answer that is tried",
    "mean_token_accuracy": "token accuracy",
    "eval_mean_token_accuracy": "held-out token accuracy",
    "learning_rate": "learning rate",
    "grad_norm": "gradient norm",
    "tokens_per_second": "tokens a second",
    "mfu": "share of the device's peak (MFU)",
    "step_seconds": "seconds a step",
    "entropy": "entropy",
}
"""Metrics in words, the most telling first; others are shown after them under their own names."""

NOT_CURVES = frozenset(
    {
        *("eta_seconds", "train_loss", "num_tokens", "eval_num_tokens"),
        *("eval_runtime", "eval_samples_per_second", "eval_steps_per_second"),
    }
)
"""Numbers that a plot says nothing with."""


class Curve(NamedTuple):
    """A metric in the course of a run."""

    name: str
    title: str
    """Its name in words."""
    points: list[Point]


@dataclass(frozen=True)
class RunLine:
    """One run in the list."""

    run: Run
    progress: str
    share: float | None
    """How much of its steps is done; None where that is not known."""
    seconds_left: float | None = None
    """How long it will take yet; None where that is not known."""

    @property
    def parity(self) -> str:
        """What the token-for-token proof said."""
        return parity_words(self.run)

    @property
    def badge(self) -> str:
        """The same in two or three words."""
        head = self.parity.partition(",")[0]
        return head if head.startswith("equal") else head.partition(":")[0].partition(" in ")[0]


@dataclass(frozen=True)
class RunDetail:
    """One run in full."""

    run: Run
    facts: list[str]
    """What it is, what became of it, and its results, a line a fact."""
    warnings: list[str]
    """What its results warn of, in sentences."""
    curves: list[Curve]
    speed: str
    """How fast it goes and how long it will take yet; empty before its first step."""
    machine: str
    """What the machine does, in a line; empty where nobody looked."""
    samples: list[Sample]
    """What it answered to held-out prompts, by step."""
    log: list[str]
    recipe: list[str]
    newest: Metric | None = None
    """The metric that the curves reach to."""

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run.id


@dataclass(frozen=True)
class Overview:
    """All runs, newest first, and the one that is looked at."""

    lines: list[RunLine]
    detail: RunDetail | None
    died: list[Run] = field(default_factory=list)
    """Runs that were found dead at this look."""


def overview(
    project: Project,
    store: Store,
    selected: str | None,
    *,
    log_lines: int = 30,
    known: Overview | None = None,
) -> Overview:
    """Look at every run's folder and return what there is to show; the newest run where none is selected.

    Args:
        project: whose runs.
        store: takes over what the folders say.
        selected: the run that is shown in full.
        log_lines: how much of its log.
        known: the last look; what can't have changed since is not worked out again.
    """
    before = {run.id: run.status for run in runs.all_runs(store)}
    found = sync_all(project, store)
    died = [run for run in found if run.status == "failed" and before.get(run.id) in ACTIVE]
    chosen = next((run for run in found if run.id == selected), found[0] if found else None)
    ended = {line.run.id: line for line in known.lines if line.run.status not in UNENDED} if known else {}
    lines = [
        ended[run.id] if run.id in ended and ended[run.id].run == run else run_line(project, store, run)
        for run in found
    ]
    detail = known.detail if known else None
    return Overview(
        lines, run_detail(project, store, chosen, log_lines=log_lines, known=detail) if chosen else None, died
    )


def run_line(project: Project, store: Store, run: Run) -> RunLine:
    """Return a run as the list shows it."""
    status = read_status(RunFolder(project.runs / run.id))
    share = status.step / status.total_steps if status and status.total_steps else None
    left = seconds_left(run, latest_metrics(store, run, status))
    return RunLine(run, describe_progress(project, store, run), share, left)


def run_detail(
    project: Project, store: Store, run: Run, *, log_lines: int, known: RunDetail | None = None
) -> RunDetail:
    """Return all about a run; curves that have not gone on by a point since the last look are taken from it."""
    folder = RunFolder(project.runs / run.id)
    lines = describe_run(project, store, run)
    latest = plotted.latest(store, run.id)
    newest = max(latest.values(), key=lambda metric: (metric.at, metric.step), default=None)
    if known and known.run.id == run.id and _is_drawn(run, known, newest):
        curves, newest = known.curves, known.newest
    else:
        curves = in_order(plotted.curves(store, run.id))
    return RunDetail(
        run=run,
        facts=[line for line in lines if not line.startswith("recipe ")],
        warnings=[str(value) for name, value in run.result.items() if name.endswith("_warning")],
        curves=curves,
        speed=speed_in_words(run, latest_metrics(store, run, read_status(folder))),
        machine=machine_in_words(folder, run),
        samples=samples.read(folder.samples),
        log=log_tail(project, run.id, log_lines),
        recipe=[line.partition(" ")[2].strip() for line in lines if line.startswith("recipe ")],
        newest=newest,
    )


def in_order(found: dict[str, list[Point]]) -> list[Curve]:
    """Return curves with their names in words, the most telling first."""
    order = {name: place for place, name in enumerate(CURVES)}
    names = sorted(found.keys() - NOT_CURVES, key=lambda name: (order.get(name, len(order)), name))
    return [Curve(name, CURVES.get(name, name), found[name]) for name in names]


def seconds_left(run: Run, latest: dict[str, Metric]) -> float | None:
    """Return how long a run will take yet, by what it said at its last step; None where that is not known."""
    said = latest.get("eta_seconds")
    if said is None or run.status not in ACTIVE:
        return None
    at = datetime.fromisoformat(said.at)
    if run.started_at and at < datetime.fromisoformat(run.started_at):
        return None  # before it was resumed
    since = datetime.now().astimezone() - at
    return max(0.0, said.value - since.total_seconds())


def speed_in_words(run: Run, latest: dict[str, Metric]) -> str:
    """Say how fast a run goes, or went at its end, and how long it will take yet."""
    parts = [words.format(latest[name].value) for name, words in _SPEED.items() if name in latest]
    left = seconds_left(run, latest)
    return ", ".join([*parts, *([f"{duration(left)} left"] if left is not None else [])])


def machine_in_words(folder: RunFolder, run: Run) -> str:
    """Say what the machine does while a run is on; afterwards it is of no interest."""
    look: Look | None = machine.last(folder.machine) if run.status in ACTIVE else None
    return machine.in_words(look) if look else ""


_SPEED = {
    "tokens_per_second": "{:,.0f} tokens a second",
    "mfu": "{:.1%} of the device's peak",
    "step_seconds": "{:.2f} s a step",
}


def _is_drawn(run: Run, known: RunDetail, newest: Metric | None) -> bool:
    """Tell whether the curves of the last look show all: of a long run a step more changes no point."""
    if newest is None or known.newest is None or newest == known.newest:
        return newest == known.newest
    steps_a_point = newest.step // plotted.POINTS
    return run.status in ACTIVE and 0 <= newest.step - known.newest.step < steps_a_point


def parity_words(run: Run) -> str:
    """Return what is known of whether llama.cpp reads the run's texts as training did."""
    return str(run.result.get("parity") or "not checked")


def parity_badge(run: Run) -> str:
    """Return the same as few words that stand beside a model's name."""
    words = parity_words(run)
    if words.startswith("equal"):
        return f"tokens proven {words.partition(',')[0]}"
    if words.startswith("DIFFERENT:"):
        return f"proof FAILS: {words.partition(': ')[2].partition(';')[0]}"
    return (
        f"tokens DIFFER {words.partition(' ')[2].partition(' texts')[0]} texts"
        if "DIFFER" in words
        else "tokens not checked"
    )
