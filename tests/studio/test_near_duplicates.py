"""Duplicates: what is the same, what is nearly so, and prompts in more than one split."""

import json
import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import examples_of

from store import duplicates as groups
from store import examples, records
from store.database import Store
from store.records import NewRecord
from studio import duplicates
from studio.cli import cli
from studio.duplicates import Cancelled, between, find, find_leaks, source_named
from studio.errors import StudioError
from studio.importing import import_file
from studio.mapping import Mapping
from studio.project import Project
from studio.shingles import fold, likeness, shingles


def add(store: Store, *texts: str, name: str = "a.jsonl") -> range:
    source = records.add_source(store, name=name, path=f"/{name}", container="jsonl", format="plain", size=1)
    rows = [NewRecord(n, json.dumps({"t": t}), {"t": t}, t.encode(errors="replace")) for n, t in enumerate(texts, 1)]
    return records.add(store, source, rows)


def ask(store: Store, split: examples.Split, *texts: str) -> list[int]:
    return [
        examples.add(store, record_id=None, messages=[{"role": "user", "content": text}], split=split) for text in texts
    ]


def found(store: Store, kind: groups.GroupKind = "near") -> list[list[int]]:
    return [[member.id for member in group.members] for group in groups.groups(store, kind)]


WORDS = [f"word{n}" for n in range(300)]


def sentence(seed: int, length: int = 60) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def changed(words: list[str], *places: int) -> str:
    return " ".join("other" if at in places else word for at, word in enumerate(words))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Stra\u00dfe", "STRASSE"),
        ("cafe\u0301", "caf\u00e9"),
        ("\uff21\uff22\uff23 \ufb01n", "abc fin"),
        ("  top-up,\n(again)!", "Top up again"),
        ("\u4f60\u597d\u3002", "\u4f60\u597d\uff01"),
        ("a\u200bb\0c", "a b c"),
        ("half \ud800", "half"),
    ],
)
def test_what_makes_no_difference_is_folded(one, other) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("3 + 4", "3 = 4"), ("$5", "\u20ac5"), ("\u0928\u093f", "\u0928"), ("resume", "r\u00e9sum\u00e9")],
)
def test_what_makes_a_difference_is_kept(one, other) -> None:
    assert fold(one) != fold(other)


@given(st.text(st.characters(exclude_categories=())))
def test_folding_twice_changes_nothing_more(text) -> None:
    once = fold(text)
    assert fold(once) == once
    once.encode()


def test_a_shingle_is_five_words_or_five_characters() -> None:
    assert shingles("a b c d e f") == {"a b c d e", "b c d e f"}
    assert shingles("a b") == {"a b"}
    assert shingles("\u6211\u4eec\u53bb\u5317\u4eac\u5427") == {
        "\u6211 \u4eec \u53bb \u5317 \u4eac",
        "\u4eec \u53bb \u5317 \u4eac \u5427",
    }
    assert shingles("") == set()
    assert likeness({"a", "b"}, {"b", "c"}) == 1 / 3
    assert likeness(set(), set()) == 0


def test_equal_texts_are_grouped_with_the_first(store) -> None:
    add(store, "Hello, you!", "else", "hello you", "?!", "HELLO\tYOU", "...", "elsewhere", "Else")
    assert find(store) == (2, 5, 2)
    assert found(store) == [[1, 3, 5], [2, 8]]
    assert {m.similarity for g in groups.groups(store, "near") for m in g.members} == {1.0}


def test_near_ones_are_grouped_when_asked_for(store) -> None:
    words, other = sentence(1), sentence(2)
    add(store, changed(words), changed(other), changed(words, 59), changed(words, 10, 20, 30), changed(words, 0, 59))
    assert find(store) == (0, 0, 0)
    assert find(store, near=True) == (1, 3, 1)
    [group] = groups.groups(store, "near")
    assert [m.id for m in group.members] == [1, 3, 5]
    assert [round(m.similarity, 3) for m in group.members] == [round(s, 3) for s in (55 / 57, 55 / 57, 54 / 58)]


def test_each_of_a_group_is_like_the_first(store) -> None:
    """B is like A and C is like B, but C is not like A: once B is excluded nothing that is left is alike."""
    words = sentence(3)
    add(store, changed(words), changed(words, 58, 59), *(changed(words, *range(60 - n, 60)) for n in (4, 6, 8, 10, 12)))
    find(store, near=True)
    for group in groups.groups(store, "near"):
        groups.keep_first(store, group.id)
    kept = [
        shingles(fold(record.raw))
        for record in (records.get(store, n) for n in records.span(store))
        if not record.excluded
    ]
    assert 1 < len(kept) < 7
    assert all(likeness(*two) < 0.8 for two in combinations(kept, 2))


