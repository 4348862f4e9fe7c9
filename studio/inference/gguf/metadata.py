"""What a GGUF that is written here says of itself, so that whoever finds the file knows what it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN = "tuning_studio.run"
MADE_FROM = "tuning_studio.made_from"
"""A hash of all that the file was made from: a finished one is recognised by it."""


@dataclass(frozen=True)
class Metadata:
    """What is written into the file; an empty text leaves what the base says."""

    name: str = ""
    licence: str = ""
    run: str = ""
    description: str = ""
    base: str = ""
    chat_template: str = ""


def of_run(run_id: str, base: str, chat_template: str) -> Metadata:
    """Return what the files of a run over a base model say of themselves."""
    name = Path(base).name
    return Metadata(
        f"{name} {run_id}",
        run=run_id,
        description=f"{name}, fine-tuned by Tuning Studio",
        base=name,
        chat_template=chat_template,
    )


def apply(writer: Any, metadata: Metadata) -> None:
    """Write it over what a `GGUFWriter` has been given from the base."""
    import gguf

    keys, kind = gguf.Keys.General, gguf.GGUFValueType.STRING
    texts = {
        keys.NAME: metadata.name,
        keys.LICENSE: metadata.licence,
        keys.DESCRIPTION: metadata.description,
        keys.FINETUNE: metadata.run,
        RUN: metadata.run,
        keys.BASE_MODEL_NAME.format(id=0): metadata.base,
        gguf.Keys.Tokenizer.CHAT_TEMPLATE: metadata.chat_template,
    }
    for key, text in texts.items():
        if text:
            put(writer, key, text, kind)
    if metadata.base:
        put(writer, keys.BASE_MODEL_COUNT, 1, gguf.GGUFValueType.UINT32)


def put(writer: Any, key: str, value: Any, kind: Any, element: Any = None) -> None:
    """Give a writer a value, in the place of another of that key if there is one."""
    writer.kv_data[0].pop(key, None)
    writer.add_key_value(key, value, kind, element)
