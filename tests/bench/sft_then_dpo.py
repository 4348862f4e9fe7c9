"""DPO alone beside SFT on the better answers and then DPO, on the demo: how well each ranks the held-out pairs.

    python tests/bench/sft_then_dpo.py                   the 64 judged pairs that the demo ships; about 35 minutes
    python tests/bench/sft_then_dpo.py --all             its 200 pairs, with the verdicts that it holds back; two hours
    python tests/bench/sft_then_dpo.py --all --set epochs=1        the same, an epoch each; about 40 minutes

Runs are started as `studio train` starts them, with the presets, three seeds each; the times are for two cores. The
split is the project's own, by prompt. An accuracy is the share of held-out pairs whose chosen answer has gained more
than the rejected one, with its 95 % interval over all seeds together; after SFT the reference is the SFT run, as it is
for whoever trains so. Measured are the last weights: the best ones are chosen by the same held-out pairs.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import judged_projects

from store.database import Store
from store.runs import UNENDED, Run
from studio.demo import create_demo
from studio.project import Project
from studio.statistics.shares import wilson
from studio.training.history.watch import sync_run
from studio.training.launch import start_run

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Measured:
    """What a way of training came to, with one seed."""

    accuracy: float
    margin: float
    loss: float
    rows: int
    seconds: float


def main() -> None:
    """Train each way with each seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--all", action="store_true", help="with the verdicts that the demo holds back")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    ways: dict[str, list[Measured]] = {"DPO": [], "SFT, then DPO": []}
    with tempfile.TemporaryDirectory() as folder:
        project = (
            judged_projects.demo(Path(folder) / "demo") if arguments.all else create_demo(Path(folder) / "demo").project
        )
        with project.open_store() as store:
            for seed in arguments.seeds:
                same = ["general_text=false", "samples=0", "keep_best=false", "evaluations=1"]
                overrides = [f"seed={seed}", *same, *arguments.overrides]
                ways["DPO"].append(measured(trained(project, store, "dpo", overrides)))
                first = trained(project, store, "sft", [*overrides, "answers=chosen"])
                then = measured(trained(project, store, "dpo", overrides, parent=first.id))
                ways["SFT, then DPO"].append(then)
                for way, found in ways.items():
                    print(f"seed {seed}, {way}: {found[-1]}", flush=True)
    print("\n| way | held-out accuracy by seed | together (95 %) | margin | held-out loss | seconds |")
    print("|---|---|---|---|---|---|")
    for way, found in ways.items():
        print(row(way, found))


def trained(project: Project, store: Store, method: str, overrides: list[str], parent: str | None = None) -> Run:
    """Start a run and wait for its end."""
    run_id = start_run(project, store, method, overrides=overrides, parent=parent)
    while (run := sync_run(project, store, run_id)).status in UNENDED:
        time.sleep(POLL_SECONDS)
    if run.status != "done":
        raise SystemExit(f"{run_id} is {run.status}: {run.error}")
    return run


def measured(run: Run) -> Measured:
    """Return what a run found on the held-out pairs."""
    found = run.result
    return Measured(
        *(found[name] for name in ("held_out_accuracy", "held_out_margin", "held_out_loss", "held_out_rows", "seconds"))
    )


def row(way: str, found: list[Measured]) -> str:
    """Return a way's line of the table."""

    def mean(name: str) -> float:
        return float(sum(getattr(each, name) for each in found)) / len(found)

    rows = sum(each.rows for each in found)
    together = wilson(sum(round(each.accuracy * each.rows) for each in found), rows)
    by_seed = ", ".join(f"{each.accuracy:.2f}" for each in found)
    return f"| {way} | {by_seed} | {together} | {mean('margin'):.2f} | {mean('loss'):.3f} | {mean('seconds'):.0f} |"


if __name__ == "__main__":
    main()
