"""Gzip and zstd: the same rows as unpacked, and all of them up to where a stream breaks."""

import gzip
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from studio import containers
from studio.containers import Layout, RawRow
from studio.errors import StudioError

PACKERS = {"gzip": gzip.compress, "zstd": zstandard.compress}
LINES = [f'{{"number": {number}, "text": "{random.Random(number).random()}"}}' for number in range(20_000)]


@pytest.fixture(params=["gzip", "zstd"])
def compression(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pack(compression: str) -> Callable[[bytes], bytes]:
    return PACKERS[compression]


def rows_of(path: Path, content: bytes) -> list[RawRow]:
    path.write_bytes(content)
    return list(containers.read(path, containers.sniff(path)))


@pytest.mark.parametrize(
    ("content", "container"),
    [
        ('{"a": "\u00e9"}\n{"a": 2}\n', "jsonl"),
        ('[{"a": 1}, {"a": 2}]', "json"),
        ("a,b\n1,2\n", "csv"),
        ("Some prose.\nAnd more.", "text"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_packed_rows_are_the_same_rows(tmp_path: Path, pack, compression, content, container, encoding) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(content.encode(encoding))
    packed.write_bytes(pack(content.encode(encoding)))
    found, packed_layout = containers.sniff(plain), containers.sniff(packed)
    assert (packed_layout.container, packed_layout.compression) == (container, compression)
    assert packed_layout.encoding == found.encoding
    assert list(containers.read(packed, packed_layout)) == list(containers.read(plain, found))


def test_many_frames_are_one_file(tmp_path: Path, pack, compression) -> None:
    frames = [pack(f"{line}\n".encode()) for line in LINES[:300]]
    padding = b"\0" * 100_000 if compression == "gzip" else b""
    rows = rows_of(tmp_path / "f", b"".join(frames) + padding)
    assert [row.raw for row in rows] == LINES[:300]


def test_places_are_those_of_the_file_on_disk(tmp_path: Path, pack) -> None:
    path = tmp_path / "f"
    path.write_bytes(pack("\n".join(LINES).encode() * 3))
    places: list[int] = []
    list(containers.read(path, containers.sniff(path), places.append))
    assert places == sorted(places)
    assert places[-1] == path.stat().st_size


@pytest.mark.parametrize("cut", [0.3, 0.61, 0.97, 0.9999])
def test_a_stream_that_is_cut_keeps_the_rows_before(tmp_path: Path, pack, compression, cut) -> None:
    packed = pack("\n".join(LINES).encode())
    *rows, end = rows_of(tmp_path / "f", packed[: int(cut * len(packed))])
    assert [row.raw for row in rows] == LINES[: len(rows)]
    assert len(rows) > (cut - 0.2) * len(LINES)
    assert end.fields is None
    assert end.line == len(rows) + 1
    assert LINES[len(rows)].startswith(str(end.raw))
    assert f"is where the {compression} stream breaks: the file ends there" in (end.error or "")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_damaged_stream_keeps_all_that_a_decoder_can_give(tmp_path: Path, share) -> None:
    packed = bytearray(gzip.compress("\n".join(LINES).encode()))
    place = int(share * len(packed))
    packed[place : place + 64] = b"\xff" * 64
    *rows, end = rows_of(tmp_path / "f", bytes(packed))
    decoder, reference = zlib.decompressobj(31), b""
    with pytest.raises(zlib.error), memoryview(packed) as view:  # noqa: PT012
        for place in range(len(view)):
            reference += decoder.decompress(view[place : place + 1])
    found = [row.raw if isinstance(row.raw, bytes) else row.raw.encode() for row in [*rows, end]]
    assert found == [line for line in reference.split(b"\n") if line.strip()]
    assert "is damaged" in (end.error or "")


def test_a_damaged_zstd_stream_keeps_the_rows_before(tmp_path: Path) -> None:
    packed = bytearray(zstandard.compress("\n".join(LINES).encode()))
    place = len(packed) * 3 // 4
    packed[place : place + 2000] = b"\xff" * 2000
    *rows, end = rows_of(tmp_path / "f", bytes(packed))
    assert len(rows) > len(LINES) // 3
    assert [row.raw for row in rows[:1000]] == LINES[:1000]
    assert "zstd stream breaks" in (end.error or "")


def test_what_follows_the_stream_is_named(tmp_path: Path, pack) -> None:
    first, end = rows_of(tmp_path / "f", pack(b'{"a": 1}\n') + b"something else")
    assert first.fields == {"a": 1}
    assert (end.line, end.raw) == (2, "")
    assert "stream breaks" in (end.error or "")


@pytest.mark.parametrize(
    ("container", "content", "whole", "last"),
    [
        ("csv", 'a,b\n1,2\n3,4\n5,"six\nseven', 2, '5,"six\nseven'),
        ("csv", "a,b\n1,2\n3,45", 1, "3,45"),
        ("csv", "a,b\n1,2\n3,4\n", 2, ""),
        ("json", '[{"a": 1}, {"a": 2}, {"a', 2, '{"a'),
        ("json", '[{"a": 1}, {"a": 2},', 2, ""),
        ("jsonl", '{"a": 1}\n{"a": 2}', 2, ""),
        ("jsonl", '{"a": 1}\noops\n', 2, ""),
        ("text", "First line.\nSecond li", 1, "Second li"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_row_that_a_break_cuts_is_never_taken_for_whole(
    tmp_path: Path, container, content, whole, last, encoding
) -> None:
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(content.encode(encoding))[:-8])
    layout = Layout(container, "utf-8" if encoding == "utf-8" else "utf-16-le", "gzip")
    *rows, end = containers.read(path, layout)
    assert len(rows) == whole
    assert end.raw == last
    assert end.fields is None
    assert "gzip stream breaks" in (end.error or "")


def test_memory_does_not_grow_with_what_is_packed(tmp_path: Path, pack) -> None:
    import tracemalloc

    path = tmp_path / "f"
    rows = 10_000
    path.write_bytes(pack("".join(f'{{"text": "{random.randbytes(500).hex()}"}}\n' for _ in range(rows)).encode()))
    layout = containers.sniff(path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in containers.read(path, layout)) == rows
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


def test_an_arrow_stream_out_of_a_cut_file_says_that_there_was_more(tmp_path: Path) -> None:
    path = tmp_path / "f"
    table = pyarrow.table({"a": [random.random() for _ in range(10_000)]})
    with pyarrow.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    path.write_bytes(gzip.compress(path.read_bytes())[:-30_000])
    rows = list(containers.read(path, containers.sniff(path)))
    whole = [row.fields["a"] for row in rows if row.fields]
    assert 1000 < len(whole) < 10_000
    assert whole == table.column("a").to_pylist()[: len(whole)]
    assert "gzip stream breaks" in (rows[-1].error or "")


def test_parquet_is_read_out_of_a_packed_file(tmp_path: Path, pack) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    pyarrow.parquet.write_table(pyarrow.table({"a": list(range(500))}), plain)
    packed.write_bytes(pack(plain.read_bytes()))
    layout = containers.sniff(packed)
    assert layout.container == "parquet"
    assert list(containers.read(packed, layout)) == list(containers.read(plain, containers.sniff(plain)))
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(StudioError, match=r"packed can't be read as Parquet.*stream breaks"):
        list(containers.read(packed, layout))
