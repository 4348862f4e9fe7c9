"""`studio search`: what it prints, and how it answers mistakes."""

import json
from collections.abc import Callable

import pytest

from store import examples, responses
from studio import searching
from studio.cli import main
from studio.importing import import_file

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(project, store, tmp_path, capfd) -> Run:
    """A function that searches a project of four rows, one of them broken, and gives status and output."""
    path = tmp_path / "rows.jsonl"
    rows = [{"prompt": f"Why {word}?\nTell\x1b[31m", "completion": "Because."} for word in ("fox", "bear", "foxes")]
    path.write_text("\n".join([*map(json.dumps, rows), "{broken fox"]) + "\n")
    import_file(project, store, path)

    def search(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["search", *arguments, "--project", str(project.folder)])
        printed = capfd.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return search


def test_it_prints_ids_places_and_a_line_of_text(run) -> None:
    status, out, err = run("fox", "-tell")
    assert (status, err) == (0, "")
    assert out.splitlines() == ["record 4       rows.jsonl:4  {broken fox", "1 record, 0 examples."]
    lines = run("fox")[1].splitlines()
    assert [line.split()[:3] for line in lines[:-1]] == [
        ["record", "1", "rows.jsonl:1"],
        ["record", "3", "rows.jsonl:3"],
        ["record", "4", "rows.jsonl:4"],
        ["example", "1", "rows.jsonl:1"],
        ["example", "3", "rows.jsonl:3"],
    ]
    assert lines[-1] == "3 records, 2 examples."
    assert "\x1b" not in "".join(lines)


def test_minus_words_are_part_of_the_query(run) -> None:
    assert run("--count", "-has:error", "-fox")[1] == "2 records, 2 examples.\n"
    assert run("-hello", "--count")[1] == "4 records, 3 examples.\n"


def test_one_kind_and_a_limit(run) -> None:
    out = run("fox", "--kind", "record", "--limit", "1")[1]
    assert [line.split()[0] for line in out.splitlines()] == ["record", "3"]


def test_one_json_document(run) -> None:
    status, out, err = run("bear", "--json", "--kind", "example")
    assert (status, err) == (0, "")
    rows = [{"id": 2, "place": "rows.jsonl:2", "excerpt": "Why bear?\nTell\x1b[31m"}]
    assert json.loads(out) == {"query": "bear", "examples": {"count": 1, "rows": rows}}


def test_a_query_is_saved_and_used_again(run) -> None:
    status, out, err = run("--save", "my foxes", "-has:error fox", "--count")
    assert (status, out, err) == (0, "2 records, 2 examples.\n", "Saved as @my foxes.\n")
    assert run("--saved")[1] == '@"my foxes"  -has:error fox\n'
    assert json.loads(run("--saved", "--json")[1])[0]["query"] == "-has:error fox"
    assert run('@"my foxes"', "id:3", "--count")[1] == "1 record, 1 example.\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["split:trian"], 1, ["studio: The query can't be read at character 7", "did you mean train."]),
        (["@nothing"], 1, ["there is no saved query 'nothing'"]),
        (["--save", "a", "split:trian"], 1, ["did you mean train."]),
        (["--cuont", "fox"], 2, ["No such option", "--cuont", "--count"]),
        ([], 2, ["Missing argument 'QUERY'"]),
    ],
)
def test_mistakes_are_explained(run, arguments, status, words) -> None:
    ended, out, err = run(*arguments)
    assert (ended, out) == (status, "")
    assert all(word in err for word in words)


def test_help_lists_the_names(run) -> None:
    for flag in ("--help", "-h"):
        status, out, _ = run(flag)
        assert status == 0
        assert all(name in out for name in ("split:train", "len>1000", "has:leak", "@NAME"))


def test_what_an_index_lacks_is_added_first(run, project) -> None:
    (project.folder / "search.db").unlink()
    assert run("fox", "--count")[1] == "3 records, 2 examples.\n"


def test_rows_too_long_to_be_read_are_found_too(store, project, tmp_path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"prompt": "zebra " * 200_000, "completion": "Yes."}) + "\n")
    import_file(project, store, path)
    (hit,) = searching.search(store, "record", "zebra", limit=5).rows
    assert (hit.place, len(hit.excerpt)) == ("long.jsonl:1", searching.EXCERPT)
    (hit,) = searching.search(store, "example", "zebra", limit=5).rows
    assert (hit.place, hit.excerpt) == ("long.jsonl:1", "(1,200,036 characters)")


def test_an_example_of_no_file_has_no_place(store) -> None:
    example_id = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Hi"}], split="train")
    responses.add(store, example_id, [{"role": "assistant", "content": "zebra"}], origin="human")
    found = searching.search(store, "example", "zebra", limit=0)
    assert (found.count, found.rows) == (1, [])
    assert searching.search(store, "example", "zebra", limit=1).rows == [searching.Hit(example_id, "", "Hi")]
