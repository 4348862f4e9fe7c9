"""A run's metrics as they are drawn."""

import pytest

from store import curves, runs, snapshots
from store.database import Store
from store.runs import Metric
from store.snapshots import Snapshot


@pytest.fixture
def run_id(store: Store) -> str:
    snapshots.save(store, Snapshot("abc", "preference", []))
    return runs.add(store, method="dpo", base_model="m", base_hash="h", snapshot_id="abc", recipe={})


def test_the_last_value_of_each_metric(store: Store, run_id: str) -> None:
    assert curves.latest(store, run_id) == {}
    told = [Metric(name, step, float(step), f"t{step}") for name in ("a", "loss", "z") for step in range(1, 12)]
    runs.add_metrics(store, run_id, [*told, Metric("eval_loss", 5, 0.5, "t5")])
    found = curves.latest(store, run_id)
    assert list(found) == ["a", "eval_loss", "loss", "z"]
    assert found["loss"] == Metric("loss", 11, 11.0, "t11")
    assert found["eval_loss"].step == 5
    assert {name: metric.step for name, metric in curves.latest(store, run_id, last=7).items()} == {
        "a": 7,
        "eval_loss": 5,
        "loss": 7,
        "z": 7,
    }
    assert list(curves.latest(store, run_id, last=0)) == []


def test_a_short_curve_is_whole_and_a_long_one_is_made_of_means(store: Store, run_id: str) -> None:
    runs.add_metrics(store, run_id, (Metric("loss", step, float(step), "t") for step in range(1, 1001)))
    runs.add_metrics(store, run_id, [Metric("eval_loss", 500, 2.0, "t")])
    found = curves.curves(store, run_id, points=100)
    assert found["eval_loss"] == [(500, 2.0)]
    assert len(found["loss"]) == 100
    assert found["loss"][0] == (10, 5.5)
    assert found["loss"][-1] == (1000, 995.5)
    assert curves.curves(store, run_id, points=1000)["loss"] == [(step, float(step)) for step in range(1, 1001)]


def test_a_stretch_of_a_curve(store: Store, run_id: str) -> None:
    runs.add_metrics(store, run_id, (Metric("loss", step, float(step), "t") for step in range(1, 1001)))
    found = curves.curves(store, run_id, points=100, first=200, last=203)
    assert found == {"loss": [(step, float(step)) for step in range(200, 204)]}
    assert curves.curves(store, run_id, first=2000) == {}
