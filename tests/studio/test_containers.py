"""What a file is, found out by looking inside; and that rows of every kind of file are found whole."""

import gzip
from pathlib import Path

import pytest

from studio import containers
from studio.containers import Layout
from studio.errors import StudioError


@pytest.mark.parametrize(
    ("content", "container"),
    [
        ('{"a": 1}\n{"a": 2}\n', "jsonl"),
        ('{"a": 1}', "jsonl"),
        ('\ufeff  {"a": 1}\r\n{"a": 2}', "jsonl"),
        ('{"a": \n{"a": 2}\n', "jsonl"),
        ('[{"a": 1}]', "json"),
        ('[\n  {"a": 1}\n]\n', "json"),
        ('{\n  "a": 1\n}\n{\n  "a": 2\n}\n', "json"),
        ("a,b\n1,2\n", "csv"),
        ("a\tb\n1\t2,5\n", "csv"),
        ("a;b\n1,0;2\n", "csv"),
        ("prompt\nHello\nBye\n", "csv"),
        ("# A title\n\nSome prose, with a comma.\n", "text"),
        ("Once upon a time, they say.\nThere was a girl, in red.\nShe had, it is said, a hood.\n", "text"),
        ("[Verse 1]\nLa la la\n", "text"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_kind_is_found_by_content_whatever_the_name(tmp_path: Path, content, container, encoding) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(content.removeprefix("\ufeff" if encoding == "utf-16" else "").encode(encoding))
    assert containers.sniff(path).container == container


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (gzip.compress(b""), "empty"),
        (b"\x1f\x8b\x08rest", "no readable gzip stream"),
        (gzip.compress(gzip.compress(b'{"a": 1}')), "compressed twice"),
        (gzip.compress(b"folder/".ljust(257, b"\0") + b"ustar\x0000"), "tar archive"),
        (b"PK\x03\x04rest", "ZIP"),
        ("a,b\n".encode("utf-32"), "UTF-32"),
        (bytes(range(256)) * 4, "no rows"),
    ],
    ids=["nothing", "only a BOM", "gzip of nothing", "no gzip", "gzip twice", "tar", "ZIP", "UTF-32", "binary"],
)
def test_other_files_are_refused_in_one_sentence(tmp_path: Path, content, reason) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    with pytest.raises(StudioError, match=reason):
        containers.sniff(path)


def test_absent_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    import os

    with pytest.raises(StudioError, match="not there"):
        containers.sniff(tmp_path / "absent")
    with pytest.raises(StudioError, match="folder"):
        containers.sniff(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StudioError, match="not a file"):
        containers.sniff(tmp_path / "pipe")
    with pytest.raises(StudioError, match="can't be read"):
        list(containers.read(tmp_path / "absent", Layout("jsonl")))


def test_lines_of_plain_text_are_rows_of_one_field(tmp_path: Path) -> None:
    path = tmp_path / "poem"
    path.write_text("Two roads diverged in a wood\r\n\r\nI took the one less traveled by.\n\u00e9", newline="")
    rows = list(containers.read(path, containers.sniff(path)))
    assert [(row.line, row.fields) for row in rows] == [
        (1, {"text": "Two roads diverged in a wood"}),
        (3, {"text": "I took the one less traveled by."}),
        (4, {"text": "\u00e9"}),
    ]


@pytest.mark.parametrize("container", ["jsonl", "json", "csv", "text"])
def test_the_place_in_the_file_is_told_and_ends_at_its_size(tmp_path: Path, container) -> None:
    path = tmp_path / "f"
    start, line, end = {"json": (b"[", b'{"a": "b"},\n', b"{}]")}.get(container, (b"a,b\n", b'{"a": 1}\n', b""))
    path.write_bytes(start + line * 100_000 + end)
    places: list[int] = []
    rows = sum(1 for _ in containers.read(path, Layout(container), places.append))
    assert rows >= 100_000
    assert places == sorted(places)
    assert places[-1] == path.stat().st_size
    assert 2 <= len(places) < rows / 300


def test_each_shared_file_gives_the_rows_that_its_description_counts(shared_data: Path) -> None:
    counts = {
        "banking77_test.csv": ("csv", 3080),
        "banking77_train.csv": ("csv", 10003),
        "gsm8k_example_model_solutions.jsonl": ("jsonl", 1319),
        "llamafactory_alpaca_en_demo.json": ("json", 999),
        "llamafactory_dpo_en_demo.json": ("json", 300),
        "llamafactory_dpo_zh_demo.json": ("json", 300),
        "llamafactory_glaive_toolcall_en_demo.json": ("json", 300),
        "llamafactory_identity.json": ("json", 91),
        "llamafactory_kto_en_demo.json": ("json", 300),
        "pandalm_testset_v1.json": ("json", 999),
    }
    for name, expected in counts.items():
        path = shared_data / name
        layout = containers.sniff(path)
        lines = path.read_bytes().decode().split("\n")
        found = 0
        for row in containers.read(path, layout):
            found += 1
            assert row.error is None
            assert row.fields
            assert str(row.raw).split("\n", maxsplit=1)[0].strip("\r") in lines[row.line - 1]
        assert (layout.container, found) == expected, name
    assert {path.name for path in containers.expand(shared_data)} == set(counts)
