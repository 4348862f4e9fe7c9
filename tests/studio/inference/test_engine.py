"""The llama.cpp process: streams, is cancelled at once, and its death costs one reply."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from studio.inference.engine import Engine, EngineError, Sampling
from studio.inference.worker import KEPT, Models, bytes_of
from studio.models import CHAT_FILE, BaseModel, prepare
from studio.rendering import ChatTokenizer, render_prompt

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("engine")]

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY = Sampling(temperature=0, max_tokens=40)


@pytest.fixture(scope="module")
def gguf(base_model: BaseModel) -> Path:
    prepare(base_model, "gguf")
    return base_model.folder / CHAT_FILE


@pytest.fixture
def prompt(tokenizer: ChatTokenizer) -> list[int]:
    return render_prompt(tokenizer, QUESTION).ids


def child_of(engine: Engine) -> int:
    """Return the pid of the engine's process."""
    found = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "studio.inference.worker"], capture_output=True, text=True, check=True
    )
    return int(found.stdout.split()[-1])


def test_a_reply_streams_and_ends_at_the_end_of_turn(
    engine: Engine, gguf: Path, tokenizer: ChatTokenizer, prompt: list[int]
) -> None:
    key = engine.load(gguf)
    generation = engine.generate(key, prompt, GREEDY, tokenizer.eos_ids)
    tokens = list(generation)
    text = "".join(token.text for token in tokens)
    assert "Paris" in text
    assert not tokenizer.eos_ids & {token.id for token in tokens}
    assert generation.stats["reason"] == "stop"
    assert generation.stats["prompt_tokens"] == len(prompt)


def test_the_same_seed_gives_the_same_reply(engine: Engine, gguf: Path, prompt: list[int]) -> None:
    key = engine.load(gguf)
    sampling = Sampling(temperature=1.0, seed=7, max_tokens=12)
    # The first reply fills the cache; with equal caches equal seeds must agree.
    replies = [[t.id for t in engine.generate(key, prompt, sampling)] for _ in range(3)]
    assert replies[1] == replies[2]
    other = [t.id for t in engine.generate(key, prompt, Sampling(temperature=1.0, seed=8, max_tokens=12))]
    assert other != replies[1]


def test_two_replies_go_on_at_once(engine: Engine, gguf: Path, prompt: list[int]) -> None:
    first, second = (engine.load(gguf, context=size) for size in (512, 1024))
    generations = [engine.generate(key, prompt, Sampling(temperature=0, max_tokens=30)) for key in (first, second)]
    lengths = [0, 0]

    def consume(number: int) -> None:
        lengths[number] = sum(1 for _ in generations[number])

    threads = [threading.Thread(target=consume, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert all(0 < length <= 31 for length in lengths)


def test_cancelling_ends_the_reply(engine: Engine, gguf: Path, prompt: list[int]) -> None:
    key = engine.load(gguf)
    generation = engine.generate(key, prompt, Sampling(temperature=1.0, max_tokens=2000))
    taken = 0
    for _ in generation:
        taken += 1
        if taken == 3:
            generation.cancel()
    assert taken < 200
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


def test_a_prompt_longer_than_the_context_is_refused_in_words(engine: Engine, gguf: Path) -> None:
    key = engine.load(gguf, context=512)
    with pytest.raises(EngineError, match="512"):
        list(engine.generate(key, [5] * 600, GREEDY))


def test_a_killed_process_costs_one_reply(engine: Engine, gguf: Path, prompt: list[int]) -> None:
    key = engine.load(gguf)
    generation = engine.generate(key, prompt, Sampling(temperature=1.0, max_tokens=3000))
    tokens = iter(generation)
    next(tokens)
    os.kill(child_of(engine), signal.SIGKILL)
    with pytest.raises(EngineError, match="killed by SIGKILL"):
        list(tokens)
    key = engine.load(gguf)
    assert list(engine.generate(key, prompt, GREEDY))


def test_an_illegal_instruction_comes_with_its_cure(engine: Engine, gguf: Path, prompt: list[int]) -> None:
    key = engine.load(gguf)
    generation = engine.generate(key, prompt, Sampling(temperature=1.0, max_tokens=3000))
    tokens = iter(generation)
    next(tokens)
    os.kill(child_of(engine), signal.SIGILL)
    with pytest.raises(EngineError, match="GGML_NATIVE=OFF"):
        list(tokens)


def test_a_file_that_is_no_model_is_refused(engine: Engine, tmp_path: Path) -> None:
    fake = tmp_path / "broken.gguf"
    fake.write_bytes(b"GGUF" + b"\x00" * 400)
    with pytest.raises(EngineError, match=r"broken\.gguf"):
        engine.load(fake)


def test_no_byte_of_a_long_token_is_lost(base_model: BaseModel, tokenizer: ChatTokenizer) -> None:
    from llama_cpp import Llama

    vocabulary = Llama(str(base_model.source), vocab_only=True, verbose=False)
    indented = "\n" + " " * 48
    (token,) = tokenizer.tokenizer.encode(indented, add_special_tokens=False).ids
    assert bytes_of(vocabulary, token) == indented.encode()
    vocabulary.close()


def test_models_that_are_not_used_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []

    class FakeLlama:
        def __init__(self, *_: object, n_ctx: int, **__: object) -> None:
            self.number = n_ctx

        def close(self) -> None:
            closed.append(self.number)

    monkeypatch.setattr("llama_cpp.Llama", FakeLlama)
    models = Models()
    with models.using("m", None, 1):
        for number in (2, 3, 2):
            models.load("m", None, number)
        assert closed == [2, 3], f"the one that replies stays among the {KEPT}"
    models.load("m", None, 4)
    assert closed == [2, 3, 1]
