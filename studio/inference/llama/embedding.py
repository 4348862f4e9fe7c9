"""Vectors of texts, from a model made for that or from any other."""

import llama_cpp
import numpy as np

from studio.inference.llama.context import Context
from studio.inference.llama.inbox import Inbox
from studio.inference.llama.memory import Models, Wanted
from studio.inference.llama.native import Refused
from studio.inference.llama.steps import WORKED, Message, Steps, Stopped


def embed(request: Message, models: Models, inbox: Inbox) -> Steps:
    """Load the model and turn each text's ids into a vector of length 1."""
    wanted = [Wanted.of(request["model"], embeddings=True)]
    vectors: list[list[float]] = []
    yield from models.take(request["id"], wanted)
    with models.hold(wanted) as [context]:
        for number, ids in enumerate(request["texts"]):
            if not 1 <= len(ids) <= context.length:
                raise Refused(f"Text {number + 1} has {len(ids):,} tokens; the model reads 1 to {context.length:,}.")
            context.keep([])
            while not context.evaluate(ids, lambda: inbox.is_urgent, rows=True):
                if inbox.is_cancelled(request["id"]):
                    raise Stopped
                yield WORKED
            vectors.append(_vector(context))
            yield WORKED
    yield {"event": "result", "value": vectors}


def _vector(context: Context) -> list[float]:
    size = llama_cpp.llama_model_n_embd_out(context.model)
    vector = np.ctypeslib.as_array(llama_cpp.llama_get_embeddings_seq(context.pointer, 0), shape=(size,))
    length = float(np.linalg.norm(vector.astype(np.float64)))
    return [float(part) / length for part in vector] if length else vector.tolist()
