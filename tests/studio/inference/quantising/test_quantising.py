"""Quantising for real: a small model made smaller by llama.cpp, tested, stopped, gone on with, and answered with."""

import os
import signal
import time
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.generating.speakers import check_model, lasting_ref
from studio.inference.chat import reply, resolve_chat_model
from studio.inference.engine import Engine, Sampling
from studio.inference.quantising import launch, report, state
from studio.inference.quantising.launch import Wanted
from studio.inference.quantising.making import make
from studio.inference.quantising.measuring import WORST, Text, measure
from studio.inference.quantising.places import Place
from studio.inference.quantising.state import State
from studio.inference.quantising.types import USUAL
from studio.inference.quantising.verdict import judge
from studio.inference.quantising.words import lines
from studio.process import only_one
from studio.project import open_project


def ended(place: Place) -> State:
    """Wait for the process's end."""
    deadline = time.monotonic() + 120
    while (now := state.read(place)) is None or now.state == "running":
        assert time.monotonic() < deadline, f"it goes on and on: {now}"
        time.sleep(0.05)
    return now


def test_types_are_made_tested_kept_and_answered_with(held_out, store) -> None:
    model = held_out.settings.model
    place = launch.start(held_out, store, model, Wanted(("q8_0", "Q2_K"), examples=3, reply_tokens=8))
    assert ended(place).state == "done", place.log.read_text()[-2000:]
    best, worst = report.read_all(place)
    assert (best.type, worst.type) == ("Q8_0", "Q2_K")
    assert worst.bytes < best.bytes < best.bytes_before
    assert best.bytes == place.gguf("Q8_0").stat().st_size
    assert not place.full.exists()
    for each in (best, worst):
        assert each.test is not None
        assert (each.test.texts, each.test.skipped, each.test.own_answers) == (3, 0, False)
        assert each.test.tokens > 20
        assert each.test.perplexity > 1
        assert each.test.speed > 0 < each.test.speed_before
        assert [(check.name, check.of) for check in each.test.checks] == [("short", 3)]
    assert best.test.perplexity_before == worst.test.perplexity_before
    assert 0 < best.test.mean_kl < worst.test.mean_kl < worst.test.worst_kl
    assert best.test.same_top > worst.test.same_top
    assert judge(worst).level == "broken"
    assert judge(best).level == "good"
    words = "\n".join(lines(model, [best, worst]))
    assert "Q2_K breaks this model: " in words
    assert "Recommended: Q8_0: the smallest within bounds" in words

    # What is there is left alone; what was not asked for before is added.
    before = place.gguf("Q8_0").stat().st_mtime_ns, place.report("Q8_0").stat().st_mtime_ns
    launch.start(held_out, store, model, Wanted(("Q8_0", "Q4_K_M"), examples=3, reply_tokens=8))
    assert ended(place).state == "done"
    assert (place.gguf("Q8_0").stat().st_mtime_ns, place.report("Q8_0").stat().st_mtime_ns) == before
    assert [each.type for each in report.read_all(place)] == ["Q8_0", "Q4_K_M", "Q2_K"]

    named = resolve_chat_model(held_out, store, f"{model}@q8_0")
    assert (named.gguf, named.adapter, named.name) == (place.gguf("Q8_0"), None, f"{model}@Q8_0")
    with Engine(held_out.folder / "engine.log") as engine:
        said = reply(engine, named, [{"role": "user", "content": "Hello"}], Sampling(temperature=0, max_tokens=3))
        assert len(list(said)) >= 1
    # It may be asked for new replies like any other model, and nothing else is taken for it.
    check_model(held_out, store, f"{model}@Q8_0")
    assert lasting_ref(store, f"{model}@q8_0") == f"{model}@Q8_0"
    for ask in (resolve_chat_model, check_model):
        with pytest.raises(StudioError, match="was not quantised to Q6_K, only to Q8_0, Q4_K_M, Q2_K"):
            ask(held_out, store, f"{model}@Q6_K")

    # Under another chat template it would be another model.
    (held_out.folder / "own.jinja").write_text("{{ messages[-1].content }}")
    settings = held_out.folder / "studio.toml"
    settings.write_text(settings.read_text().replace("[project]", '[project]\nchat_template = "own.jinja"'))
    with pytest.raises(StudioError, match="its weights or its chat template have changed"):
        resolve_chat_model(open_project(held_out.folder), store, f"{model}@Q8_0")


