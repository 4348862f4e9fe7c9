"""`studio serve`: a run or a model over HTTP, for the `openai` client and whatever speaks its language."""

from pathlib import Path

import click

from studio.commands.common import opened, progress, progress_done, project_option, say
from studio.errors import StudioError


@click.command("serve")
@click.argument("model", required=False, metavar="[RUN|MODEL]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another than this machine's needs a key.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--key-file", type=click.Path(path_type=Path), help="A file with the key that clients must show.")
@click.option("--key-env", metavar="NAME", help="An environment variable with that key.")
@click.option("--context", type=click.IntRange(min=128), help="Tokens of a conversation with its reply.")
@project_option
def serve(
    model: str | None,
    host: str,
    port: int,
    key_file: Path | None,
    key_env: str | None,
    context: int | None,
    folder: Path,
) -> None:
    """Serve a run or a model (default: the project's base model) as OpenAI's chat completions.

    Prompts are rendered as in training and chat. ctrl+c ends it. docs/serving.md has examples.
    """
    from studio.assistant.system import system_of
    from studio.inference.chat import resolve_chat_model
    from studio.inference.engine import DEFAULT_CONTEXT
    from studio.serving.running import served
    from studio.serving.settings import Serving, check, read_key

    key = read_key(key_file, key_env)
    with opened(folder) as (project, store):
        found = resolve_chat_model(project, store, model or project.settings.model, on_progress=progress)
        progress_done()
    serving = Serving(
        name=found.name,
        gguf=str(found.gguf),
        adapter=str(found.adapter) if found.adapter else None,
        tokenizer_folder=str(found.tokenizer_folder),
        template=found.template,
        system=system_of(project),
        host=host,
        port=port,
        context=context or DEFAULT_CONTEXT,
        key=key,
    )
    check(serving)
    progress(f"loading {serving.name}")
    try:
        with served(serving, project.folder / "serve.log") as process:
            progress_done()
            say(f"{serving.name} answers at {serving.address}{', with the key' if key else ''}. ctrl+c ends it.")
            process.wait()
    except KeyboardInterrupt:
        say()
        return
    raise StudioError(f"The server ended with status {process.returncode}.", "Its last words are in serve.log.")


COMMANDS = (serve,)
