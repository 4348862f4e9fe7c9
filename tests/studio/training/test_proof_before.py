"""The proof before a training: of many rows some, and not again where nothing has changed."""

import os
import time
from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from store.database import Store
from studio.inference.proof.conversations import of_run, sample_of_run
from studio.models import resolve
from studio.project import Project
from studio.training.course import proving
from studio.training.course.report import Reporter
from studio.training.folder import RunFolder
from tests.studio.training.going import write_run


def folder_of(tmp_path: Path, lengths: list[int]) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.data.mkdir(parents=True)
    rows = [
        orjson.dumps({"example": n, "messages": [{"role": "user", "content": "x" * length}]})
        for n, length in enumerate(lengths)
    ]
    (folder.data / "train.jsonl").write_bytes(b"\n".join(rows[:-10]) + b"\n")
    (folder.data / "validation.jsonl").write_bytes(b"\n".join(rows[-10:]) + b"\n")
    return folder


def test_of_many_rows_the_longest_and_some_of_all_others_are_taken(tmp_path: Path) -> None:
    lengths = [10] * 200
    lengths[7] = lengths[155] = lengths[195] = 500
    folder = folder_of(tmp_path, lengths)
    everything, note = sample_of_run(folder, 200)
    assert (list(everything), note) == (list(of_run(folder)), "")
    some, note = sample_of_run(folder, 30)
    found = [int(each.label.removeprefix("example ")) for each in some]
    assert note == "30 of 200 rows were taken, the longest and some of all others"
    assert len(found) == len(set(found)) == 30
    assert {7, 155, 195} <= set(found)
    assert found == sorted(found)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert max(gaps) <= 9, "spread evenly"


@pytest.mark.model
@pytest.mark.xdist_group("training")
def test_what_was_proven_is_not_proven_again_where_nothing_has_changed(
    judged: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    given = proving.prove_texts

    def counted(*arguments: object, **named: object) -> object:
        done.append(str(named["note"]))
        return given(*arguments, **named)

    monkeypatch.setattr(proving, "prove_texts", counted)
    monkeypatch.setattr(proving, "MOST_ROWS", 10)
    folder = write_run(judged, store, "dpo", Path("smollm2"))
    reporter, base = Reporter(folder), resolve("smollm2")
    said = proving.before_training(folder, base, reporter)
    assert done == ["10 of 20 rows were taken, the longest and some of all others"]
    assert said.startswith("equal: 20 texts")
    assert done[0] in said
    assert proving.before_training(folder, base, reporter) == said
    assert len(done) == 1
    # What a person has put in its place is not what was compared.
    later = time.time() + 10
    os.utime(folder.data / "train.jsonl", (later, later))
    proving.before_training(folder, base, reporter)
    assert len(done) == 2
