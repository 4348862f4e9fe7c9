"""Real and hostile rows in Data and Examples: none breaks a screen, none sends the terminal a command.

`python tests/bench/every_row.py` goes through every row of a file and times it; here it is every so-manieth.
"""

import json
from pathlib import Path

import pytest
from letters import HOSTILE

from store import records
from store.database import Store
from studio.importing import import_file
from studio.project import Project
from tests.bench.every_row import walk_project

ROWS = 25
"""Rows of each file that are looked at, spread over all of it."""

FILES = (
    "banking77_test.csv",
    "gsm8k_example_model_solutions.jsonl",
    "llamafactory_alpaca_en_demo.json",
    "llamafactory_dpo_zh_demo.json",
    "llamafactory_glaive_toolcall_en_demo.json",
    "llamafactory_identity.json",
    "llamafactory_kto_en_demo.json",
    "pandalm_testset_v1.json",
)

CORPUS = {
    **HOSTILE,
    "zeros": "0" * 5_000,
    "a line of 1 MB": "long line " * 100_000,
    "a title": "\x1b]0;owned\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "a device query": "\x1b[6n\x1b[c\x1bP$q\x1b\\\x9c\x90",
    "zero width": "a\u200b\u200c\u200d\u2060\ufeffb" * 50,
    "marks upon marks": "z" + "\u0335\u0489" * 400,
    "markup of a link": "[link=file:///etc/passwd]here[/link] [bold red on white]x[/] \\[b]",
    "line ends": "a\rb\r\nc\u2028d\u2029e\x0bf\x0cg\x85h",
    "tabs": "\t" * 200,
}


@pytest.mark.parametrize("name", FILES)
async def test_rows_of_a_real_file_are_shown(project: Project, store: Store, shared_data: Path, name: str) -> None:
    import_file(project, store, shared_data / name)
    walks = await walk_project(project, max(records.count(store) // ROWS, 1))
    assert walks["data"].rows >= ROWS


async def test_hostile_rows_are_shown(project: Project, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "hostile.jsonl"
    rows = [
        {"prompt": text, "chosen": f"{name}: {text}", "rejected": text, name: [text], text[:200]: name}
        for name, text in CORPUS.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    import_file(project, store, path)
    for _ in range(2):  # the views move on by one in five rows
        walks = await walk_project(project, 1)
        assert {walk.rows for walk in walks.values()} == {len(CORPUS)}
