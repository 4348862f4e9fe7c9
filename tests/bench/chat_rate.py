"""How fast the engine is beside bare llama-cpp-python: replies, long prompts, second turns, and stopping.

    python tests/bench/chat_rate.py [GGUF] [--rounds N] [--tokens N]

Both run the same model with the same threads, in turns; what counts are the ratios.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from llama_cpp import Llama

from studio.chatting.settings import ALTERNATIVES
from studio.inference.engine import Engine, ModelKey, Sampling
from studio.inference.llama.native import threads
from studio.models import CHAT_FILE, prepare, resolve

CONTEXT = 4096


class Bare:
    """The library alone, in this process."""

    def __init__(self, gguf: Path) -> None:
        one, many = threads()
        self.model = Llama(str(gguf), n_ctx=CONTEXT, n_threads=one, n_threads_batch=many, verbose=False)

    def reply(self, ids: list[int], tokens: int) -> None:
        made = self.model.generate(ids, temp=0.0)
        for _, token in zip(range(tokens), made, strict=False):
            self.model.detokenize([token])

    def read(self, ids: list[int]) -> None:
        self.model.reset()
        self.model.eval(ids)


class Studio:
    """The same through the engine."""

    def __init__(self, engine: Engine, gguf: Path) -> None:
        self.engine = engine
        self.key: ModelKey = engine.load(gguf, context=CONTEXT)

    def reply(self, ids: list[int], tokens: int, alternatives: int = 0) -> None:
        sampling = Sampling(temperature=0, max_tokens=tokens)
        for _ in self.engine.generate(self.key, ids, sampling, alternatives=alternatives):
            pass

    def read(self, ids: list[int]) -> None:
        self.reply(ids, 1)


def spent() -> float:
    """Processor time of this process and of the engine's."""
    children = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + sum(times.user + times.system for times in children)


def cost(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds that passed, and seconds of processor time."""
    begun, before = time.perf_counter(), spent()
    work()
    return time.perf_counter() - begun, spent() - before


def ratio(bare: Callable[[], None], studio: Callable[[], None], rounds: int) -> str:
    """The bare cost as a share of the studio's, in turns and in changing order."""
    rates, works = [], []
    for number in range(rounds):
        order = (bare, studio) if number % 2 else (studio, bare)
        taken = {work: cost(work) for work in order}
        rates.append(taken[bare][0] / taken[studio][0])
        works.append(taken[studio][1] / taken[bare][1])
    return (
        f"{statistics.median(rates):.3f} of the bare rate (median of {rounds}, {min(rates):.3f} to {max(rates):.3f});"
        f" {statistics.median(works):.3f} of its processor time"
    )


def stopping(engine: Engine, key: ModelKey, ids: list[int], rounds: int) -> list[float]:
    """Milliseconds from the wish to stop, in the midst of a long prompt, to the end of the reply."""
    found = []
    for number in range(rounds):
        generation = engine.generate(key, [number + 5, *ids], Sampling(max_tokens=5))
        time.sleep(0.2)
        begun = time.perf_counter()
        generation.cancel()
        for _ in generation:
            pass
        if generation.stats["reason"] == "cancelled":
            found.append(1000 * (time.perf_counter() - begun))
    return sorted(found)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("gguf", nargs="?", type=Path)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--tokens", type=int, default=128)
    arguments.add_argument("--prompt", type=int, default=1024, help="tokens of the long prompts")
    chosen = arguments.parse_args()
    gguf = chosen.gguf or default_model()
    prompt = list(range(1000, 1064))
    size = chosen.prompt
    long = [1000 + n * 7 % 5000 for n in range(size)]
    with tempfile.TemporaryDirectory() as folder, Engine(Path(folder) / "engine.log") as engine:
        bare, studio = Bare(gguf), Studio(engine, gguf)
        for one in (bare, studio):
            one.reply(prompt, 4)
        said = ratio(
            lambda: bare.reply(prompt, chosen.tokens), lambda: studio.reply(prompt, chosen.tokens), chosen.rounds
        )
        print(f"replies of {chosen.tokens} tokens: {said}")
        said = ratio(
            lambda: bare.reply(prompt, chosen.tokens),
            lambda: studio.reply(prompt, chosen.tokens, ALTERNATIVES),
            chosen.rounds,
        )
        print(f"the same with what Chat keeps of each token ({ALTERNATIVES} alternatives): {said}")

        turn = iter(range(10_000))
        said = ratio(
            lambda: bare.read([next(turn) + 20, *long[1:]]),
            lambda: studio.read([next(turn) + 20, *long[1:]]),
            max(2, chosen.rounds // 2),
        )
        print(f"prompts of {size:,} tokens: {said}")

        studio.reply(long, 1)
        generation = engine.generate(studio.key, [*long, *prompt], Sampling(max_tokens=1))
        list(generation)
        print(f"second turn: {generation.stats['reused_tokens']:,} of {size + len(prompt):,} tokens were known already")

        taken = stopping(engine, studio.key, long, chosen.rounds)
        print(f"stopping in a long prompt: {', '.join(f'{one:.0f}' for one in taken)} ms")
        bare.model.close()


def default_model() -> Path:
    """Return the default model's file for llama.cpp."""
    model = resolve("smollm2")
    prepare(model, "gguf")
    return model.folder / CHAT_FILE


if __name__ == "__main__":
    main()
