"""JSON Lines: every byte kept, and the fast decoder never noticed but by its speed."""

import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio import containers
from studio.containers import Layout, RawRow
from studio.containers.jsonl import parse, parse_exactly
from studio.containers.row import RowDecoder


def rows_of(path: Path, content: bytes) -> list[RawRow]:
    path.write_bytes(content)
    return list(containers.read(path, Layout("jsonl")))


def raw_bytes(row: RawRow) -> bytes:
    return row.raw if isinstance(row.raw, bytes) else row.raw.encode()


def test_lines_keep_their_text_byte_for_byte(tmp_path: Path) -> None:
    lines = [
        b'{"a": "\\ud800"}',
        b' {"a":1e400, "a" : 2} ',
        '{"a": "x\u2028y"}'.encode(),
        b'{"a": 123456789012345678901}',
    ]
    rows = rows_of(tmp_path / "f", b"\xef\xbb\xbf" + b"\r\n".join(lines) + b"\n\n")
    assert [raw_bytes(row) for row in rows] == lines
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert not any(row.error for row in rows)
    assert rows[1].problem == "has a more than once; the last one counts"
    assert rows[3].fields == {"a": 123456789012345678901}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\x00"}', "not valid JSON"),
        (b'{"a": 1} {"b": 2}', "more text after"),
        (b"[1, 2]", "is a list"),
        (b'{"a": "\xff"}', "not valid UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not valid UTF-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "4,300 digits"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"\0" * 4096, "not valid JSON"),
        (b"\x0c", "not valid JSON"),
    ],
)
def test_a_broken_line_is_kept_with_its_reason(tmp_path: Path, line, reason) -> None:
    good = b'{"a": 1}'
    before, broken, after = rows_of(tmp_path / "f", b"\n".join([good, line, good]))
    assert reason in (broken.error or "")
    assert broken.fields is None
    assert broken.line == 2
    assert raw_bytes(broken) == line
    assert before.fields == after.fields == {"a": 1}


def test_a_line_of_a_hundred_megabytes_is_one_row(tmp_path: Path) -> None:
    text = "x" * 100_000_000
    first, large, last = rows_of(tmp_path / "f", b'{"a": 1}\n{"a": "' + text.encode() + b'"}\r\n{"a": 2}')
    assert (first.fields, last.fields) == ({"a": 1}, {"a": 2})
    assert large.fields is not None
    assert large.fields["a"] == text
    assert len(large.raw) == len(text) + 9


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=8), st.sampled_from([b"\n", b"\r\n"]))
def test_rows_are_the_lines_of_the_file(tmp_path_factory, lines, end) -> None:
    path = tmp_path_factory.mktemp("lines") / "f"
    content = end.join(lines)
    rows = rows_of(path, content)
    expected = [
        (number, line.removesuffix(b"\r"))
        for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)
        if line.strip(b" \t\r\n")
    ]
    assert [(row.line, raw_bytes(row)) for row in rows] == expected
    assert all((row.fields is None) == (row.error is not None) for row in rows)


WHOLE = ["", "a", "b", '\\"', '\\"a\\":', "\\\\", '\\\\\\"', "\\u0022", "\\ud800", "\\u0000", ": ", "\u00e9"]
PARTS = ["a", '\\"', "\\\\", ":", " ", "\\u0022", "\\u0061", "\\n", "\u2028"]
TEXTS = st.one_of(st.sampled_from(WHOLE), st.lists(st.sampled_from(PARTS), max_size=6).map("".join)).map('"{}"'.format)
EDGES = """
0 -0 -0.0 0.0 1e400 -1e400 1E5 1e-400 NaN Infinity -Infinity 01 1. .5 1e19 4.9e-324 2.2250738585072011e-308
18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809 9223372036854775808
"""
NUMBERS = st.one_of(
    st.sampled_from(EDGES.split()),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?[0-9]{1,25}\.[0-9]{1,30}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
SPACE = st.sampled_from(["", "", " ", "\t", "\r"])


@st.composite
def _members(draw, values) -> str:
    pairs = draw(st.lists(st.tuples(TEXTS, SPACE, SPACE, values, SPACE), max_size=4))
    return "{" + ",".join(f"{name}{a}:{b}{value}{c}" for name, a, b, value, c in pairs) + "}"


VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.sampled_from(["true", "false", "null", "tru", ""])),
    lambda values: st.one_of(_members(values), st.lists(values, max_size=3).map(lambda v: "[" + ",".join(v) + "]")),
    max_leaves=8,
)


@settings(deadline=None)
@given(_members(VALUES))
@example('{"a": 1, "a": {"b": 2, "b": "c"}}')
@example('{"a": "\\\\", "a": "\\\\\\"", "b": "\\u0022"}')
@example('{"a":' * 150 + "1" + "}" * 150)
@example('{"a":' * 995 + "1" + "}" * 995)
@example('{"a":"b"} ')
@example('{"a":"b"}\x00')
@example('\ufeff{"a":"b"}')
def test_both_decoders_give_the_same_row(text) -> None:
    content = text.encode("utf-8", "surrogatepass")
    fast, exact = parse(3, content, RowDecoder()), parse_exactly(3, content, RowDecoder())
    # Their text tells -0.0 from 0 and 1.0 from 1.
    assert repr(fast) == repr(exact)


def test_both_decoders_round_numbers_alike() -> None:
    choose = random.Random(7)
    for _ in range(20_000):
        digits = "".join(choose.choices("0123456789", k=choose.randint(1, 24)))
        number = f"{choose.choice('0123456789')}.{digits}e{choose.randint(-330, 310)}"
        content = f'{{"a":{number}}}'.encode()
        assert repr(parse(1, content, RowDecoder())) == repr(parse_exactly(1, content, RowDecoder()))


def test_a_row_that_is_nested_too_deeply_is_kept_with_the_reason(tmp_path) -> None:
    path = tmp_path / "deep.jsonl"
    deep, bearable = ('{"a":' + "[" * levels + "]" * levels + "}" for levels in (900, 150))
    path.write_text(f"{deep}\n{bearable}\n", encoding="utf-8")
    refused, kept = containers.read(path, containers.sniff(path))
    assert refused.raw == deep
    assert refused.error == "is nested more than 200 levels deep"
    assert kept.error is None
