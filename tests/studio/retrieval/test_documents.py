"""Documents: read, cut, followed and found."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from store import passages
from studio.errors import StudioError
from studio.project import Project, create_project, open_project
from studio.retrieval.blocks import blocks
from studio.retrieval.cutting import cut
from studio.retrieval.documents import passages_for
from studio.retrieval.indexing import catch_up

HANDBOOK = """# Leave

Ask for leave two weeks before.

## Illness

Call the desk before nine. A note of a
doctor is asked for from the fourth day.

# Travel

Trains are paid for, planes are not.
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = create_project(tmp_path / "p")
    with (made.folder / "studio.toml").open("a") as settings:
        settings.write('\n[documents]\nfolders = ["documents"]\npassages = 2\nsize = 200\n')
    (made.folder / "documents").mkdir()
    (made.folder / "documents" / "handbook.md").write_text(HANDBOOK)
    return open_project(made.folder)


def test_a_question_finds_the_passage_with_its_heading_and_lines(project: Project) -> None:
    best = passages_for(project, "When must I bring a doctor's note?")[0]
    assert (best.file, best.lines, best.heading) == ("documents/handbook.md", "7-8", "Leave > Illness")
    assert best.text == "Call the desk before nine. A note of a\ndoctor is asked for from the fourth day."


def test_the_index_follows_what_changes_and_what_goes(project: Project) -> None:
    assert passages_for(project, "planes")
    handbook = project.folder / "documents" / "handbook.md"
    handbook.write_text("Bicycles are lent.\n")
    assert not passages_for(project, "planes")
    assert passages_for(project, "bicycle")[0].text == "Bicycles are lent."
    handbook.unlink()
    assert not passages_for(project, "bicycle")


def test_a_file_that_was_only_touched_is_not_cut_again(project: Project) -> None:
    number = passages_for(project, "planes")[0].id
    handbook = project.folder / "documents" / "handbook.md"
    handbook.write_text(HANDBOOK)
    with passages.opened(project.database) as index:
        assert catch_up(project, index).read == 0
    assert passages_for(project, "planes")[0].id == number


def test_a_stopped_indexing_keeps_what_it_did_and_goes_on_from_there(project: Project) -> None:
    for number in range(5):
        (project.folder / "documents" / f"{number}.txt").write_text(f"text number{number}")
    with passages.opened(project.database) as index:
        first = catch_up(project, index, cancelled=lambda: len(passages.documents(index)) == 2)
        assert first.stopped
        assert (first.documents, catch_up(project, index).read) == (2, 4)


def test_another_size_cuts_all_again(project: Project) -> None:
    passages_for(project, "leave")
    settings = project.folder / "studio.toml"
    settings.write_text(settings.read_text().replace("size = 200", "size = 2000"))
    with passages.opened(project.database) as index:
        assert catch_up(open_project(project.folder), index).read == 1


