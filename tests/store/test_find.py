"""Finding: every kind of query finds what it says, in order, in all rows, whatever is typed."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import (
    duplicates,
    examples,
    find,
    journal,
    pairs,
    records,
    repeats,
    responses,
    saved_queries,
    search_index,
    tags,
)
from store.database import Store, create_store, open_store
from store.errors import StoreError
from store.query import QueryError
from store.quoting import dumps
from store.records import NewRecord
from store.search_file import SEARCH
from tests.store.typed_queries import TYPED

ROWS = 6_000
"""Enough for a common word to be read block by block, and for a rare one to be looked up."""

EDITED = range(7, ROWS, 500)
"""Examples whose own text is another than their record's."""

Test = Callable[[int], bool]

ATOMS: dict[str, Test] = {
    "even": lambda n: n % 2 == 0 and n not in EDITED,
    '"number three"': lambda n: n % 3 == 0 and n not in EDITED,
    "rare": lambda n: n % 1000 == 0,
    "changed": lambda n: n in EDITED,
    "absent": lambda n: False,
    "colour:red": lambda n: n % 4 == 0,
    "colour:grey": lambda n: n % 1000 == 4,
    "score>7": lambda n: n % 10 > 7,
    "score:5": lambda n: n % 10 == 5,
    "split:test": lambda n: n % 5 == 0,
    "status:approved": lambda n: n % 600 == 0,
    "status:draft": lambda n: n % 600 != 0,
    "verdict:left": lambda n: n % 100 == 0,
    "verdict:none": lambda n: n % 100 == 50,
    "has:verdict": lambda n: n % 100 == 0,
    "has:edit": lambda n: n in EDITED,
    "is:excluded": lambda n: n % 700 == 0,
    "tag:TODO": lambda n: n % 7 == 0,
    "has:flag": lambda n: n % 900 == 0,
    "source:second": lambda n: n > ROWS - 100,
    "line<=3": lambda n: n <= 3 or ROWS - 100 < n <= ROWS - 97,
    "line:2": lambda n: n in (2, ROWS - 98),
    "id>5000": lambda n: n > 5000,
    "id:17": lambda n: n == 17,
    "@mine": lambda n: n % 5 == 0 and n % 2 == 0 and n not in EDITED,
}

OF_RECORDS: dict[str, Test] = {
    "even": lambda n: n % 2 == 0,
    '"number three"': lambda n: n % 3 == 0,
    "changed": lambda n: False,
    "@mine": lambda n: n % 10 == 0,
}
"""What differs for records: their own text never changes."""


def _row(number: int) -> NewRecord:
    said = "even" if number % 2 == 0 else "odd"
    said += " and the number three" * (number % 3 == 0) + " rare" * (number % 1000 == 0)
    colour = "grey" if number % 1000 == 4 else "blue"
    fields = {"text": said, "colour": ["plain", "dark red" if number % 4 == 0 else colour], "score": number % 10}
    if number % 1000 == 4:
        fields["colour"] = ["grey", "red"]
    line = number if number <= ROWS - 100 else number - ROWS + 100
    return NewRecord(line, dumps(fields), fields, number.to_bytes(4, "big"))


def _fill(store: Store) -> None:
    for name, numbers in (("first.jsonl", range(1, ROWS - 99)), ("second.jsonl", range(ROWS - 99, ROWS + 1))):
        source = records.add_source(store, name=name, path=name, container="jsonl", format="plain", size=1)
        records.add(store, source, map(_row, numbers))
    said = dumps([{"role": "user", "content": ["text"]}])
    new = [(n, n, b"", "test" if n % 5 == 0 else "train", said, None) for n in range(1, ROWS + 1)]
    examples.add_many(store, new, template_id=None, origin="import")
    with store.transaction():
        for number in EDITED:
            examples.revise(store, number, [{"role": "user", "content": "changed"}])
        for number in range(50, ROWS + 1, 50):
            _add_pair(store, number)
        for number in range(600, ROWS + 1, 600):
            examples.set_status(store, number, "approved")
        for kind in ("record", "example"):
            tags.change(store, kind, range(7, ROWS + 1, 7), add=["todo"])
        for module in (records, examples):
            for number in range(900, ROWS + 1, 900):
                module.set_flagged(store, number, True)
        for number in range(700, ROWS + 1, 700):
            records.set_excluded(store, number, True)
    saved_queries.save(store, "mine", "split:test even ")
    search_index.catch_up(store)


