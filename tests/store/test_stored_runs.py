"""Runs, metrics, chats and the state of the screens, as they are stored."""

import pytest

from store import chats, interface_state, runs, snapshots
from store.chats import ChatTurn
from store.database import Store
from store.errors import MissingRowError
from store.runs import Metric
from store.snapshots import Snapshot


def add(store: Store, method: str = "dpo", **more) -> str:
    snapshots.save(store, Snapshot("abc", "preference", []))
    return runs.add(
        store, method=method, base_model="smollm2", base_hash="h", snapshot_id="abc", recipe={"rate": 1e-4}, **more
    )


def test_runs_are_numbered_through(store) -> None:
    assert [add(store, "sft"), add(store), add(store, "sft")] == ["sft-1", "dpo-2", "sft-3"]
    assert [run.id for run in runs.all_runs(store)] == ["sft-3", "dpo-2", "sft-1"]


def test_a_run_begins_with_its_recipe(store) -> None:
    first = add(store, "sft")
    run = runs.get(store, add(store, parent_id=first))
    assert (run.status, run.recipe, run.parent_id, run.base_hash) == ("starting", {"rate": 1e-4}, first, "h")
    assert (run.pid, run.error, run.result, run.started_at, run.ended_at) == (None, None, {}, None, None)


def test_an_update_keeps_what_it_does_not_tell(store) -> None:
    run_id = add(store)
    runs.update(store, run_id, status="running", pid=7, pid_started=1.5, started_at="then")
    runs.update(store, run_id, status="failed", error="out of memory")
    run = runs.get(store, run_id)
    assert (run.status, run.pid, run.pid_started, run.started_at) == ("failed", 7, 1.5, "then")
    assert run.error == "out of memory"
    runs.update(store, run_id, status="done", result={"loss": 0.5}, ended_at="now")
    run = runs.get(store, run_id)
    assert (run.status, run.error, run.result, run.ended_at) == ("done", None, {"loss": 0.5}, "now")


def test_a_step_that_is_told_again_takes_the_newer_value(store) -> None:
    run_id, other = add(store), add(store)
    runs.add_metrics(store, run_id, [Metric("loss", step, 2.0 - step / 10, "t1") for step in (1, 2, 3)])
    runs.add_metrics(store, run_id, [Metric("loss", 3, 9.0, "t2"), Metric("loss", 4, 8.0, "t2")])
    runs.add_metrics(store, run_id, [Metric("eval_loss", 2, 1.0, "t2")])
    runs.add_metrics(store, other, [Metric("loss", 1, 0.0, "t1")])
    series = runs.metrics(store, run_id)
    assert [(m.step, m.value, m.at) for m in series["loss"]] == [
        (1, 1.9, "t1"),
        (2, 1.8, "t1"),
        (3, 9.0, "t2"),
        (4, 8.0, "t2"),
    ]
    assert series["eval_loss"] == [Metric("eval_loss", 2, 1.0, "t2")]
    assert runs.metrics(store, "dpo-9") == {}


def test_metrics_of_no_run_are_refused_whole(store) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        runs.add_metrics(store, "dpo-9", [Metric("loss", 1, 1.0, "t")])
    assert runs.metrics(store, "dpo-9") == {}


def test_an_unknown_run_is_named_with_what_to_do(store) -> None:
    with pytest.raises(MissingRowError, match=r"no run 'dpo-9'.*studio runs"):
        runs.get(store, "dpo-9")


def test_a_chat_keeps_its_turns_in_order(store) -> None:
    assert chats.latest(store) is None
    first, second = chats.start(store, "Greetings"), chats.start(store)
    chats.add_turn(store, first, "user", "Hello \U0001f98a\0")
    chats.add_turn(store, second, "user", "Else")
    chats.add_turn(store, first, "assistant", "Hi", model="dpo-1", stats={"tokens": 2})
    assert chats.turns(store, first) == [
        ChatTurn(1, "user", "Hello \U0001f98a\0"),
        ChatTurn(3, "assistant", "Hi", "dpo-1", {"tokens": 2}),
    ]
    assert chats.latest(store) == second


def test_screens_find_what_they_left(store) -> None:
    assert interface_state.recall(store, "data") is None
    assert interface_state.recall(store, "data", {"row": 0}) == {"row": 0}
    for row in (3, 4):
        interface_state.remember(store, "data", {"row": row, "search": 'fox "'})
    assert interface_state.recall(store, "data") == {"row": 4, "search": 'fox "'}
