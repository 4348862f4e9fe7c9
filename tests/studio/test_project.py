"""Making projects: whole or not at all, and nothing of a person's is written over."""

import stat
from pathlib import Path

import pytest

from store import records
from studio.demo import create_demo, is_unfinished_demo
from studio.errors import StudioError
from studio.project import create_project, is_project, open_project


def test_a_project_is_private_and_opens(tmp_path: Path) -> None:
    project = create_project(tmp_path / "mine")
    assert open_project(project.folder).settings.name == "mine"
    assert stat.S_IMODE(project.database.stat().st_mode) == 0o600
    assert stat.S_IMODE(project.folder.stat().st_mode) == 0o700
    names = {path.name for path in project.folder.iterdir() if not path.name.endswith(("-shm", "-wal"))}
    assert names == {"exports", "findings.db", "runs", "search.db", "studio.db", "studio.toml"}


def test_a_making_that_was_broken_off_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    with monkeypatch.context() as patch:
        patch.setattr("studio.project._create_store", lambda path: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(StudioError, match="No space left"):
            create_project(folder)
    assert not is_project(folder)
    assert is_project(create_project(folder).folder)


def test_settings_that_lie_there_are_kept(tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text('[project]\nname = "by hand"\n', encoding="utf-8")
    with pytest.raises(StudioError, match="holds other settings"):
        create_demo(tmp_path)
    assert create_project(tmp_path).settings.name == "by hand"


def test_a_demo_without_its_emails_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("studio.demo.import_file", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            create_demo(tmp_path / "demo")
    assert is_unfinished_demo(tmp_path / "demo")
    made = create_demo(tmp_path / "demo")
    assert (made.records, made.judged) == (220, 64)
    assert not is_unfinished_demo(tmp_path / "demo")
    with made.project.open_store() as store:
        assert len(records.sources(store)) == 1
