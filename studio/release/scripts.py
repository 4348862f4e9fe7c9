"""How llama.cpp and the studio run what a bundle holds."""

from shlex import quote

TEMPLATE, SYSTEM = "chat_template.jinja", "system.txt"
"""The chat template and the assistant's system text, by their names in a bundle."""


def run_script(gguf: str, context: int, *, has_system: bool) -> str:
    """Return `run.sh`, which starts llama.cpp's server."""
    return "\n".join(
        [
            "#!/bin/sh",
            "# An OpenAI-compatible endpoint on this machine alone, with the chat template that training used.",
            "# llama.cpp reads special tokens in what users write as such; `studio serve` reads them as text.",
            *([f"# The assistant's system text is in {SYSTEM}: send it as the first message."] if has_system else []),
            'cd "$(dirname "$0")" || exit 1',
            f'exec {server_line(gguf, context)} "$@"',
            "",
        ]
    )


def server_line(gguf: str, context: int) -> str:
    """Return llama.cpp's command."""
    return (
        f"llama-server -m {quote(gguf)} --jinja --chat-template-file {TEMPLATE} -c {context} "
        "--host 127.0.0.1 --port 8080"
    )


def studio_line(gguf: str, context: int) -> str:
    """Return the studio's command, in a project of its own or any other."""
    return f"studio serve {quote(gguf)} --context {context}"
