"""A folder as the data files in it, in the order that people expect."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from studio import containers
from studio.errors import StudioError


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"a": 1}\n')


def expanded(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in containers.expand(folder)]


def test_a_file_is_itself(tmp_path: Path) -> None:
    fill(tmp_path, "README.md")
    assert containers.expand(tmp_path / "README.md") == [tmp_path / "README.md"]


def test_data_files_come_in_natural_order_and_nothing_else(tmp_path: Path) -> None:
    fill(
        tmp_path,
        *("part-10.jsonl", "part-2.jsonl", "Part-1.jsonl", "train/b.csv", "train/a.csv", "notes.txt", "\u00b2.json"),
        *("README.md", "README", "LICENSE", "LICENSE.txt", "card.MD", ".hidden", ".git/objects/x.jsonl"),
        *("out.jsonl.manifest.json", "dataset_info.json", "config.yaml"),
    )
    assert expanded(tmp_path) == [
        *("notes.txt", "Part-1.jsonl", "part-2.jsonl", "part-10.jsonl", "train/a.csv", "train/b.csv", "\u00b2.json")
    ]


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "sub/README.md")
    with pytest.raises(StudioError, match="no data files"):
        containers.expand(tmp_path)


def test_links_that_lead_in_circles_come_to_an_end(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.jsonl", "b/2.jsonl", "c/3.jsonl")
    for folder in "abc":
        for other in "abc":
            (tmp_path / folder / f"to-{other}").symlink_to(tmp_path / other)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "linked.jsonl").symlink_to(tmp_path / "a" / "1.jsonl")
    found = containers.expand(tmp_path)
    assert sorted(path.name for path in found) == ["1.jsonl", "2.jsonl", "3.jsonl", "linked.jsonl"]


SAVE = """
import sys
from datasets import Dataset, DatasetDict
rows = Dataset.from_dict({"prompt": [f"p{n}" for n in range(1200)], "label": [n % 2 == 0 for n in range(1200)]})
DatasetDict(train=rows, test=rows.select(range(0, 30, 3))).save_to_disk(sys.argv[1], num_shards={"train": 3, "test": 1})
"""


def test_a_folder_that_datasets_saved_is_read_in_its_order(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    subprocess.run([sys.executable, "-c", SAVE, str(folder)], check=True, capture_output=True)
    (folder / "train" / "cache-1.arrow").write_bytes(b"left over")
    files = expanded(folder)
    assert files == [f"train/data-0000{n}-of-00003.arrow" for n in range(3)] + ["test/data-00000-of-00001.arrow"]
    rows = [row.fields for file in files for row in containers.read(folder / file, containers.sniff(folder / file))]
    assert rows[:1200] == [{"prompt": f"p{n}", "label": n % 2 == 0} for n in range(1200)]
    assert [row["prompt"] for row in rows[1200:] if row] == [f"p{n}" for n in range(0, 30, 3)]
    assert expanded(folder / "test") == ["data-00000-of-00001.arrow"]


def test_a_shard_that_is_named_but_absent_is_said(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-0.arrow"}]}))
    with pytest.raises(StudioError, match=r"lacks data-0\.arrow"):
        containers.expand(tmp_path)


@pytest.mark.parametrize("content", ["not json", "[]", "{}", '{"_data_files": "x"}'])
def test_a_state_of_something_else_is_no_list_of_shards(tmp_path: Path, content) -> None:
    fill(tmp_path, "rows.jsonl")
    (tmp_path / "state.json").write_text(content)
    assert expanded(tmp_path) == ["rows.jsonl"]