def _add_pair(store: Store, example_id: int) -> None:
    sides = [
        responses.add(store, example_id, [{"role": "assistant", "content": side}], origin="file", author=side)
        for side in ("one", "two")
    ]
    pair_id = pairs.add_pair(store, example_id, *sides, seed=0)
    if example_id % 100 == 0:
        journal.judge(store, pairs.get(store, pair_id), "left", rater="me")


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Iterator[Store]:
    """Many rows, of which each query of `ATOMS` finds some."""
    with create_store(tmp_path_factory.mktemp("find") / "studio.db") as store:
        _fill(store)
        yield store


def found(store: Store, kind: find.Kind, text: str) -> list[int]:
    """Return what a query finds, having made sure of its order and number."""
    ids = list(chain.from_iterable(find.ids(store, kind, text)))
    assert ids == sorted(set(ids))
    assert find.count(store, kind, text) == len(ids)
    return ids


def expected(test: Test) -> list[int]:
    return [number for number in range(1, ROWS + 1) if test(number)]


def atoms_of(kind: find.Kind) -> dict[str, Test]:
    return ATOMS | OF_RECORDS if kind == "record" else ATOMS


@pytest.mark.parametrize("kind", ["record", "example"])
@pytest.mark.parametrize("text", ATOMS)
def test_each_term_finds_what_it_says(filled, kind, text) -> None:
    assert found(filled, kind, f"{text} ") == expected(atoms_of(kind)[text])


ATOM = st.sampled_from(sorted(ATOMS))
TREE = st.recursive(
    ATOM,
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    max_leaves=6,
)


def text_of(tree) -> str:
    if isinstance(tree, str):
        return tree
    word, *parts = tree
    texts = [text_of(part) for part in parts]
    return f"-({texts[0]})" if word == "not" else f"({(' OR ' if word == 'or' else ' ').join(texts)})"


def predicate_of(tree, atoms: dict[str, Test]) -> Test:
    if isinstance(tree, str):
        return atoms[tree]
    word, *parts = tree
    tests = [predicate_of(part, atoms) for part in parts]
    if word == "not":
        return lambda n: not tests[0](n)
    return (lambda n: all(t(n) for t in tests)) if word == "and" else (lambda n: any(t(n) for t in tests))


@given(TREE, st.sampled_from(["record", "example"]))
@settings(max_examples=150, deadline=None)
def test_terms_combine(filled, tree, kind) -> None:
    assert found(filled, kind, f"{text_of(tree)} ") == expected(predicate_of(tree, atoms_of(kind)))


@given(TYPED, st.sampled_from(["record", "example"]))
@settings(max_examples=150, deadline=None)
def test_whatever_is_typed_is_answered_or_a_mistake(filled, text, kind) -> None:
    with suppress(QueryError):
        found(filled, kind, text)


@pytest.mark.parametrize("text", ["", "even", "-absent", "split:train"])
@pytest.mark.parametrize("kind", ["record", "example"])
def test_the_first_chunk_is_a_few_screenfuls(filled, kind, text) -> None:
    first, *rest = find.ids(filled, kind, text)
    assert 100 <= len(first) <= 600
    assert rest


def add(store: Store, *rows: dict | str, name: str = "a.jsonl", container: str = "jsonl") -> list[int]:
    """Add records of these fields; a text is a row that can't be parsed."""
    source = records.add_source(store, name=name, path=name, container=container, format="plain", size=1)
    new = [
        NewRecord(n, row, None, row.encode(), error="no JSON")
        if isinstance(row, str)
        else NewRecord(n, dumps(row), row, dumps(row).encode())
        for n, row in enumerate(rows, 1)
    ]
    return list(records.add(store, source, new))


def add_example(store: Store, record_id: int | None, text: str = "asked") -> int:
    return examples.add(store, record_id=record_id, messages=[{"role": "user", "content": text}], split="train")


