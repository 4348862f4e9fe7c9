"""Tokenised rows and other figures that are kept in the user's cache."""

import os
from pathlib import Path

import orjson
import pytest

from studio.rendering import ChatTokenizer
from studio.training.fast import cache
from studio.training.fast import tokenised as module
from studio.training.fast.tokenised import tokenised
from studio.training.recipe import make_recipe
from studio.training.rows.data import load_rows, tokenise


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNING_STUDIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    talks = [
        {"example": n, "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": f"Hello {n}"}]}
        for n in range(3)
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, talks)))
    return path


def test_rows_are_tokenised_once_for_what_they_hang_on(
    tokenizer: ChatTokenizer, model_folder: Path, rows: Path, own_cache: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / name).write_bytes((model_folder / name).read_bytes())
    made: list[str] = []
    given = tokenise
    monkeypatch.setattr(module, "tokenise", lambda *all_of: made.append("once") or given(*all_of))
    recipe = make_recipe("sft", [])
    expected = given(tokenizer, recipe, load_rows(rows))
    assert [tokenised(tokenizer, recipe, rows, folder) for _ in range(2)] == [expected, expected]
    assert len(made) == 1
    tokenised(tokenizer, make_recipe("sft", ["learning_rate=1"]), rows, folder)
    assert len(made) == 1
    # A file that something else broke is no reason to fail.
    [kept] = (own_cache / "tokenised").iterdir()
    kept.write_bytes(b"broken")
    assert tokenised(tokenizer, recipe, rows, folder) == expected
    assert len(made) == 2
    for number, change in enumerate(
        [
            lambda: tokenised(tokenizer, make_recipe("sft", ["max_length=64"]), rows, folder),
            lambda: (
                rows.write_bytes(rows.read_bytes().replace(b"Hi", b"Ho")) and tokenised(tokenizer, recipe, rows, folder)
            ),
            lambda: (
                (folder / "chat_template.jinja").write_text("{# other #}" + "x")
                and tokenised(tokenizer, recipe, rows, folder)
            ),
        ],
        start=3,
    ):
        change()
        assert len(made) == number
    # A template that writes the date makes other rows tomorrow.
    (folder / "chat_template.jinja").write_text("{{ strftime_now('%d') }}")
    for number in (6, 7):
        tokenised(tokenizer, recipe, rows, folder)
        assert len(made) == number


def test_what_was_not_used_for_longest_makes_room(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 300)
    for age, name in enumerate("abc"):
        cache.write("figures", name, b"x" * 100)
        os.utime(own_cache / "figures" / name, (1000 + age, 1000 + age))
        if name == "b":
            assert cache.read("figures", "a") == b"x" * 100
    cache.write("figures", "d", b"x" * 301)
    assert {path.name for path in (own_cache / "figures").iterdir()} == {"a", "c"}
    assert cache.read("figures", "b") is None


def test_what_was_damaged_counts_as_not_kept(own_cache: Path) -> None:
    cache.write("figures", "a", b"x" * 100)
    path = own_cache / "figures" / "a"
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:-1] + b"y", b"", b"something else"):
        path.write_bytes(damaged)
        assert cache.read("figures", "a") is None
    path.write_bytes(whole)
    assert cache.read("figures", "a") == b"x" * 100


def test_a_cache_that_can_not_be_written_is_no_error(own_cache: Path) -> None:
    own_cache.write_text("a file in its place")
    cache.write("figures", "a", b"x")
    assert cache.read("figures", "a") is None