@given(st.lists(st.lists(st.integers(0, 59), max_size=9), min_size=2, max_size=8), st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_the_search_agrees_with_comparing_each_with_each(tmp_path_factory, changes, seed) -> None:
    from store.database import create_store

    texts = [changed(sentence(seed), *places) for places in changes]
    with create_store(tmp_path_factory.mktemp("near") / "studio.db") as store:
        add(store, *texts)
        find(store, near=True)
        together = found(store)
    runs = [shingles(fold(text)) for text in texts]
    leaders: dict[int, list[int]] = {}
    for number, own in enumerate(runs):
        alike = {leader: likeness(own, runs[leader]) for leader in leaders}
        best = max(alike, key=alike.__getitem__, default=None)
        if best is None or alike[best] < duplicates.LEAST:
            leaders[number] = []
        elif list(alike.values()).count(alike[best]) > 1:
            return  # either will do
        else:
            leaders[best].append(number)
    assert together == [[leader + 1, *(n + 1 for n in rest)] for leader, rest in leaders.items() if rest]


def test_texts_without_spaces_are_compared_too(store) -> None:
    text = "".join(
        random.Random(5).choices("\u6211\u4eec\u53bb\u5317\u4eac\u5427\u4f60\u597d\u5417\u5929\u6c14", k=120)
    )
    add(store, text, text[:-1] + "\u732b", text[60:] + text[:60][::-1])
    find(store, near=True)
    assert found(store) == [[1, 2]]


def test_any_row_can_be_compared(store) -> None:
    source = records.add_source(store, name="b", path="/b", container="jsonl", format="plain", size=1)
    broken = [
        NewRecord(n, raw, None, b"", error="bad") for n, raw in enumerate([b"\xff\0", "{cut", "{cut \0", b"\xff"])
    ]
    records.add(store, source, broken)
    add(store, "", "half \ud800", "half \ud801", "0" * 300_000, "0" * 300_000, " ".join(WORDS * 1000))
    find(store, near=True)
    assert found(store) == [[1, 4], [2, 3], [6, 7], [8, 9]]


def test_running_again_replaces_the_groups_and_stopping_keeps_them(store) -> None:
    add(store, "one", "One", *map(str, range(1000)))
    find(store)
    seen: list[duplicates.SearchProgress] = []
    with pytest.raises(Cancelled):
        find(store, near=True, on_progress=seen.append, cancelled=lambda: len(seen) > 1)
    assert str(seen[-1]) == "Reading: 1,000 of 1,002"
    assert found(store) == [[1, 2]]
    add(store, "two", "Two")
    find(store, near=True)
    assert found(store) == [[1, 2], [1003, 1004]]


def test_a_prompt_in_more_than_one_split_is_a_leak(store) -> None:
    ask(store, "train", "Where is it?", "Who?", "Where is it", "What now?", "What now")
    ask(store, "test", "where is IT", "Why?")
    ask(store, "validation", "WHO", "why")
    assert find_leaks(store) == (3, 7, 3)
    assert sorted(found(store, "leak")) == [[6, 1, 3], [7, 9], [8, 2]]
    for group in groups.ids(store, "leak"):
        groups.keep_first(store, group)
    assert [e.id for e in examples_of(store) if e.excluded] == [1, 2, 3, 9]
    assert find_leaks(store) == (3, 7, 0)


def test_an_edit_makes_or_mends_a_leak(store) -> None:
    one, two = *ask(store, "train", "Where?"), *ask(store, "test", "Who?")
    assert find_leaks(store).groups == 0
    examples.revise(store, one, [{"role": "system", "content": "x"}, {"role": "user", "content": "who"}])
    find_leaks(store)
    assert found(store, "leak") == [[two, one]]
    examples.revise(store, one, [{"role": "user", "content": "Where?"}])
    assert find_leaks(store).groups == 0


def test_near_leaks_are_found_although_tests_are_alike(store) -> None:
    """The training prompt is like the second of two test prompts that are like each other, not like the first."""
    words = sentence(7)
    first, second = changed(words), changed(words, 55, 56)
    third = changed(words, 3, 4, 55, 56)
    assert likeness(shingles(first), shingles(third)) < 0.8 <= likeness(shingles(second), shingles(third))
    ask(store, "test", first, second)
    ask(store, "train", third)
    assert find_leaks(store).groups == 0
    find_leaks(store, near=True)
    assert found(store, "leak") == [[2, 3]]


def test_two_sources_are_compared(store) -> None:
    add(store, "one", "One", "two", "three", name="train")
    add(store, "TWO", "ONE", "one!", name="test")
    both = between(store, source_named(store, "train"), source_named(store, "2"))
    assert [(r.record_id, r.of_record_id, r.similarity) for r in both.repeats] == [
        (1, 6, 1.0),
        (2, 6, 1.0),
        (3, 5, 1.0),
    ]
    assert groups.counts(store, "near").groups == 0
    with pytest.raises(StudioError, match="itself"):
        between(store, both.first, both.first)
    with pytest.raises(StudioError, match=r"no source nix.*train \(1\), test \(2\)"):
        source_named(store, "nix")
    add(store, "x", name="test")
    with pytest.raises(StudioError, match=r"2 sources are named test.*: 2, 3"):
        source_named(store, "test")


# Real files.


@pytest.fixture
def banking(project: Project, store: Store, shared_data: Path) -> Store:
    """Training and test file of banking77, each its own split."""
    for name, split in (("banking77_train.csv", "train"), ("banking77_test.csv", "test")):
        mapping = Mapping({"prompt": "text", "completion": "category"})
        import_file(project, store, shared_data / name, mapping=mapping, split=split)
    return store


def test_the_leaks_of_banking77(banking) -> None:
    train, test = records.sources(banking)
    repeats = between(banking, train, test).repeats
    assert len(repeats) == 25
    texts = {n: records.get(banking, n).fields["text"].casefold() for repeat in repeats for n in repeat[:2]}
    assert sum(texts[r.record_id].split() == texts[r.of_record_id].split() for r in repeats) == 7
    assert find_leaks(banking) == (25, 50, 25)


@pytest.mark.parametrize(
    ("name", "exact", "groups_of"),
    [
        ("llamafactory_dpo_en_demo.json", 5, {2: 5}),
        ("llamafactory_alpaca_en_demo.json", 14, {2: 12, 3: 1}),
    ],
)
def test_the_duplicates_of_files_that_are_known(project, store, shared_data, name, exact, groups_of) -> None:
    report = import_file(project, store, shared_data / name)
    assert report.duplicates == exact
    find(store)
    assert Counter(group.size for group in groups.groups(store, "near")) == groups_of


def test_the_prompts_of_pandalm(project, store, shared_data) -> None:
    verdicts = {"0": "tie", "1": "left", "2": "right"}
    import_file(project, store, shared_data / "pandalm_testset_v1.json", mapping=Mapping({}, verdicts))
    asked = {fold(text) for split in duplicates.SPLITS for _, text in groups.prompts_of_split(store, split)}
    assert len(asked) == 170
    assert find_leaks(store).groups == 0


# The command.


def run(project: Project, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["duplicates", *arguments, "--project", str(project.folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_groups_excludes_and_restores(project, store) -> None:
    add(store, "Hello [b]you[/b]\x1b[31m", "hello b you b 31m", "else")
    said = run(project)
    assert "a.jsonl:2" in said
    assert "1 groups of records that repeat each other, 2 records; 1 still to look at." in said
    assert "1 excluded." in run(project, "--exclude")
    assert records.get(store, 2).excluded
    assert "1 restored." in run(project, "--restore")
    assert not records.get(store, 2).excluded
    document = json.loads(run(project, "--json"))
    assert (document["groups"], document["found"][0]["members"][1]["place"]) == (1, "a.jsonl:2")


def test_the_command_finds_leaks_and_compares_sources(project, store) -> None:
    ask(store, "train", "Who?")
    assert "No prompt is in more than one split." in run(project, "--leaks")
    ask(store, "test", "who")
    document = json.loads(run(project, "--leaks", "--exclude", "--json"))
    assert (document["groups"], document["open"], document["excluded"]) == (1, 0, 1)
    assert [m["split"] for m in document["found"][0]["members"]] == ["test", "train"]
    add(store, "x", name="one")
    add(store, "X", "y", name="two")
    assert "1 of 2 rows of two are in one too." in run(project, "--between", "two", "one")
    assert json.loads(run(project, "--between", "two", "one", "--json"))["repeats"][0]["similarity"] == 1.0


@pytest.mark.parametrize("wrong", [["--exclude", "--restore"], ["--between", "a", "b", "--exclude"]])
def test_what_does_not_go_together_is_wrong_usage(project, wrong) -> None:
    done = CliRunner().invoke(cli, ["duplicates", *wrong, "--project", str(project.folder)])
    assert done.exit_code == 2
