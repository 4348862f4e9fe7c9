"""The llama.cpp process: streams, is cancelled at once, and its death costs one reply."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tiny_gguf import TRAINED_FOR, VOCABULARY, write_model

from studio.inference.asked import EngineError, Generation
from studio.inference.engine import Engine, ModelKey, Sampling
from studio.models import CHAT_FILE, BaseModel, prepare
from studio.rendering import ChatTokenizer, render_prompt

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("engine")]

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY = Sampling(temperature=0, max_tokens=12)
ENDLESS = Sampling(temperature=1.0, max_tokens=4000)
PROMPT = list(range(40, 80))


@pytest.fixture(scope="module")
def gguf(base_model: BaseModel) -> Path:
    prepare(base_model, "gguf")
    return base_model.folder / CHAT_FILE


def child_of_this_process() -> psutil.Process:
    found = [one for one in psutil.Process().children() if "studio.inference.llama" in one.cmdline()]
    return found[-1]


def ids_of(generation: Generation) -> list[int]:
    return [token.id for token in generation if token.id >= 0]


def test_a_reply_streams_and_ends_at_the_end_of_turn(engine: Engine, gguf: Path, tokenizer: ChatTokenizer) -> None:
    key = engine.load(gguf)
    prompt = render_prompt(tokenizer, QUESTION).ids
    generation = engine.generate(key, prompt, Sampling(temperature=0, max_tokens=40), tokenizer.eos_ids, alternatives=3)
    tokens = list(generation)
    text = "".join(token.text for token in tokens)
    assert "Paris" in text
    assert not tokenizer.eos_ids & {token.id for token in tokens}
    assert generation.stats["reason"] == "stop"
    assert generation.stats["prompt_tokens"] == len(prompt)
    for token in tokens:
        assert len(token.alternatives) == 3
        assert token.alternatives[0] == (token.alternatives[0].__class__(token.id, token.text, token.logprob or 0.0))
    assert generation.end is not None
    assert generation.end.id in tokenizer.eos_ids
    assert generation.end.text == "<|im_end|>"

    turns = [*QUESTION, {"role": "assistant", "content": text}, {"role": "user", "content": "And of Spain?"}]
    second = render_prompt(tokenizer, turns).ids
    generation = engine.generate(key, second, Sampling(temperature=0, max_tokens=1))
    list(generation)
    assert generation.stats["reused_tokens"] >= len(prompt) + len(tokens), "a second turn pays for what is new in it"


def test_chances_are_those_of_the_model_whatever_the_sampling(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    warm = Sampling(temperature=1.5, top_k=3, max_tokens=5, seed=3)
    tokens = list(engine.generate(key, PROMPT, warm, alternatives=VOCABULARY))
    ids = [token.id for token in tokens]
    [scored] = engine.compare(key, [PROMPT + ids], [len(PROMPT)])
    assert [token.logprob for token in tokens] == pytest.approx(scored.logprobs, abs=1e-4)
    for token in tokens:
        chances = [other.logprob for other in token.alternatives]
        assert chances == sorted(chances, reverse=True)
        assert sum(2.718281828459045**chance for chance in chances) == pytest.approx(1, abs=1e-5)


def test_the_same_seed_gives_the_same_reply(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    sampling = Sampling(temperature=1.0, seed=7, max_tokens=12)
    # The first reply fills the cache; with equal caches equal seeds must agree.
    replies = [ids_of(engine.generate(key, PROMPT, sampling)) for _ in range(3)]
    assert replies[1] == replies[2]
    assert ids_of(engine.generate(key, PROMPT, Sampling(temperature=1.0, seed=8, max_tokens=12))) != replies[1]


def test_a_repeatable_reply_does_not_hang_on_what_was_asked_before(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    long = [40 + n % 90 for n in range(400)]
    first, start = (engine.generate(key, long, GREEDY, repeatable=True, alternatives=1) for _ in range(2))
    ids_of(start)
    list(engine.generate(key, long[:300], GREEDY))
    again = engine.generate(key, long, GREEDY, repeatable=True, alternatives=1)
    assert list(first) == list(again), "down to the last digit of each chance"


def test_a_repeatable_reply_does_not_go_on_from_tokens_that_were_written_one_by_one(engine: Engine, gguf: Path) -> None:
    key = engine.load(gguf)
    written = ids_of(engine.generate(key, PROMPT, GREEDY, repeatable=True))
    turn = [*PROMPT, *written]
    after = list(engine.generate(key, turn, GREEDY, repeatable=True, alternatives=1))
    list(engine.generate(key, PROMPT[::-1], GREEDY))
    assert list(engine.generate(key, turn, GREEDY, repeatable=True, alternatives=1)) == after
    again = engine.generate(key, turn, GREEDY, repeatable=True, alternatives=1)
    assert list(again) == after
    assert again.stats["reused_tokens"] == len(turn) - 1


def test_a_prompt_that_goes_on_from_the_last_one_is_read_right(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    long = [40 + n * n % 90 for n in range(400)]
    [alone] = engine.generate(key, long, Sampling(temperature=0, max_tokens=1), repeatable=True, alternatives=5)
    for known in (350, 37, 398):
        list(engine.generate(key, [*long[:known], 30, 31, 32], GREEDY))
        generation = engine.generate(key, long, Sampling(temperature=0, max_tokens=1), alternatives=5)
        [token] = generation
        assert generation.stats["reused_tokens"] == known
        assert token.logprob == pytest.approx(alone.logprob, abs=1e-3)
        assert [one.logprob for one in token.alternatives] == pytest.approx(
            [one.logprob for one in alone.alternatives], abs=1e-3
        )


def test_a_penalty_keeps_a_reply_from_going_round(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    plain, penalised = (
        ids_of(engine.generate(key, PROMPT, Sampling(temperature=0, max_tokens=60, repeat_penalty=penalty)))
        for penalty in (1.0, 2.0)
    )
    assert len(set(penalised)) > len(set(plain))


@pytest.mark.parametrize("contexts", [(512, 1024), (512, 512)])
def test_two_replies_go_on_at_once(engine: Engine, tiny: Path, contexts: tuple[int, int]) -> None:
    keys = [engine.load(tiny, context=size) for size in contexts]
    prompts = [PROMPT, PROMPT[::-1]]
    alone = [
        ids_of(engine.generate(key, prompt, GREEDY, repeatable=True)) for key, prompt in zip(keys, prompts, strict=True)
    ]
    both = [engine.generate(key, prompt, GREEDY, repeatable=True) for key, prompt in zip(keys, prompts, strict=True)]
    assert [ids_of(generation) for generation in both] == alone


def test_cancelling_ends_the_reply(engine: Engine, tiny: Path) -> None:
    generation = engine.generate(engine.load(tiny), PROMPT, ENDLESS)
    taken = 0
    for _ in generation:
        taken += 1
        if taken == 3:
            generation.cancel()
    assert taken < ENDLESS.max_tokens
    assert generation.stats["reason"] == "cancelled"


def test_cancelling_ends_a_long_prompt_before_its_first_token(
    engine: Engine, gguf: Path, tokenizer: ChatTokenizer
) -> None:
    key = engine.load(gguf)
    words = " ".join(f"word{n}" for n in range(700))
    long = render_prompt(tokenizer, [{"role": "user", "content": words}]).ids
    generation = engine.generate(key, long, GREEDY)
    generation.cancel()
    assert list(generation) == []
    assert generation.stats["reason"] == "cancelled"


def test_what_is_cancelled_does_not_hold_up_what_goes_on(engine: Engine, tiny: Path) -> None:
    first, second = (engine.load(tiny, context=size) for size in (512, 1024))
    kept = engine.generate(first, PROMPT, Sampling(temperature=0, max_tokens=200))
    dropped = engine.generate(second, PROMPT, Sampling(temperature=0, max_tokens=900))
    dropped.cancel()
    dropped.cancel()
    assert len(ids_of(kept)) == 200
    ids_of(dropped)
    dropped.cancel()
    assert ids_of(engine.generate(first, PROMPT, GREEDY)), "a wish to stop what has ended stops nothing else"


def test_a_prompt_longer_than_the_context_is_refused_in_words(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny, context=512)
    with pytest.raises(EngineError, match="512"):
        list(engine.generate(key, [5] * 600, GREEDY))
    with pytest.raises(EngineError, match="has not"):
        list(engine.generate(key, [VOCABULARY], GREEDY))


def test_a_reply_ends_where_the_context_does(engine: Engine, tiny: Path) -> None:
    generation = engine.generate(engine.load(tiny, context=64), PROMPT, ENDLESS)
    assert len(ids_of(generation)) == 64 - len(PROMPT)
    assert generation.stats["reason"] == "length"


def test_a_model_is_loaded_for_no_more_than_it_was_made_for(engine: Engine, tiny: Path) -> None:
    assert engine.load(tiny, context=100_000).context == TRAINED_FOR


def test_an_adapter_acts_beside_its_base_as_strongly_as_asked(engine: Engine, tiny: Path, tiny_adapter: Path) -> None:
    def chances(key: ModelKey) -> list[float]:
        [scored] = engine.compare(key, [PROMPT], [1])
        return scored.logprobs

    base = engine.load(tiny)
    alone = chances(base)
    tuned, half, none = (engine.load(tiny, tiny_adapter, scale=scale) for scale in (1.0, 0.5, 0.0))
    assert chances(tuned) != pytest.approx(alone, abs=0.05)
    assert chances(half) != pytest.approx(chances(tuned), abs=0.05)
    assert chances(none) == pytest.approx(alone, abs=1e-4)
    assert chances(base) == alone


def test_an_adapter_of_another_model_is_refused_in_words(engine: Engine, gguf: Path, tiny_adapter: Path) -> None:
    with pytest.raises(EngineError, match=r"adapter\.gguf"):
        engine.load(gguf, tiny_adapter)


def test_a_file_written_anew_is_another_model(engine: Engine, tmp_path: Path) -> None:
    path = write_model(tmp_path / "run.gguf", seed=1)
    before = ids_of(engine.generate(engine.load(path), PROMPT, GREEDY))
    write_model(tmp_path / "next.gguf", seed=2).replace(path)
    assert ids_of(engine.generate(engine.load(path), PROMPT, GREEDY)) != before


def test_loading_tells_how_far_it_is_and_can_be_stopped(engine: Engine, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(_: float) -> None:
        raise Enough

    path = write_model(tmp_path / "new.gguf")
    with pytest.raises(Enough):
        engine.load(path, on_progress=stop)
    parts: list[float] = []
    key = engine.load(path, on_progress=parts.append)
    assert parts == sorted(parts)
    assert all(0 <= part <= 1 for part in parts)
    assert ids_of(engine.generate(key, PROMPT, GREEDY))


def test_a_killed_process_costs_one_reply(engine: Engine, tiny: Path) -> None:
    key = engine.load(tiny)
    tokens = iter(engine.generate(key, PROMPT, ENDLESS))
    next(tokens)
    child_of_this_process().kill()
    with pytest.raises(EngineError, match="killed by SIGKILL"):
        list(tokens)
    assert ids_of(engine.generate(key, PROMPT, GREEDY)), "the next one needs not even ask for the model"


def test_a_process_that_is_killed_while_it_loads_is_started_again(engine: Engine, tiny: Path) -> None:
    engine.load(tiny)
    child = child_of_this_process()
    child.suspend()
    # It hears of the load no more.
    threading.Timer(0.3, child.kill).start()
    with pytest.raises(EngineError, match="killed by SIGKILL"):
        engine.load(tiny, context=256)
    assert engine.load(tiny, context=256).context == 256


def test_a_process_that_hangs_is_ended_by_the_wish_to_stop(
    engine: Engine, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.inference.child.STOPPING_SECONDS", 0.3)
    key = engine.load(tiny)
    child_of_this_process().suspend()
    # More than its pipe holds: nobody may wait for it to be read.
    full = threading.Thread(target=engine.generate, args=[key, PROMPT * 4000, ENDLESS], daemon=True)
    hanging = engine.generate(key, PROMPT, ENDLESS)
    full.start()
    full.join(0.2)
    assert full.is_alive()
    hanging.cancel()
    with pytest.raises(EngineError, match="did not stop when it was asked to"):
        list(hanging)
    full.join()
    assert ids_of(engine.generate(key, PROMPT, GREEDY))


def test_an_illegal_instruction_comes_with_its_cure(engine: Engine, tiny: Path) -> None:
    tokens = iter(engine.generate(engine.load(tiny), PROMPT, ENDLESS))
    next(tokens)
    os.kill(child_of_this_process().pid, signal.SIGILL)
    with pytest.raises(EngineError, match="GGML_NATIVE=OFF"):
        list(tokens)


def test_closing_ends_what_is_coming(tmp_path: Path, tiny: Path) -> None:
    running = Engine(tmp_path / "engine.log")
    tokens = iter(running.generate(ModelKey(tiny), PROMPT, ENDLESS))
    next(tokens)
    child = child_of_this_process()
    running.close()
    with suppress(EngineError):
        list(tokens)
    assert not child.is_running()


def test_a_file_that_is_no_model_is_refused(engine: Engine, tmp_path: Path) -> None:
    fake = tmp_path / "broken.gguf"
    fake.write_bytes(b"GGUF" + b"\x00" * 400)
    with pytest.raises(EngineError, match=r"broken\.gguf"):
        engine.load(fake)
    with pytest.raises(EngineError, match=r"none\.gguf"):
        engine.load(tmp_path / "none.gguf")


def test_no_byte_of_a_long_token_is_lost(base_model: BaseModel, tokenizer: ChatTokenizer) -> None:
    from studio.inference.llama.native import bytes_of, open_vocabulary

    indented = "\n" + " " * 80
    ids = tokenizer.tokenizer.encode(indented, add_special_tokens=False).ids
    vocabulary = open_vocabulary(base_model.source)
    assert b"".join(bytes_of(vocabulary, token) for token in ids) == indented.encode()
    assert max(len(bytes_of(vocabulary, token)) for token in range(tokenizer.tokenizer.get_vocab_size())) > 64
