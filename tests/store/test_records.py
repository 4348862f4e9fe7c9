"""Records: rows as they were read, and a search that takes whatever a person types."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import records
from store.database import Store, create_store
from store.errors import MissingRowError
from store.records import NewRecord, RecordQuery, Source

TEXTS = (
    "The quick brown fox",
    "quick thinking, brown bread",
    "Größe und Straße",
    "東京 は 大きい",
    "naïve café",
    "emoji \U0001f98a fox",
    "NEAR AND OR NOT",
    "broken row",
    "odd row",
    "don't stop, v1.2-beta",
)


def add_source(store: Store, container: str = "jsonl") -> int:
    return records.add_source(
        store, name="a.jsonl", path="/a.jsonl", container=container, format="plain", sha256="0", size=1
    )


def new(line: int, text: str, **faults: str) -> NewRecord:
    return NewRecord(line, "{}", None if "error" in faults else {}, text.encode(), text, **faults)


def fill(store: Store) -> list[int]:
    """Add the texts, the eighth as a row that can't be parsed and the ninth as one that made no example."""
    faults = {7: {"error": "no JSON"}, 8: {"problem": "no answer"}}
    rows = [new(number + 1, text, **faults.get(number, {})) for number, text in enumerate(TEXTS)]
    return records.add(store, add_source(store), rows)


@pytest.fixture
def filled(store) -> Store:
    """The texts above, numbered from 1."""
    assert fill(store) == list(range(1, len(TEXTS) + 1))
    return store


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Store:
    """The same in one file for many searches."""
    with create_store(tmp_path_factory.mktemp("search") / "studio.db") as opened:
        fill(opened)
        yield opened


def found(store: Store, text: str, **more) -> list[int]:
    return list(records.ids(store, RecordQuery(text, **more)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", list(range(1, len(TEXTS) + 1))),
        ("  \t\n", list(range(1, len(TEXTS) + 1))),
        ("fox", [1, 6]),
        ("FOX quick", [1]),
        ("brown qui", [1, 2]),
        ("quic brown", []),
        ('"quick brown"', [1]),
        ('"brown quick"', []),
        ('"quick brown" f', [1]),
        ('"quick bro', [1]),
        ('fox"', [1, 6]),
        ("größe", [3]),
        ("grosse", []),
        ("cafe naive", [5]),
        ("東京", [4]),
        ("NEAR", [7]),
        ("AND OR", [7]),
        ("don't", [10]),
        ("v1.2-beta", [10]),
        ("fox -quick", [1]),
        ("fox* (quick)", [1]),
        ("text:fox", []),
        ("fox !!! \u2026", [1, 6]),
        ("zebra", []),
    ],
)
def test_search(searched, text, expected) -> None:
    assert found(searched, text) == expected
    assert records.count(searched, RecordQuery(text)) == len(expected)


HOSTILE = st.text(st.one_of(st.characters(), st.sampled_from('"*^:(){}+-.\\\0\ud800 \n')), max_size=30)


@given(st.one_of(HOSTILE, st.lists(st.sampled_from([*'"*^:-+(){},', "NEAR", "AND", "fox", "\0", "²"])).map(" ".join)))
@settings(max_examples=400, deadline=None)
def test_no_text_breaks_the_search(searched, text) -> None:
    assert records.count(searched, RecordQuery(text)) == len(found(searched, text))


@given(st.sampled_from(TEXTS), st.data())
@settings(max_examples=100, deadline=None)
def test_any_words_of_a_text_find_it(searched, text, data) -> None:
    words = data.draw(st.lists(st.sampled_from(text.split()), min_size=1))
    assert TEXTS.index(text) + 1 in found(searched, " ".join(words))
    assert TEXTS.index(text) + 1 in found(searched, f'"{text}"')