def test_a_damaged_index_is_put_aside_and_made_anew(project: Project) -> None:
    passages_for(project, "leave")
    (project.folder / "documents.db").write_bytes(b"no database at all" * 1000)
    assert passages_for(project, "planes")


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.txt", b"caf\xe9", "not UTF-8"),
        ("a.txt", b"\0\1\2", "no text"),
        ("a.json", b'[{"a": 1}, {]', "line 1 is no JSON"),
        ("a.html", b"<p>x\n<![foo[x]]>", "line 2 is no HTML"),
        ("a.jsonl", b'{"a": 1}\n{"a"', "line 2 is no JSON"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(project: Project, name: str, data: bytes, problem: str) -> None:
    (project.folder / "documents" / name).write_bytes(data)
    with passages.opened(project.database) as index:
        catch_up(project, index)
        assert problem in passages.documents(index)[f"documents/{name}"].problem


def test_a_project_without_documents_and_an_absent_folder_are_told_apart(project: Project, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="names no documents"):
        passages_for(create_project(tmp_path / "other"), "?")
    (project.folder / "documents").rename(project.folder / "gone")
    with pytest.raises(StudioError, match="is not there"):
        passages_for(project, "?")


def test_names_in_passages_hold_no_path_of_the_machine(project: Project, tmp_path: Path) -> None:
    (tmp_path / "wiki" / "deep").mkdir(parents=True)
    (tmp_path / "wiki" / "deep" / "page.txt").write_text("Submarines dive.")
    settings = project.folder / "studio.toml"
    settings.write_text(settings.read_text().replace('["documents"]', json.dumps([str(tmp_path / "wiki")])))
    assert passages_for(open_project(project.folder), "submarines")[0].file == "wiki/deep/page.txt"


def test_html_is_read_as_a_reader_sees_it() -> None:
    page = (
        "<html><head><title>no</title></head><body>\n<h1>Fees</h1>\n<script>var x = 'no'</script>\n"
        "<p>A <b>child</b> pays\nhalf &amp; no more.</p><ul><li>one</li><li>two</li></ul></body></html>"
    )
    found = list(blocks(page, ".html"))
    assert [(b.first, b.last, b.text, b.level) for b in found] == [
        (2, 2, "Fees", 1),
        (4, 5, "A child pays half & no more.", 0),
        (5, 5, "one", 0),
        (5, 5, "two", 0),
    ]


@pytest.mark.parametrize("end", ["", "<p>"])
@pytest.mark.parametrize("broken", ["<a ", "<!--", "<![CDATA[", "<?", "<!x "])
def test_a_page_of_tags_without_an_end_takes_no_minutes(broken: str, end: str) -> None:
    with suppress(ValueError):
        list(blocks(broken * 50_000 + end, ".html"))
    assert next(block.text for block in blocks("<p>1 < 2 <" + " < " * 1000, ".html")).startswith("1 < 2")


def test_rows_of_data_are_passages_of_names_and_values() -> None:
    assert [b.text for b in blocks('name,price\n"Tea, green",2\n', ".csv")] == ["name: Tea, green\nprice: 2"]
    rows = list(blocks('[\n {"q": "caf\\u00e9",\n  "n": {"a": [1, "x"]}},\n {"q": "y"}\n]', ".json"))
    assert [(b.first, b.last, b.text) for b in rows] == [(2, 3, "q: café\nn: 1\nx"), (4, 4, "q: y")]
    assert [b.first for b in blocks('{"a": "b"}\n\n{"a": "c"}\n', ".jsonl")] == [1, 3]


@pytest.mark.parametrize("ending", [".txt", ".md"])
def test_page_breaks_of_text_from_a_pdf_end_no_line(ending: str) -> None:
    text = "page one\n\n\fpage two\u2028goes on\n\nlast\n"
    assert [(b.first, b.last) for b in blocks(text, ending)] == [(1, 1), (3, 3), (5, 5)]


def test_a_pipe_among_the_documents_is_passed_over(project: Project) -> None:
    os.mkfifo(project.folder / "documents" / "pipe.txt")
    assert {passage.file for passage in passages_for(project, "planes")} == {"documents/handbook.md"}


def test_a_heading_in_a_fence_is_code() -> None:
    found = list(blocks("# Real\n```\n# not\n\ncode\n```\nafter\n", ".md"))
    assert [(b.level, b.text) for b in found] == [(1, "Real"), (0, "```\n# not\n\ncode\n```\nafter")]


def test_long_texts_are_cut_between_sentences_and_nothing_is_lost() -> None:
    text = "\n".join(f"Sentence number {n} says this. And more of it, too." for n in range(40))
    made = list(cut(blocks(text, ".txt"), 300))
    assert all(len(part.text) <= 300 for part in made)
    assert " ".join(" ".join(part.text for part in made).split()) == " ".join(text.split())
    assert all(part.text in "\n".join(text.splitlines()[part.first - 1 : part.last]) for part in made)


def test_unspaced_writing_is_found_by_its_signs(project: Project) -> None:
    (project.folder / "documents" / "zh.txt").write_text("火车票可以报销。飞机票不可以。")
    assert passages_for(project, "飞机票")[0].file == "documents/zh.txt"
