"""Groups of duplicates as they are kept: excluding all but the first, and letting in again just that."""

import pytest

from store import duplicates, examples, records
from store.database import Store
from store.errors import MissingRowError
from store.records import NewRecord


@pytest.fixture
def filled(store) -> Store:
    """Six records, and of each of the first four an example: train, test, train, validation."""
    source = records.add_source(store, name="a.jsonl", path="/a.jsonl", container="jsonl", format="plain", size=1)
    rows = [NewRecord(n, f'{{"t": "text {n}"}}', {"t": f"text {n}"}, b"") for n in range(1, 7)]
    ids = records.add(store, source, rows)
    for record_id, split in zip(ids, ("train", "test", "train", "validation"), strict=False):
        turns = [{"role": role, "content": f"{role} {record_id}"} for role in ("system", "user", "assistant")]
        examples.add(store, record_id=record_id, messages=turns, split=split)
    return store


def out_records(store: Store) -> list[int]:
    return [number for number in records.span(store) if records.get(store, number).excluded]


def out_examples(store: Store) -> list[int]:
    return [number for number in examples.span(store) if examples.get(store, number).excluded]


def test_groups_are_read_back_with_what_a_list_shows(filled) -> None:
    duplicates.replace(filled, "near", [[(2, 1.0), (1, 0.9)], [(4, 0.8), (5, 0.8), (6, 0.85)]])
    duplicates.replace(filled, "leak", [[(1, 1.0), (4, 1.0), (2, 1.0)]])
    first, second = duplicates.groups(filled, "near")
    assert [(m.id, m.similarity, m.place, m.excerpt, m.split) for m in first.members] == [
        (1, 0.9, "a.jsonl:1", "text 1", None),
        (2, 1.0, "a.jsonl:2", "text 2", None),
    ]
    assert (first.size, second.size) == (2, 3)
    [leak] = duplicates.groups(filled, "leak")
    assert [(m.id, m.split, m.excerpt) for m in leak.members] == [
        (2, "test", "user 2"),
        (4, "validation", "user 4"),
        (1, "train", "user 1"),
    ]
    assert duplicates.groups(filled, "near", limit=1) == [first]
    assert duplicates.groups(filled, "near", after=first.id) == [second]
    assert duplicates.ids(filled, "near") == [first.id, second.id]
    assert duplicates.counts(filled, "near") == (2, 5, 2)
    assert duplicates.counts(filled, "leak") == (1, 3, 1)


def test_all_but_the_first_record_are_excluded_and_let_in_again(filled) -> None:
    duplicates.replace(filled, "near", [[(1, 1.0), (2, 1.0), (3, 1.0)], [(4, 1.0), (5, 1.0)]])
    group, other = duplicates.ids(filled, "near")
    for _ in range(2):
        assert duplicates.keep_first(filled, group) == 2
        assert out_records(filled) == [2, 3]
        assert duplicates.counts(filled, "near") == (2, 5, 1)
    assert duplicates.keep_first(filled, other) == 1
    assert duplicates.restore(filled, group) == 2
    assert out_records(filled) == [5]
    assert duplicates.restore(filled, group) == 0


def test_what_a_person_excluded_stays_so(filled) -> None:
    duplicates.replace(filled, "near", [[(1, 1.0), (2, 1.0), (3, 1.0)]])
    [group] = duplicates.ids(filled, "near")
    records.set_excluded(filled, 1, True)
    assert duplicates.keep_first(filled, group) == 1
    assert out_records(filled) == [1, 3]
    duplicates.restore(filled, group)
    assert out_records(filled) == [1]
    records.set_excluded(filled, 2, True)
    records.set_excluded(filled, 3, True)
    assert duplicates.keep_first(filled, group) == 0
    assert duplicates.counts(filled, "near").open == 0


def test_of_a_leak_the_side_that_is_held_out_most_is_kept(filled) -> None:
    duplicates.replace(filled, "leak", [[(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]])
    [group] = duplicates.ids(filled, "leak")
    assert duplicates.keep_first(filled, group) == 3
    assert (out_examples(filled), out_records(filled)) == ([1, 3, 4], [])
    assert duplicates.counts(filled, "leak").open == 0
    duplicates.restore(filled, group)
    examples.set_excluded(filled, 2, True)
    assert duplicates.keep_first(filled, group) == 2
    assert out_examples(filled) == [1, 2, 3]


def test_a_new_search_remembers_what_was_excluded(filled) -> None:
    duplicates.replace(filled, "near", [[(1, 1.0), (2, 1.0)], [(4, 1.0), (5, 1.0)]])
    duplicates.replace(filled, "leak", [[(1, 1.0), (2, 1.0)]])
    old = duplicates.ids(filled, "near")
    for group in old:
        duplicates.keep_first(filled, group)
    duplicates.replace(filled, "near", [[(1, 1.0), (2, 1.0), (3, 0.9)]])
    [group] = duplicates.ids(filled, "near")
    assert group > max(old)
    duplicates.restore(filled, group)
    assert out_records(filled) == [5]
    assert duplicates.counts(filled, "leak").groups == 1
    for ask in (duplicates.keep_first, duplicates.restore):
        with pytest.raises(MissingRowError, match=f"no group {old[0]}"):
            ask(filled, old[0])


def test_texts_are_read_in_pages(filled, monkeypatch) -> None:
    monkeypatch.setattr(duplicates, "PAGE", 2)
    assert list(duplicates.texts_of_source(filled, None)) == [(n, f"text {n}") for n in range(1, 7)]
    assert list(duplicates.texts_of_source(filled, 1)) == [(n, f"text {n}") for n in range(1, 7)]
    assert list(duplicates.texts_of_source(filled, 2)) == []
    assert list(duplicates.prompts_of_split(filled, "train")) == [(1, "user 1"), (3, "user 3")]
    examples.revise(filled, 1, [{"role": "user", "content": "edited"}])
    assert duplicates.prompts(filled, [1, 2]) == {1: "edited", 2: "user 2"}
