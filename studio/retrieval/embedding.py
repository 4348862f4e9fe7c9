"""Passages and questions as vectors of a local embedding model, where the project names one."""

import sqlite3
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from store import passages
from studio.errors import StudioError
from studio.project import Project

if TYPE_CHECKING:
    from studio.inference.engine import Engine

BATCH = 32
"""Passages that are embedded in one go."""
AT_ONCE = 64
"""Passages that are embedded before a question is answered; more are to be asked for by a command."""
CONTEXT = 2048
"""Tokens of one text, at most, where the model reads as many; what is behind them counts no more."""


def catch_up(
    project: Project,
    index: sqlite3.Connection,
    *,
    most: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Embed the passages that have no vector yet; return how many those were. Without a model there is nothing to do.

    Raises:
        StudioError: the model can't be used, or more than `most` passages wait.
    """
    if not project.settings.documents.embedding:
        return 0
    model, done = _name(_file(project)), 0
    if most is not None and len(passages.without_embedding(index, model, most + 1)) > most:
        raise StudioError("Most passages have no embedding yet.", "Run studio documents index.")
    while not cancelled() and (waiting := passages.without_embedding(index, model, BATCH)):
        vectors = embed(project, [text for _, text in waiting])
        packed = [(number, _packed(vector)) for (number, _), vector in zip(waiting, vectors, strict=True)]
        passages.put_embeddings(index, model, packed)
        done += len(waiting)
        if on_progress:
            on_progress(done)
    return done


def nearest(project: Project, index: sqlite3.Connection, question: str, most: int) -> list[tuple[int, float]]:
    """Return the passages whose vectors are nearest to that of a question, by cosine, the nearest first.

    Raises:
        StudioError: the model can't be used.
    """
    import numpy as np

    ids, packed = passages.embeddings(index, _name(_file(project)))
    if not ids or not question.strip():
        return []
    vectors = np.frombuffer(packed, dtype="<f4").reshape(len(ids), -1)
    asked = np.asarray(embed(project, [question])[0], dtype="<f4")
    scores = vectors @ (asked / (np.linalg.norm(asked) or 1))
    best = np.argsort(-scores, kind="stable")[:most]
    return [(ids[place], float(scores[place])) for place in best]


def embed(project: Project, texts: list[str]) -> list[list[float]]:
    """Return the vectors of texts.

    Raises:
        StudioError: the model can't be used.
    """
    gguf, engine = _file(project), _engine(project.folder)
    begin, end, context = _reads(gguf)
    key = engine.load(gguf, context=context)
    room = context - len(begin) - len(end)
    # A text of somebody's document can't form special tokens.
    read = (engine.tokenize(gguf, [(text, False)])[:room] for text in texts)
    return engine.embed(key, [[*begin, *ids, *end] for ids in read])


@lru_cache(maxsize=1)
def _reads(gguf: Path) -> tuple[list[int], list[int], int]:
    """Return the tokens that a model was trained to see before and after a text, and how many it reads in all."""
    from studio.inference.gguf.header import read_header

    header = read_header(gguf)
    model = header.text("tokenizer.ggml.model")

    def token(*names: str) -> list[int]:
        found = (header.number(f"tokenizer.ggml.{name}_token_id") for name in names)
        return [number for number in found if number is not None][:1]

    def adds(name: str, *kinds: str) -> bool:
        return bool(header.values.get(f"tokenizer.ggml.add_{name}_token", model in kinds))

    begin = token("cls", "bos") if model == "bert" else token("bos") if adds("bos", "llama") else []
    # The name of the key is misspelt in the format itself.
    end = token("seperator", "eos") if model == "bert" else token("eos") if adds("eos", "t5") else []
    most = header.number(f"{header.text('general.architecture')}.context_length") or CONTEXT
    return begin, end, min(most, CONTEXT)


@lru_cache(maxsize=1)
def _engine(folder: Path) -> "Engine":
    """Return the process that embeds; it lives as long as this one, so that a model is loaded once."""
    import atexit

    from studio.inference.engine import Engine

    engine = Engine(folder / "engine.log")
    atexit.register(engine.close)
    return engine


def _file(project: Project) -> Path:
    file = (project.folder / Path(project.settings.documents.embedding).expanduser()).resolve()
    if not file.is_file():
        raise StudioError(
            f"{file} is not there, but documents.embedding in studio.toml names it.",
            "Name a GGUF file of an embedding model, or take the line out.",
        )
    return file


def _name(file: Path) -> str:
    state = file.stat()
    return f"{file.name} {state.st_size} {state.st_mtime_ns}"


def _packed(vector: list[float]) -> bytes:
    import numpy as np

    values = np.asarray(vector, dtype="<f4")
    return (values / (np.linalg.norm(values) or 1)).astype("<f4").tobytes()
