"""`studio runs` and `studio delete`: what they print and do."""

import json

from click.testing import CliRunner, Result

from store import runs
from store.database import Store
from studio.cli import cli
from studio.errors import StudioError
from studio.project import Project
from studio.training.folder import RunFolder
from studio.training.watching import machine, samples
from studio.training.watching.machine import Look
from studio.training.watching.samples import Sample
from tests.studio.training.ended_runs import made


def studio(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--project", str(project.folder)])


def printed(project: Project, *arguments: str) -> str:
    result = studio(project, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_list_of_runs(project: Project, store: Store) -> None:
    assert "No runs yet" in printed(project, "runs")
    run = made(project, store)
    runs.describe(store, run.id, name="first try", tags=["good"])
    line = printed(project, "runs")
    assert line.startswith("dpo-1      done      smollm2")
    assert "first try, #good, loss 0.333" in line
    (entry,) = json.loads(printed(project, "runs", "--json"))
    assert (entry["id"], entry["tags"], entry["progress"], entry["seconds_left"]) == (
        "dpo-1",
        ["good"],
        "loss 0.333",
        None,
    )


def test_a_run_that_waits_is_taken_out_of_the_queue(project: Project, store: Store) -> None:
    run = made(project, store)
    runs.update(store, run.id, status="queued")
    said = printed(project, "stop", run.id)
    assert said == f"{run.id} waits no more; `studio resume {run.id}` puts it back, at the end.\n"
    assert runs.get(store, run.id).status == "stopped"


def test_one_run_with_all_that_is_known_of_it(project: Project, store: Store) -> None:
    parent = made(project, store, "sft")
    run = made(project, store, parent=parent.id, result={"general_warning": "It forgets."})
    folder = RunFolder(project.runs / run.id)
    samples.append(
        folder.samples, [Sample(step, "t", 7, "Who\nare you?", f"Answer {step}.", step > 0) for step in (0, 3)]
    )
    machine.append(folder.machine, Look("t", 0.5, 1.5, 1, 2, 3))
    text = printed(project, "runs", run.id)
    assert "went on from" not in text
    assert "going on from sft-1" in text
    assert "warning    It forgets." in text
    assert "asked      Who are you?\n  step 3   Answer 3.\n" in text
    assert "Answer 0" not in text
    document = json.loads(printed(project, "runs", run.id, "--json"))
    assert [entry["value"] for entry in document["metrics"]["loss"]] == [1, 0.5, 1 / 3]
    assert document["machine"]["processor"] == 0.5
    assert [sample["reply"] for sample in document["samples"]] == ["Answer 0.", "Answer 3."]
    assert (document["went_on_from"], document["children"], document["seconds_left"]) == (["sft-1"], [], None)
    assert document["run"]["id"] == run.id


def test_several_runs_are_compared(project: Project, store: Store) -> None:
    one = made(project, store, changes=["epochs=1"], result={"held_out_loss": 0.5, "parity": "a long sentence " * 9})
    two = made(project, store, changes=["epochs=2"], train=range(3, 9), result={"held_out_loss": 0.25})
    text = printed(project, "runs", one.id, two.id)
    rows = {tuple(line.split()) for line in text.splitlines()}
    assert ("epochs", "1", "2") in rows
    assert ("held_out_loss", "0.5", "0.25") in rows
    assert "train: 6 rows in all of them; 2 in dpo-1 alone (of examples 1, 2); 0 in dpo-2 alone" in text
    assert "validation: the same 4 rows" in text
    assert max(map(len, text.splitlines())) < 120
    document = json.loads(printed(project, "runs", one.id, two.id, "--json"))
    assert document["recipe"] == [["epochs", ["1", "2"]]]


def test_what_a_run_is_called_can_be_said(project: Project, store: Store) -> None:
    run = made(project, store)
    printed(project, "runs", run.id, "--name", "second", "--note", "less beta", "--tag", "good", "--tag", "short")
    kept = runs.get(store, run.id)
    assert (kept.name, kept.note, kept.tags) == ("second", "less beta", ("good", "short"))
    printed(project, "runs", run.id, "--untag", "good", "--note", "")
    kept = runs.get(store, run.id)
    assert (kept.name, kept.note, kept.tags) == ("second", "", ("short",))
    result = studio(project, "runs", "--name", "nobody")
    assert isinstance(result.exception, StudioError)
    assert "one run" in str(result.exception)


def test_the_tree_of_runs(project: Project, store: Store) -> None:
    parent, _ = made(project, store, "sft"), made(project, store, "sft")
    made(project, store, parent=parent.id)
    assert printed(project, "runs", "--tree") == "sft-1, done\n└ dpo-3, done\nsft-2, done\n"
    assert printed(project, "runs", "dpo-3", "--tree") == "sft-1, done\n└ dpo-3, done\n"
    assert json.loads(printed(project, "runs", "--tree", "--json"))[1] == {"run": "dpo-3", "parent": "sft-1"}


def test_deleting_asks_with_the_size(project: Project, store: Store) -> None:
    run = made(project, store)
    result = studio(project, "delete", run.id)
    assert isinstance(result.exception, StudioError), "nobody is there to say yes"
    assert "0.1 MB" in str(result.exception)
    assert runs.get(store, run.id)
    assert "Deleted dpo-1 and its files, 0.1 MB." in printed(project, "delete", run.id, "--yes")
    assert runs.all_runs(store) == []
