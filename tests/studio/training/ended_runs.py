"""Runs that look as if they had been trained, without any training."""

from collections.abc import Iterable
from typing import Any

from store import runs, snapshots
from store.database import Store
from store.runs import Metric, Run
from store.snapshots import Snapshot, SnapshotItem
from studio.project import Project
from studio.training.recipe import as_table, make_recipe


def made(
    project: Project,
    store: Store,
    method: str = "dpo",
    changes: Iterable[str] = (),
    *,
    train: Iterable[int] = range(1, 9),
    held_out: Iterable[int] = range(100, 104),
    result: dict[str, Any] | None = None,
    parent: str | None = None,
    base_hash: str = "h",
    steps: int = 3,
    status: Any = "done",
) -> Run:
    """Return a run with a recipe, a snapshot, a curve, results and a folder with a file of 1,000 bytes."""
    train, held_out = list(train), list(held_out)
    items = [SnapshotItem("train", n, 1, n * 10, n * 10 + 1, n) for n in train]
    items += [SnapshotItem("validation", n, 1, n * 10, n * 10 + 1, n) for n in held_out]
    snapshot = Snapshot(f"{train}{held_out}", "preference", items)
    snapshots.save(store, snapshot)
    run_id = runs.add(
        store,
        method=method,
        base_model="smollm2",
        base_hash=base_hash,
        snapshot_id=snapshot.id,
        recipe=as_table(make_recipe(method, list(changes))),
        parent_id=parent,
    )
    runs.add_metrics(
        store, run_id, [Metric("loss", n, 1 / n, f"2026-01-01T00:00:{n:02}+00:00") for n in range(1, steps + 1)]
    )
    runs.update(store, run_id, status=status, result=result)
    folder = project.runs / run_id
    folder.mkdir(parents=True)
    (folder / "adapter.gguf").write_bytes(b"x" * 1000)
    return runs.get(store, run_id)
