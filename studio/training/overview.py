"""What is shown of the runs: a line a run, and of one run its facts, its curves and its log's end."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from store import runs
from store.database import Store
from store.runs import ACTIVE, Run
from studio.project import Project
from studio.training.folder import RunFolder, read_status
from studio.training.watch import describe_progress, describe_run, log_tail, sync_all

CURVES: tuple[tuple[str, str], ...] = (
    ("loss", "training loss"),
    ("eval_loss", "held-out loss"),
    ("rewards/margins", "reward margin"),
    ("eval_rewards/accuracies", "held-out accuracy"),
    ("rewards/accuracies", "reward accuracy"),
    ("mean_token_accuracy", "token accuracy"),
    ("eval_mean_token_accuracy", "held-out token accuracy"),
)
"""The metrics that are worth a plot, the most telling first, with their names in words."""


@dataclass(frozen=True)
class RunLine:
    """One run in the list."""

    run: Run
    progress: str
    share: float | None
    """How much of its steps is done; None where that is not known."""

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

    run_id: str
    facts: list[str]
    curves: list[tuple[str, list[tuple[int, float]]]]
    """A plot's title and its points, step and value."""
    log: list[str]
    recipe: list[str]


@dataclass(frozen=True)
class Overview:
    """All runs, newest first, and the one that is looked at."""

    lines: list[RunLine]
    detail: RunDetail | None
    died: list[Run] = field(default_factory=list)
    """Runs that were found dead at this look."""


def overview(
    project: Project, store: Store, selected: str | None, *, log_lines: int = 30, known: Sequence[RunLine] = ()
) -> Overview:
    """Look at every run's folder and return what there is to show; the newest run where none is selected.

    Args:
        project: whose runs.
        store: takes over what the folders say.
        selected: the run that is shown in full.
        log_lines: how much of its log.
        known: the lines of the last look; those of runs that have ended since are not worked out again.
    """
    before = {run.id: run.status for run in runs.all_runs(store)}
    found = sync_all(project, store)
    died = [run for run in found if run.status == "failed" and before.get(run.id) in ACTIVE]
    chosen = next((run for run in found if run.id == selected), found[0] if found else None)
    ended = {line.run.id: line for line in known if line.run.status not in ACTIVE}
    lines = [
        ended[run.id] if run.id in ended and ended[run.id].run == run else run_line(project, store, run)
        for run in found
    ]
    return Overview(lines, run_detail(project, store, chosen, log_lines=log_lines) if chosen else None, died)


def run_line(project: Project, store: Store, run: Run) -> RunLine:
    """Return a run as the list shows it."""
    status = read_status(RunFolder(project.runs / run.id))
    share = status.step / status.total_steps if status and status.total_steps else None
    return RunLine(run, describe_progress(project, store, run), share)


def run_detail(project: Project, store: Store, run: Run, *, log_lines: int) -> RunDetail:
    """Return all about a run."""
    series = runs.metrics(store, run.id)
    curves = [(title, [(m.step, m.value) for m in series[name]]) for name, title in CURVES if name in series]
    lines = describe_run(project, store, run)
    recipe = [line.partition(" ")[2].strip() for line in lines if line.startswith("recipe ")]
    facts = [line for line in lines if not line.startswith("recipe ")]
    return RunDetail(run.id, facts, curves, log_tail(project, run.id, log_lines), recipe)


def parity_words(run: Run) -> str:
    """Return what is known of whether llama.cpp reads the run's texts as training did."""
    return str(run.result.get("parity") or "not checked")


def parity_badge(run: Run) -> str:
    """Return the same as few words that stand beside a model's name."""
    words = parity_words(run)
    if words.startswith("equal"):
        return f"tokens proven {words.partition(',')[0]}"
    return (
        f"tokens DIFFER {words.partition(' ')[2].partition(' texts')[0]} texts"
        if "DIFFER" in words
        else "tokens not checked"
    )
