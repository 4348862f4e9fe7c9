"""Companion files: what a tool needs beside an export, merged into what is there, never over what is not ours."""

import json
import stat
from pathlib import Path

import pytest
import yaml

from store.database import Store
from studio.errors import StudioError
from studio.exporting import export
from studio.importing import import_file
from studio.manifests import manifest_of
from studio.project import Project


@pytest.fixture
def judged(project: Project, store: Store, tmp_path: Path) -> Store:
    """Six judged pairs."""
    path = tmp_path / "rows.jsonl"
    rows = [{"prompt": f"Q{n}", "chosen": "good", "rejected": "bad"} for n in range(6)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "exports"
    made.mkdir()
    return made


def test_other_entries_stay_and_ours_is_replaced(project, judged, folder) -> None:
    info = folder / "dataset_info.json"
    others = {"identity": {"file_name": "identity.json"}, "\u00e4": {"hf_hub_url": "x/y"}}
    info.write_text(json.dumps(others))
    info.chmod(0o644)
    for name in ("one.json", "two.json", "one.json"):
        report = export(project, judged, "llamafactory-ranking", folder / name)
    assert report.companion == str(info)
    found = json.loads(info.read_text(encoding="utf-8"))
    assert list(found) == ["identity", "\u00e4", "one", "two"]
    assert {name: found[name] for name in others} == others
    assert found["one"]["file_name"] == "one.json"
    assert found["one"]["ranking"] is True
    assert stat.S_IMODE(info.stat().st_mode) == 0o644
    manifest = json.loads(manifest_of(folder / "one.json").read_text())
    assert manifest["companion"]["file"] == "dataset_info.json"


def test_an_entry_is_named_with_the_columns_that_the_rows_have(project, judged, folder) -> None:
    export(project, judged, "llamafactory-ranking", folder / "one.json")
    columns = json.loads((folder / "dataset_info.json").read_text())["one"]["columns"]
    assert set(columns.values()) <= set(json.loads((folder / "one.json").read_text())[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not JSON", "can't be read as JSON"),
        ("[]", "can't be read as JSON"),
        ('{"one": {"file_name": "mine.json"}}', "has an entry 'one' already"),
        ('{"one": 1}', "has an entry 'one' already"),
    ],
)
def test_what_is_not_ours_is_never_overwritten(project, judged, folder, content, message) -> None:
    info = folder / "dataset_info.json"
    info.write_text(content)
    with pytest.raises(StudioError, match=message):
        export(project, judged, "llamafactory-ranking", folder / "one.json")
    assert [path.name for path in folder.iterdir()] == ["dataset_info.json"]
    assert info.read_text() == content


def test_a_configuration_of_its_own_gives_way_only_as_we_left_it(project, judged, folder) -> None:
    out = folder / "one.jsonl"
    export(project, judged, "axolotl-dpo", out)
    snippet = folder / "one.jsonl.axolotl.yaml"
    assert yaml.safe_load(snippet.read_text())["datasets"][0]["path"] == "one.jsonl"
    export(project, judged, "axolotl-dpo", out, split="train")
    snippet.write_text("mine: 1\n")
    with pytest.raises(StudioError, match="is not as an export left it"):
        export(project, judged, "axolotl-dpo", out)
    assert snippet.read_text() == "mine: 1\n"
