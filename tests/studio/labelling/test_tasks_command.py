"""`studio tasks`: every queue with how far it is."""

import json

from click.testing import CliRunner

from store import examples, journal, pairs, responses
from studio.cli import cli


def test_each_queue_is_listed_with_how_far_it_is(project, store) -> None:
    with (project.folder / "studio.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[tasks]]\nname = "tone"\norder = "random"\nplanned = 2\n\n[[tasks]]\nname = "tests"\n')
        file.write('query = "split:test"\n')
    for number in range(3):
        prompt = [{"role": "user", "content": f"Question {number}"}]
        example = examples.add(store, record_id=None, messages=prompt, split="train" if number else "test")
        ids = [responses.add(store, example, [{"role": "assistant", "content": text}], origin="file") for text in "ab"]
        pairs.add_pair(store, example, *ids, seed=number)
    journal.judge(store, pairs.get(store, 1), "left", rater=project.rater, task="tone")
    said = CliRunner().invoke(cli, ["tasks", "--project", str(project.folder)]).output.splitlines()
    assert [line.split("  ")[0].strip() for line in said] == ["tone", "tests"]
    assert "1 of 2 done" in said[0]
    assert "1 of 1 done" in said[1]
    found = json.loads(CliRunner().invoke(cli, ["tasks", "--json", "--project", str(project.folder)]).output)
    assert [(task["name"], task["order"], task["progress"]["done"]) for task in found] == [
        ("tone", "random", 1),
        ("tests", "imported", 1),
    ]
