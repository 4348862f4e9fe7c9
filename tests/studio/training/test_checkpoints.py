"""Checkpoints that are whole or not taken at all, and which of them stay."""

import json
from pathlib import Path

from studio.training.course import checkpoints


def saved(folder: Path, step: int, *, sealed: bool = True) -> Path:
    path = folder / f"checkpoint-{step}"
    (path / "sub").mkdir(parents=True)
    (path / "trainer_state.json").write_text("{}")
    (path / "sub" / "weights").write_bytes(b"w" * 100)
    if sealed:
        checkpoints.seal(path, seconds=1.5 * step)
    return path


def test_only_a_whole_checkpoint_is_taken(tmp_path: Path) -> None:
    whole = saved(tmp_path, 9)
    saved(tmp_path, 10, sealed=False)
    (saved(tmp_path, 11) / "sub" / "weights").write_bytes(b"w" * 99)
    (saved(tmp_path, 12) / "trainer_state.json").unlink()
    (saved(tmp_path, 13) / checkpoints.SEAL).write_text('{"step": 13, "sec')
    assert checkpoints.latest(tmp_path) == whole
    seal = checkpoints.read_seal(whole)
    assert seal is not None
    assert (seal.step, seal.seconds, seal.sizes) == (9, 13.5, {"sub/weights": 100, "trainer_state.json": 2})
    checkpoints.clear_broken(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-9"]


def test_what_an_earlier_version_saved_without_seals_is_taken(tmp_path: Path) -> None:
    for step in (3, 6, 9):
        path = saved(tmp_path, step, sealed=False)
        (path / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    (tmp_path / "checkpoint-9" / "trainer_state.json").write_text('{"global_st')
    (tmp_path / "checkpoint-6" / "sub" / "weights").write_bytes(b"")
    checkpoints.clear_broken(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
    assert checkpoints.latest(tmp_path) == tmp_path / "checkpoint-3"
    # Whoever seals does so always: what is not sealed then was not written to its end.
    path = saved(tmp_path, 12, sealed=False)
    (path / "trainer_state.json").write_text(json.dumps({"global_step": 12}))
    checkpoints.clear_broken(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


def test_a_seal_is_written_anew_where_a_step_is_saved_again(tmp_path: Path) -> None:
    path = saved(tmp_path, 3)
    (path / "more").touch()
    checkpoints.seal(path, seconds=9.0)
    assert json.loads((path / checkpoints.SEAL).read_text())["sizes"].keys() == {
        "more",
        "sub/weights",
        "trainer_state.json",
    }


def test_the_newest_and_the_best_stay(tmp_path: Path) -> None:
    for step in (2, 4, 6, 8, 10):
        saved(tmp_path, step)
    checkpoints.prune(tmp_path, keep=2, best=4)
    assert sorted(map(checkpoints.step_of, tmp_path.iterdir())) == [4, 8, 10]
    checkpoints.prune(tmp_path, keep=1, best=None)
    assert list(map(checkpoints.step_of, tmp_path.iterdir())) == [10]
    assert checkpoints.of_step(tmp_path, 4) is None
    checkpoints.prune(tmp_path, keep=2, best=None)
    assert list(map(checkpoints.step_of, tmp_path.iterdir())) == [10]
    saved(tmp_path, 12)
    checkpoints.prune(tmp_path, keep=0, best=10)
    assert list(map(checkpoints.step_of, tmp_path.iterdir())) == [10]
    assert checkpoints.latest(tmp_path / "absent") is None