def test_an_edit_is_found_at_once(store) -> None:
    (record_id,) = add(store, {"text": "fox"})
    example_id = add_example(store, record_id)
    assert (found(store, "record", "fox"), found(store, "example", "fox")) == ([record_id], [example_id])
    examples.revise(store, example_id, [{"role": "user", "content": "bear"}])
    assert (found(store, "example", "fox"), found(store, "example", "bear")) == ([], [example_id])
    responses.add(store, example_id, [{"role": "assistant", "content": "zebra"}], origin="human")
    assert found(store, "example", "bear zebra") == [example_id]
    assert found(store, "record", "fox") == [record_id]


def test_examples_come_in_their_own_order(store) -> None:
    first, second = add(store, {"text": "fox"}, {"text": "fox"})
    later, earlier = add_example(store, second), add_example(store, first)
    assert found(store, "example", "fox") == [later, earlier]


FIELDS = [
    {"topic": "Income Tax", "score": 0.7, "who": {"name": "José Núñez", "age": "41"}, "ok": True},
    {"topic": "taxi", "score": "0.2", "turns": [{"value": "hello"}, {"value": "good bye"}], "ok": False},
    {"response.text": "café au lait", "score": 5, "topic": None, "42": "answer"},
    {"score": 10**30, "topic": "x" * 40, "größe": 3},
    '{"topic": "tax", "score": 1',
]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("topic:tax ", [1]),
        ("topic:TAX", [1, 2]),
        ('topic:"income tax"', [1]),
        ('topic:"tax income"', []),
        ("who.name:jose ", [1]),
        ("who:nunez ", [1]),
        ("who.age>40", [1]),
        ("turns.value:bye ", [2]),
        ("turns.0.value:hello ", [2]),
        ("turns.1.value:hello ", []),
        ("response.text:cafe ", [3]),
        ("score:5", [3]),
        ("score:5.0", [3]),
        ("score<0.5", [2]),
        ("score:>=0.7", [1, 3, 4]),
        ("ok:true ", [1]),
        ("ok:false ", [2]),
        ("topic:null ", [3]),
        ("größe>=3", [4]),
        ("größe:3 ", [4]),
        ("-topic:tax ", [2, 3, 4, 5]),
        ("score>5 OR topic:taxi ", [2, 4]),
        ("has:error", [5]),
        ("has:problem", [5]),
        ("absent:tax ", []),
        ("len>60 -has:error", [1, 2, 3, 4]),
    ],
)
def test_fields(store, text, numbers) -> None:
    add(store, *FIELDS)
    assert found(store, "record", text) == numbers


def test_fields_of_a_table_and_broken_numbers(store) -> None:
    source = records.add_source(store, name="a.csv", path="a.csv", container="csv", format="plain", size=1)
    records.add(store, source, [NewRecord(2, "tax;7", {"topic": "tax", "score": "7"}, b"1")])
    other = records.add_source(store, name="b.jsonl", path="b", container="jsonl", format="plain", size=1)
    records.add(
        store,
        other,
        [
            NewRecord(1, '{"score": NaN, "topic": "tax"}', {}, b"2"),
            NewRecord(2, '{"score": 8, "half": "\\ud800 tax"}', {}, b"3"),
            NewRecord(3, b"\xff\xfe", None, b"4", error="no text"),
        ],
    )
    assert found(store, "record", "topic:tax ") == [1, 2]
    assert found(store, "record", "score>=7") == [1, 3]
    assert found(store, "record", "half:tax ") == [3]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("世界", [1, 2]),
        ("世", [1, 2]),
        ("界世", []),
        ("你好世界", [1]),
        ("カメラ", [2]),
        ("title:世界", [2]),
        ("title:界世", []),
        ("GPU世界", [2]),
        ("привет", [3]),
        ("прив", [3]),
        ("café", [3, 4]),
        ("cafe ", [3, 4]),
        ("title:CAFÉ", [4]),
        ("don't", [4]),
        ("C++", [4]),
        ("http://x.org/a?b=1", [4]),
        ("é", [4]),
    ],
)
def test_any_script_and_plain_text(store, text, numbers) -> None:
    add(
        store,
        {"text": "他说你好世界。"},
        {"title": "新しいGPU世界のカメラ"},
        {"text": "Привет, café"},
        {"title": "Cafe\u0301 é", "text": "I don't C++ http://x.org/a?b=1"},
    )
    assert found(store, "record", text) == numbers


