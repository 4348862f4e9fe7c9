"""Splits: decided by the prompt alone, so that no prompt is both trained on and tested with."""

import json
from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st
from stored import examples_of

from store.examples import prompt_group
from studio.importing import import_file
from studio.project import open_project
from studio.settings import SplitSettings
from studio.splits import split_of

SHARES = st.floats(0, 0.5)


def group(number: int) -> bytes:
    return prompt_group([{"role": "user", "content": f"Question {number}"}])


@given(st.binary(min_size=1, max_size=16), SHARES, SHARES, st.integers())
def test_a_prompt_always_falls_where_it_fell(key, validation, test, seed) -> None:
    settings = SplitSettings(validation, test, seed)
    split = split_of(key, settings)
    assert split == split_of(key, SplitSettings(validation, test, seed))
    # A larger share takes prompts in and lets none go.
    if split == "test":
        assert split_of(key, SplitSettings(validation, 1.0, seed)) == "test"


def test_the_shares_are_the_settings() -> None:
    counts = Counter(split_of(group(n), SplitSettings(validation=0.2, test=0.1)) for n in range(5000))
    # Six standard deviations either way.
    assert abs(counts["test"] - 500) < 130
    assert abs(counts["validation"] - 1000) < 170
    assert {split_of(group(n), SplitSettings(0, 0)) for n in range(100)} == {"train"}
    assert {split_of(group(n), SplitSettings(0, 1)) for n in range(100)} == {"test"}


def test_another_seed_parts_them_otherwise() -> None:
    first, second = ([split_of(group(n), SplitSettings(seed=seed)) for n in range(50)] for seed in (1, 2))
    assert first != second


def test_one_prompt_has_one_split_in_every_file_and_shape(project, store, tmp_path) -> None:
    pairs_file, chats_file = tmp_path / "pairs.jsonl", tmp_path / "chats.jsonl"
    rows = [{"prompt": f"Q{n % 20}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(60)]
    pairs_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, pairs_file)
    # Settings that were changed since move no prompt that has a split.
    settings = project.folder / "studio.toml"
    text = settings.read_text().replace("test = 0.1", "test = 0.7")
    settings.write_text(text)
    chats = [
        {"messages": [{"role": role, "content": text} for role, text in turns]}
        for n in range(40)
        for turns in [[("system", "Be kind."), ("user", f"Q{n}"), ("assistant", "A")]]
    ]
    chats_file.write_text("".join(json.dumps(row) + "\n" for row in chats))
    import_file(open_project(project.folder), store, chats_file)
    splits = defaultdict(set)
    for made in examples_of(store):
        splits[prompt_group(made.messages)].add(made.split)
    assert len(splits) == 40
    assert all(len(found) == 1 for found in splits.values())
    assert {split for found in splits.values() for split in found} == {"train", "validation", "test"}
