"""Encodings: found out, told where guessed, and each row gives back its very bytes."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio import containers
from studio.containers import Layout

ENCODINGS = {"utf-8": b"", "utf-8-sig": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
ROWS = '{"a": "caf\u00e9 \u65e5\u672c \U0001f600"}\n{"a": "two"}\r\n{"a": "three"}\n'


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_mark_at_the_start_names_the_encoding(tmp_path: Path, encoding) -> None:
    path = tmp_path / "f"
    path.write_bytes(ENCODINGS[encoding] + ROWS.encode(encoding.removesuffix("-sig")))
    layout = containers.sniff(path)
    assert (layout.encoding, layout.note) == (encoding, "")
    assert [str(row.raw) for row in containers.read(path, layout)] == ROWS.replace("\r", "").splitlines()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [ROWS, 'a,b\n"1",2\n', '[{"instruction": "\u4f60\u597d\u5417", "output": "\u597d"}]'])
def test_utf_16_without_a_mark_is_known_by_its_nuls(tmp_path: Path, encoding, text) -> None:
    path = tmp_path / "f"
    path.write_bytes(text.encode(encoding))
    layout = containers.sniff(path)
    assert layout.encoding == encoding
    assert "UTF-16" in layout.note
    assert all(row.fields for row in containers.read(path, layout))


def test_what_is_no_utf_8_at_all_is_latin_1_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes('{"a": "caf\u00e9 \x80\x9f"}\n'.encode("latin-1"))
    layout = containers.sniff(path)
    assert (layout.encoding, layout.note) == ("latin-1", "Read as Latin-1, because it is not valid UTF-8.")
    (row,) = containers.read(path, layout)
    assert row.fields == {"a": "caf\u00e9 \x80\x9f"}


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b'{"a": "\xc3\xa9"}\n{"a": "\xff"}\n', "utf-8"),
        (b'{"a": "' + "é\u00bb\u00e9 ".encode("latin-1") * 300 + "\u00c9\u00bb".encode("latin-1") + b'"}', "latin-1"),
        (b'{"a": "b"}\n' * 100_000 + b'{"a": "\xff"}\n', "utf-8"),
        ('{"a": "' + "\u00e9" * 600_000 + '"}', "utf-8"),
        ('{"a":  "' + "\u00e9" * 600_000 + '"}', "utf-8"),
        (b'{"a": "\x00"}\n{"a": 1}', "utf-8"),
    ],
)
def test_single_broken_lines_and_cut_characters_change_no_encoding(tmp_path: Path, content, encoding) -> None:
    path = tmp_path / "f"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert containers.sniff(path).encoding == encoding


def test_a_broken_line_of_utf_16_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "f"
    broken = '{"a": "'.encode("utf-16-le") + b"\x00\xd8" + '"}'.encode("utf-16-le")
    path.write_bytes(b"\xff\xfe" + '{"a": 1}\n'.encode("utf-16-le") + broken + '\n{"a": 2}'.encode("utf-16-le"))
    first, second, third = containers.read(path, containers.sniff(path))
    assert (first.fields, third.fields) == ({"a": 1}, {"a": 2})
    assert second.raw == broken
    assert second.error == "is not valid UTF-16"


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("container", ["jsonl", "csv", "text"])
def test_half_a_character_at_the_end_of_utf_16_is_kept(tmp_path: Path, container, end) -> None:
    path = tmp_path / "f"
    path.write_bytes(("a,b\n1,2" + end).encode("utf-16-le") + b"x")
    last = list(containers.read(path, Layout(container, "utf-16-le")))[-1]
    assert last.raw == (b"x" if end else "1,2".encode("utf-16-le") + b"x")
    assert last.error == "is where the file ends in the middle of a character"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(deadline=None)
@given(
    values=st.lists(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3), min_size=1, max_size=5),
    encoding=st.sampled_from([*ENCODINGS, "latin-1"]),
    container=st.sampled_from(["jsonl", "json", "text"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_rows_give_back_the_bytes_of_the_file(tmp_path_factory, values, encoding, container, line_end) -> None:
    codec = encoding.removesuffix("-sig")
    rows = [json.dumps(value, ensure_ascii=encoding == "latin-1") for value in values]
    separator, before, after = (f",{line_end}", "[", "]") if container == "json" else (line_end, "", line_end)
    path = tmp_path_factory.mktemp("bytes") / "f"
    path.write_bytes(ENCODINGS.get(encoding, b"") + (before + separator.join(rows) + after).encode(codec))
    read = list(containers.read(path, Layout(container, encoding)))
    content, place = path.read_bytes(), len(ENCODINGS.get(encoding, b"")) + len(before.encode(codec))
    for row in read:
        raw = str(row.raw).encode(codec)
        assert content[place : place + len(raw)] == raw
        place += len(raw) + len(separator.encode(codec))
    assert [row.raw for row in read] == rows
    if container != "text":
        assert [row.fields for row in read] == values


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "latin-1"]))
def test_any_bytes_come_back(tmp_path_factory, content, encoding) -> None:
    path = tmp_path_factory.mktemp("any") / "f"
    path.write_bytes(content)
    for container in ("jsonl", "json", "csv", "text"):
        whole, place = content, 0
        for row in containers.read(path, Layout(container, encoding)):
            raw = row.raw if isinstance(row.raw, bytes) else row.raw.encode(encoding)
            place = whole.index(raw, place) + len(raw)
            assert (row.fields is None) == (row.error is not None)


def test_characters_cut_by_the_chunks_that_are_read_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    line = json.dumps({"a": "\U0001f600\u65e5" * 50}, ensure_ascii=False)
    for encoding in ("utf-8", "utf-16-le"):
        path.write_bytes(b" " * (1 if encoding == "utf-8" else 2) + f"{line}\n".encode(encoding) * 5_000)
        for container in ("jsonl", "json", "text"):
            rows = list(containers.read(path, Layout(container, encoding)))
            assert len(rows) == 5_000
            assert {row.raw for row in rows[1:]} == {line}
