"""A run as it is planned before it is started: rows, findings, memory, time."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from store import runs
from store.database import Store
from studio.cli import cli
from studio.errors import StudioError
from studio.importing import import_file
from studio.lint.run import lint
from studio.project import Project
from studio.training import plan
from studio.training.launch import start_run, stop_run
from studio.training.plan import findings, timing
from studio.training.plan.batch import Request, read_batch
from studio.training.plan.facts import Change, Finding, Plan
from studio.training.plan.memory import Machine
from studio.training.plan.question import Question
from studio.training.plan.reading import plan_of
from studio.training.plan.worker import answer
from studio.training.trainer.trainers import make_trainer

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("planning")]

Make = Callable[..., Plan]

HERE = ("device=cpu", "dtype=fp32", "general_text=false")


@pytest.fixture
def make(judged: Project, tiny_model: Path) -> Make:
    """Plans a run of the judged pairs with the tiny model, in this process."""

    def planned(*overrides: str) -> Plan:
        question = Question("dpo", (*HERE, *overrides), str(tiny_model))
        return plan_of(orjson.loads(orjson.dumps(answer(judged.folder, asdict(question)))))

    return planned


def blocking(found: Plan) -> list[Finding]:
    return [each for each in found.findings if each.level == "blocks"]


def test_a_plan_says_what_would_be_trained_and_how_long_it_takes(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    found = plan.make(judged, store, "dpo", [*HERE, "epochs=2"], str(tiny_model), timed=True)
    assert found is not None
    rows = found.rows
    assert rows.kept == rows.train > rows.held_out > 0
    assert 0 < rows.learnt < rows.tokens
    assert found.effective_batch == 2, "the preset for so few rows"
    assert found.steps == 2 * -(-rows.kept // 2)
    assert not blocking(found)
    assert found.memory is not None
    assert found.memory.fits
    assert found.changes == ()
    assert found.memory.needed == sum(part.size for part in found.memory.parts)
    assert found.timed is not None
    times = dict(found.timed.parts)
    assert times["training"] == pytest.approx(found.timed.seconds_a_step * found.steps)
    assert found.timed.seconds == pytest.approx(sum(times.values()))
    assert found.timed.peak == pytest.approx(found.memory.needed, rel=0.15)
    said = "\n".join(plan.lines(found))
    assert f"{rows.kept} rows to train on" in said
    assert "studio lint" in said, "the checks were never run here"


def test_the_longest_rows_are_timed_first_whatever_the_method(
    judged: Project, store: Store, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {"role": "assistant", "content": "It left on Monday, and will be there on Friday. " * 12}
    row = {"prompt": [{"role": "user", "content": "Who?"}], "completion": [long], "label": True}
    others = [{**row, "completion": [{**long, "content": f"It left {n}."}], "label": n % 2 == 0} for n in range(16)]
    path = judged.folder / "unpaired.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, [*[row] * 2, *others])))
    import_file(judged, store, path)
    taken: list[int] = []

    def seen(*given: Any, **named: Any) -> Any:
        trainer = make_trainer(*given, **named)
        taken.extend(map(len, trainer.train_dataset["completion_ids"]))
        return trainer

    monkeypatch.setattr(timing, "make_trainer", seen)
    question = Question("kto", (*HERE, "batch_size=2", "gradient_accumulation=1"), str(tiny_model), timed=True)
    found = plan_of(orjson.loads(orjson.dumps(answer(judged.folder, asdict(question)))))
    warm = timing.WARM_STEPS * 2
    assert min(taken[:warm]) >= max(taken[warm:])
    assert found.timed is not None
    names = [name for name, _ in found.timed.parts]
    assert "the base model's log-probabilities" in names
    assert "measuring the held-out rows" in names


def test_a_disk_that_is_too_small_blocks(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(findings.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    [small] = blocking(make("keep_checkpoints=2"))
    assert "for 4 checkpoints of" in small.sentence
    assert "keep_checkpoints=1" in small.hint


def test_rows_that_are_too_long_block_where_most_of_them_are(make: Make) -> None:
    found = make("max_length=40")
    assert found.rows.cut + found.rows.dropped > found.rows.train / 2
    [longer] = blocking(found)
    assert "max_length=40" in longer.sentence
    nothing = make("max_length=4")
    assert nothing.rows.kept == 0
    assert nothing.memory is None


def test_what_the_checks_found_in_the_rows_is_said(judged: Project, store: Store, make: Make) -> None:
    answer = [{"role": "assistant", "content": "It left. [Your Name]"}]
    row = {
        "prompt": [{"role": "user", "content": "Who?"}],
        "chosen": answer,
        "rejected": [{**answer[0], "content": "x"}],
    }
    path = judged.folder / "more.jsonl"
    path.write_bytes(orjson.dumps(row))
    import_file(judged, store, path)
    lint(judged, store, workers=1)
    found = {finding.check: finding for finding in make().findings}
    assert found["placeholder"].rows == 1
    assert found["placeholder"].level == "warns"


def test_errors_in_many_rows_stop_a_start_unless_it_is_wanted_so(
    judged: Project, store: Store, tiny_model: Path
) -> None:
    answer = {"role": "assistant", "content": "Dear {{customer_name}}, it left <|im_start|>assistant"}
    rows = [
        {
            "prompt": [{"role": "user", "content": f"Who {n}?"}],
            "chosen": [answer],
            "rejected": [{"role": "assistant", "content": "x"}],
        }
        for n in range(12)
    ]
    path = judged.folder / "more.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    import_file(judged, store, path)
    lint(judged, store, workers=1)
    with pytest.raises(StudioError, match="The checks found errors in what would be learnt: 12 of 36 examples"):
        start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*HERE])
    assert runs.all_runs(store) == []
    run_id = start_run(judged, store, "dpo", model=str(tiny_model), overrides=[*HERE], despite_findings=True)
    stop_run(judged, store, run_id)


def test_what_can_not_be_made_to_fit_is_not_started(
    judged: Project, store: Store, make: Make, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.training.plan.worker.machine_of", lambda _: Machine("cpu", False, 1 << 20))
    found = make()
    plan.check_fits(replace(found, changes=(Change(("batch_size=1",), "fewer rows", 1 << 19),)))
    monkeypatch.setattr(plan, "make", lambda *_, **__: found)
    words = ["train", "dpo", "--fit", "--model", str(tiny_model), "--project", str(judged.folder)]
    with pytest.raises(StudioError, match=r"No change of the recipe lets the run fit: about .* needed, 0\.0 GB free"):
        CliRunner().invoke(cli, words, catch_exceptions=False)
    assert runs.all_runs(store) == []
    shown = CliRunner().invoke(cli, [*words, "--plan"], catch_exceptions=False)
    assert "which does not fit" in shown.stdout


def test_a_project_without_rows_is_planned_too(project: Project, tiny_model: Path) -> None:
    found = plan_of(dict(answer(project.folder, asdict(Question("sft", HERE, str(tiny_model))))))
    assert blocking(found)
    assert "examples with an answer" in found.findings[0].sentence
    assert found.memory is None


def test_what_can_not_be_is_said_as_a_start_says_it(judged: Project, store: Store, tiny_model: Path) -> None:
    with pytest.raises(StudioError, match="can't be 'lots'"):
        plan.make(judged, store, "dpo", ["loss=lots"], str(tiny_model))
    assert plan.make(judged, store, "dpo", [], str(tiny_model), cancelled=lambda: True) is None


def test_the_first_batch_is_told_on_the_command_line(judged: Project, tiny_model: Path) -> None:
    words = ["train", "dpo", "--plan", "--batch", "--model", str(tiny_model), "--project", str(judged.folder)]
    words += [word for change in (*HERE, "batch_size=2") for word in ("--set", change)]
    told = CliRunner().invoke(cli, words, catch_exceptions=False).stdout
    assert "The first batch of a run, dpo" in told
    answers = [text for text in told.split("\u27e6")[1:] if "\u27e7" in text]
    assert len(answers) == 4, "two pairs, of each both answers"
    assert "<|im_start|>assistant" in told.partition("\u27e6")[0], "the prompt is not learnt"
    found = orjson.loads(CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False).stdout)
    [row] = found["batch"]["rows"]
    assert sum(row["trained"]) > 0
    assert found["rows"]["kept"] == found["batch"]["examples_in_all"]


def test_a_plan_is_told_also_where_there_is_no_batch(judged: Project, tiny_model: Path) -> None:
    words = ["train", "sft", "--plan", "--batch", "--model", str(tiny_model), "--project", str(judged.folder)]
    told = CliRunner().invoke(cli, words, catch_exceptions=False).stdout
    assert "blocks: There are 0 examples with an answer" in told
    assert "no first batch: " in told


def test_the_first_batch_is_that_of_the_planned_run(judged: Project, make: Make, tiny_model: Path) -> None:
    found = make()
    request = Request("dpo", (), ("batch_size=2",), model=str(tiny_model))
    batch = read_batch(judged.folder, request, lambda: False)
    assert batch is not None
    assert batch.batch_size == 2
    assert batch.examples_in_all == found.rows.kept
