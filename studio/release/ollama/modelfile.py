"""The Modelfile: what `ollama create NAME -f Modelfile` reads."""

from collections.abc import Sequence

from studio.release.ollama.proof import OllamaTemplate

QUOTES = '"""'


def write(gguf: str, template: OllamaTemplate, system: str, stops: Sequence[str], context: int) -> str:
    """Return the Modelfile.

    Args:
        gguf: the model's file, by its path in the bundle.
        template: Ollama's template for the chat template.
        system: the assistant's system text; empty where there is none.
        stops: the texts of the tokens that end an answer.
        context: tokens of a conversation with its answer.
    """
    parts = [f"FROM ./{gguf}"]
    notes = list(template.notes)
    if template.text:
        head = (
            f"# Derived from chat_template.jinja: {template.tried} conversations rendered by both are equal, all bytes."
        )
        parts += [head, f"TEMPLATE {QUOTES}{template.text}{QUOTES}"]
    else:
        notes.append(
            "So there is no TEMPLATE: Ollama takes the nearest that it knows to the GGUF's tokenizer.chat_template."
        )
        notes.append(
            "Look at it with `ollama show --template NAME`, or use llama-server, which runs the template itself."
        )
    if system and not template.takes_system and template.text:
        notes.append("The assistant's system text is left out with them; system.txt has it.")
    elif QUOTES in system:
        notes.append(
            "The assistant's system text has three quotes in a row, which no Modelfile can hold; see system.txt."
        )
    elif system:
        parts.append(f"SYSTEM {QUOTES}{system}{QUOTES}")
    parts += [f'PARAMETER stop "{stop}"' for stop in stops if '"' not in stop and "\n" not in stop]
    parts.append(f"PARAMETER num_ctx {context}")
    return "\n".join([*(f"# {note}" for note in notes), *parts, ""])
