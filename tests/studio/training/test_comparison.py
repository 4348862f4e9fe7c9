"""Runs side by side."""

import pytest

from store import runs, snapshots
from store.database import Store
from store.errors import MissingRowError
from store.runs import Metric
from store.snapshots import Snapshot
from studio.errors import StudioError
from studio.project import Project
from studio.training.history.comparison import Line, compare
from studio.training.history.comparison_words import parts
from tests.studio.training.ended_runs import made


def test_only_settings_that_differ_are_named(project: Project, store: Store) -> None:
    one = made(project, store, changes=["learning_rate=1e-4", "beta=0.1"], result={"held_out_accuracy": 0.75})
    two = made(project, store, changes=["learning_rate=5e-5", "beta=0.1"], result={"seconds": 12.5})
    found = compare(project, store, [one.id, two.id])
    assert [run.id for run in found.runs] == [one.id, two.id]
    assert found.recipe == [Line("learning_rate", ("0.0001", "5e-05"))]
    assert found.results == [Line("held_out_accuracy", ("0.75", "")), Line("seconds", ("", "12.5"))]
    assert Line("base model", ("smollm2", "smollm2")) in found.origin
    assert not found.cautions


def test_settings_of_another_method_are_no_difference_of_value(project: Project, store: Store) -> None:
    one, two = made(project, store, "sft"), made(project, store, "dpo", ["learning_rate=2e-4"])
    found = compare(project, store, [one.id, two.id])
    assert Line("beta", ("", "0.1")) in found.recipe
    assert Line("loss_on", ("completion", "")) in found.recipe
    assert "learning_rate" not in [line.name for line in found.recipe]
    assert any("different losses" in sentence for sentence in found.cautions)


def test_a_run_of_an_earlier_version_has_todays_defaults(project: Project, store: Store) -> None:
    new = made(project, store)
    with store.transaction() as connection:
        connection.execute("UPDATE run SET recipe = json_remove(recipe, '$.fast', '$.replay')")
    other = made(project, store)
    assert compare(project, store, [new.id, other.id]).recipe == []


def test_rows_that_one_run_alone_has_are_counted_and_named(project: Project, store: Store) -> None:
    one = made(project, store, train=range(1, 9))
    same = made(project, store, train=range(1, 9))
    other = made(project, store, train=range(3, 21))
    train, held_out = compare(project, store, [one.id, other.id]).data
    assert (train.split, train.shared, train.counts, train.alone) == ("train", 6, (8, 18), (2, 12))
    assert train.examples == ((1, 2), (9, 10, 11, 12, 13))
    assert (held_out.split, held_out.shared, held_out.alone) == ("validation", 4, (0, 0))
    three = compare(project, store, [one.id, same.id, other.id]).data[0]
    assert (three.shared, three.alone) == (6, (0, 0, 12)), "what two have is of none alone"
    assert compare(project, store, [one.id, same.id]).data[0].alone == (0, 0)


def test_of_rows_that_are_not_known_here_none_are_called_the_same(project: Project, store: Store) -> None:
    ours, same = made(project, store), made(project, store)
    snapshots.save(store, Snapshot("foreign", "preference", [], "of another project", {"train": 80}))
    foreign = [
        runs.add(store, method="dpo", base_model="m", base_hash="h", snapshot_id="foreign", recipe=ours.recipe)
        for _ in range(2)
    ]
    for run_id in foreign:
        runs.update(store, run_id, status="done")
    alone = compare(project, store, foreign)
    assert (alone.data, alone.unknown) == ([], foreign)
    assert parts(alone, widest=40)[-1].lines[0] == (
        f"  The rows of {', '.join(foreign)} are not this project's and can't be compared."
    )
    beside = compare(project, store, [ours.id, foreign[0]])
    assert (beside.data, beside.unknown) == ([], foreign[:1])
    three = parts(compare(project, store, [foreign[0], ours.id, same.id]), widest=40)[-1].lines
    assert three[0] == "  train: the same 8 rows"


def test_what_keeps_figures_apart_is_said(project: Project, store: Store) -> None:
    one = made(project, store, held_out=[100, 101])
    two = made(project, store, train=[1, 2, 100], held_out=[101, 102], base_hash="other")
    said = " ".join(compare(project, store, [one.id, two.id]).cautions)
    assert "held-out rows differ" in said
    assert f"{two.id} was trained on 1 rows that are held out in {one.id}" in said
    assert "base models differ" in said
    assert "different losses" not in said


@pytest.mark.parametrize(
    ("method", "setting", "first", "second"),
    [
        ("sft", "loss_on", "completion", "conversation"),
        ("dpo", "beta", "0.1", "0.5"),
        ("dpo", "sft_weight", "0", "0.2"),
        ("kto", "desirable_weight", "1", "2"),
    ],
)
def test_settings_that_move_the_loss_to_another_scale_are_said(
    project: Project, store: Store, method: str, setting: str, first: str, second: str
) -> None:
    one, same, other = (made(project, store, method, [f"{setting}={value}"]) for value in (first, first, second))
    [said] = compare(project, store, [one.id, other.id]).cautions
    assert f"They differ in {setting}, so that losses and rewards stand on different scales" in said
    assert compare(project, store, [one.id, same.id]).cautions == []


def test_a_length_moves_the_loss_where_it_cuts_rows(project: Project, store: Store) -> None:
    one, other = (made(project, store, changes=[f"max_length={length}"]) for length in (512, 1024))
    assert compare(project, store, [one.id, other.id]).cautions == []
    cut = made(project, store, changes=["max_length=256"], result={"rows_cut": 3})
    [said] = compare(project, store, [one.id, cut.id]).cautions
    assert "They differ in max_length" in said


def test_answers_of_a_teacher_are_learnt_by_the_loss_of_examples(project: Project, store: Store) -> None:
    one, other = made(project, store, "sft"), made(project, store, "distill")
    assert not compare(project, store, [one.id, other.id]).cautions


def test_curves_lie_over_each_other(project: Project, store: Store) -> None:
    one, two = made(project, store, steps=2), made(project, store, steps=3)
    runs.add_metrics(store, two.id, [Metric("rewards/margins", 1, 0.5, "t"), Metric("eta_seconds", 1, 5.0, "t")])
    loss, margin = compare(project, store, [one.id, two.id]).curves
    assert (loss.name, loss.title) == ("loss", "training loss")
    assert loss.points[one.id] == [(1, 1.0), (2, 0.5)]
    assert len(loss.points[two.id]) == 3
    assert margin.points == {two.id: [(1, 0.5)]}


def test_one_run_is_no_comparison(project: Project, store: Store) -> None:
    one = made(project, store)
    with pytest.raises(StudioError, match="Two different runs"):
        compare(project, store, [one.id, one.id])
    with pytest.raises(MissingRowError):
        compare(project, store, [one.id, "dpo-99"])