def test_a_row_with_a_reason_is_worth_a_look(filled) -> None:
    assert found(filled, "", errors_only=True) == [8, 9]
    assert found(filled, "broken", errors_only=True) == [8]
    assert found(filled, "fox", errors_only=True) == []
    records.set_problem(filled, 9, None)
    assert found(filled, "", errors_only=True) == [8]
    assert (records.get(filled, 8).error, records.get(filled, 8).fields) == ("no JSON", None)


def test_marks_are_kept_and_asked_for(filled) -> None:
    for record_id in (2, 5):
        records.set_flagged(filled, record_id, True)
    records.set_flagged(filled, 5, False)
    records.set_excluded(filled, 3, True)
    assert found(filled, "", flagged_only=True) == [2]
    assert records.get(filled, 3).excluded
    assert not records.get(filled, 2).excluded


def test_one_source_is_asked_for_alone(filled) -> None:
    other = add_source(filled)
    [added] = records.add(filled, other, [new(1, "fox")])
    assert found(filled, "fox", source_id=other) == [added]
    assert found(filled, "", source_id=1) == list(range(1, len(TEXTS) + 1))


@pytest.mark.parametrize("query", [RecordQuery(), RecordQuery("fox"), RecordQuery(errors_only=True)])
def test_a_screenful_agrees_with_the_list(filled, query) -> None:
    ids = list(records.ids(filled, query))
    page = records.get_many(filled, ids)
    assert sorted(page) == ids
    assert all(page[record_id] == records.get(filled, record_id) for record_id in ids)
    assert records.count(filled, query) == len(ids)
    assert records.get_many(filled, []) == {}


def test_rows_stay_as_they_were_read(store) -> None:
    rows = [
        NewRecord(1, '{"a": "\u00e4", "n": 1e400}', {"a": "\u00e4"}, b"1", "\u00e4"),
        NewRecord(2, b"\xff\xfe", None, b"2", "", error="no UTF-8"),
        NewRecord(3, '{"half": "\\ud800"}', {"half": "\ud800"}, b"3", ""),
    ]
    ids = records.add(store, add_source(store), rows)
    read = list(records.get_many(store, ids).values())
    assert [record.raw for record in read] == [row.raw for row in rows]
    assert [record.line for record in read] == [1, 2, 3]
    assert read[0].fields == {"a": "\u00e4", "n": float("inf")}
    assert read[1].fields is None
    assert read[2].fields == {"half": "\ud800"}


def test_fields_of_a_csv_row_are_kept_beside_its_text(store) -> None:
    [record_id] = records.add(store, add_source(store, "csv"), [NewRecord(2, "x,y", {"a": "x", "b": "y"}, b"", "x y")])
    assert records.get(store, record_id).fields == {"a": "x", "b": "y"}
    assert records.get(store, record_id).raw == "x,y"


def test_repeated_rows_are_counted(filled) -> None:
    again = add_source(filled)
    records.add(filled, again, [new(1, TEXTS[0]), new(2, "new"), new(3, "new")])
    assert records.duplicates(filled, again) == 2
    assert records.duplicates(filled, 1) == 0


def test_a_source_is_read_in_pages_while_it_is_written_to(filled) -> None:
    lines = []
    for record in records.of_source(filled, 1, page=3):
        records.set_problem(filled, record.id, "seen")
        lines.append(record.line)
    assert lines == list(range(1, len(TEXTS) + 1))


def test_sources_are_listed_and_found_by_content(store) -> None:
    source_id = records.add_source(
        store, name="b.csv", path="/b.csv", container="csv", format="plain", sha256="abc", size=7
    )
    [source] = records.sources(store)
    assert source == records.source_with_hash(store, "abc")
    expected = Source(source_id, "b.csv", "/b.csv", "csv", "plain", "abc", 7, None, source.imported_at)
    assert source == expected
    assert records.source_with_hash(store, "abd") is None
    records.set_format(store, source_id, "template", "{}")
    assert (records.sources(store)[0].format, records.sources(store)[0].mapping) == ("template", "{}")


def test_an_unknown_record_is_named(store) -> None:
    with pytest.raises(MissingRowError, match="record 5"):
        records.get(store, 5)