def test_a_source_goes_by_its_name_or_part_of_it(store) -> None:
    add(store, {"text": "one"}, name="mail.jsonl")
    add(store, {"text": "two"}, name="old mail.jsonl")
    assert found(store, "record", "source:mail.jsonl") == [1]
    assert found(store, "record", "source:MAIL") == [1, 2]
    assert found(store, "record", 'source:"old mail.jsonl"') == [2]
    with pytest.raises(QueryError, match=r"no file of this project is named 'mial.jsonl'; did you mean mail.jsonl"):
        find.ids(store, "record", "source:mial.jsonl")


def test_what_examples_have(store) -> None:
    add(store, {"text": "one"}, {"text": "two"})
    plain, rich = add_example(store, 1), add_example(store, 2)
    examples.add(store, record_id=None, messages=[{"role": "user", "content": "free"}], split="test", tools=[{"a": 1}])
    sides = [
        responses.add(store, rich, [{"role": "assistant", "content": "x"}], origin=origin, author=author)
        for origin, author in (("model", "GPT-4 (new_one)"), ("human", "Ann"))
    ]
    pair_id = pairs.add_pair(store, rich, *sides, seed=0)
    journal.comment(store, pair_id, "hm", rater="me")
    store.connection.execute("UPDATE example SET note = 'look' WHERE id = ?", (plain,))
    for text, numbers in {
        "origin:model": [rich],
        "origin:run": [],
        "author:gpt-4": [rich],
        'author:"new_one"': [rich],
        "author:new%one": [],
        "has:responses": [rich],
        "has:pair": [rich],
        "has:comment": [rich],
        "verdict:none": [rich],
        "verdict:judged": [],
        "has:note": [plain],
        "has:tools": [3],
        "len>1": [plain, rich],
        "-len>1": [3],
        "free": [3],
        "-free": [plain, rich],
    }.items():
        assert found(store, "example", text) == numbers, text
    assert found(store, "record", "origin:human") == [2]
    assert found(store, "record", "has:example -has:note") == [1, 2]
    records.set_note(store, 1, "hm")
    assert found(store, "record", "has:example -has:note") == [2]
    assert found(store, "record", "has:note") == [1]


def test_duplicates_and_leaks(store) -> None:
    add(store, {"text": "one"}, {"text": "one"}, {"text": "two"})
    repeats.mark_duplicates(store)
    for record_id in (1, 2, 3):
        add_example(store, record_id)
    duplicates.replace(store, "near", [[(3, 1.0)]])
    duplicates.replace(store, "leak", [[(1, 1.0)]])
    for kind in ("record", "example"):
        assert found(store, kind, "has:duplicate") == found(store, kind, "is:duplicate") == [2]
        assert found(store, kind, "has:near") == [3]
        assert found(store, kind, "has:leak") == [1]


def test_it_reads_inside_a_transaction_without_writing(store) -> None:
    add(store, {"text": "fox"})
    with store.reading():
        assert found(store, "record", "fox") == []
    assert found(store, "record", "fox") == [1]


def test_a_damaged_index_is_begun_anew(store) -> None:
    add(store, *({"text": f"fox number {n}"} for n in range(5000)))
    search_index.catch_up(store)
    path = store.path
    store.close()
    index = SEARCH.beside(path)
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = index.read_bytes()
    beginning = len(whole) - 6 * 8192  # what comes before it is looked at when it is opened
    index.write_bytes(whole[:beginning] + b"\xff" * (len(whole) - beginning))
    with open_store(path) as reopened:
        with pytest.raises(StoreError, match="search again"):
            found(reopened, "record", "number 1777 ")
        search_index.catch_up(reopened)
        assert len(found(reopened, "record", "number ")) == 5000