def test_a_stop_keeps_what_was_finished_and_nothing_half(held_out, store) -> None:
    model, many = (
        held_out.settings.model,
        (*USUAL, "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_S", "Q4_1", "Q4_0", "Q3_K_L", "Q3_K_S"),
    )
    place = launch.start(held_out, store, model, Wanted(many, test=False))
    while not place.made:
        time.sleep(0.01)
    launch.stop(place)
    assert ended(place).state == "stopped"
    assert 1 <= len(place.made) < len(many)
    assert not list(place.folder.glob(".*.part")), list(place.folder.iterdir())
    assert not place.full.exists()
    launch.start(held_out, store, model, Wanted(("Q8_0", "Q4_K_M"), test=False))
    assert ended(place).state == "done"
    assert {"Q8_0", "Q4_K_M"} <= {each.type for each in report.read_all(place)}
    assert {judge(each).level for each in report.read_all(place)} == {"untested"}
    launch.delete(place, "Q8_0")
    assert "Q8_0" not in place.made


def test_one_model_at_a_time(held_out, store) -> None:
    with only_one(held_out.folder / launch.LOCK), pytest.raises(StudioError, match="is being quantised already"):
        launch.start(held_out, store, held_out.settings.model, Wanted(("Q8_0",), test=False))


def test_after_a_kill_it_is_found_dead_and_goes_on_when_started_again(held_out, store) -> None:
    place = launch.start(held_out, store, held_out.settings.model, Wanted(USUAL, test=False))
    while not place.made:
        time.sleep(0.01)
    now = state.read(place)
    assert now is not None
    os.kill(now.pid, signal.SIGKILL)
    found = ended(place)
    assert (found.state, "without a word" in found.words) == ("failed", True)
    (place.folder / ".full.gguf.123.part").write_bytes(b"half")
    launch.start(held_out, store, held_out.settings.model, Wanted(USUAL, test=False))
    assert ended(place).state == "done"
    assert place.made == list(USUAL)
    assert not list(place.folder.glob(".*.part"))
    assert not place.full.exists()


def test_what_a_kill_left_goes_also_where_nothing_is_left_to_do(held_out, store) -> None:
    wanted = Wanted(("Q8_0",), test=False)
    place = launch.start(held_out, store, held_out.settings.model, wanted)
    assert ended(place).state == "done"
    place.full.write_bytes(b"GGUF")
    launch.start(held_out, store, held_out.settings.model, wanted)
    assert ended(place).state == "done"
    assert not place.full.exists()


def test_a_model_that_computes_no_numbers_is_broken(held_out, store) -> None:
    texts = [Text(1, [5, 6, 7], 1)]
    broken = held_out.folder / "broken.gguf"
    raw = bytearray(Path(held_out.settings.model).read_bytes())
    # The last norm's weights are the last tensors of the file.
    raw[-4:] = b"\x00\x00\xc0\x7f"
    broken.write_bytes(raw)
    with Engine(held_out.folder / "engine.log") as engine:
        loss = measure(engine, engine.load(broken), engine.load(Path(held_out.settings.model)), texts)
    assert loss.mean_kl == loss.worst_kl == WORST
    assert loss.perplexity > 1e300


def test_tensors_whose_rows_do_not_fit_are_named(narrow, tmp_path) -> None:
    told: list[float] = []
    with (tmp_path / "log.txt").open("wb") as log:
        made = make(narrow, tmp_path / "out.gguf", "Q4_K_M", log, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert made.bytes == (tmp_path / "out.gguf").stat().st_size < narrow.stat().st_size
    said = " ".join(map(str, made.fallbacks))
    assert "tensors are q5_0 instead of q4_K: their rows of 64 weights are no multiple of 256" in said


def test_what_cannot_be_made_is_refused_and_leaves_nothing(narrow, tmp_path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(narrow.read_bytes()[:100_000])
    there = set(tmp_path.iterdir())
    for source, type_ in ((narrow, "Q1_0"), (broken, "Q8_0")):
        refused = pytest.raises(StudioError, match=f"can't be quantised to {type_}")
        with (tmp_path / "log.txt").open("wb") as log, refused:
            make(source, tmp_path / "out.gguf", type_, log, lambda _: None)
    assert set(tmp_path.iterdir()) == there | {tmp_path / "log.txt"}
