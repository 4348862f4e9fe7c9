"""`studio chat` and `studio parity`: talking to a model, and the proof that its tokens are the trained ones."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say

if TYPE_CHECKING:
    from store.examples import Message
    from studio.inference.chat import ChatModel
    from studio.inference.engine import Engine, Sampling


@click.command("chat")
@click.argument("model", required=False, metavar="[RUN|MODEL]")
@click.option("--message", "-m", help="Ask this once, print the reply and end.")
@click.option("--system", help="The system prompt.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.7, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=512, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@project_option
@json_option
def chat(
    model: str | None,
    message: str | None,
    system: str | None,
    temperature: float,
    max_tokens: int,
    seed: int,
    folder: Path,
    as_json: bool,
) -> None:
    """Chat in the terminal with a run or a model (default: the project's base model)."""
    from studio.inference.chat import resolve_chat_model
    from studio.inference.engine import Engine, Sampling

    with opened(folder) as (project, store):
        chat_model = resolve_chat_model(project, store, model or project.settings.model, on_progress=progress)
        progress_done()
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed)
    history: list[Message] = [{"role": "system", "content": system}] if system else []
    with Engine(project.folder / "engine.log") as engine:
        if message is not None:
            history.append({"role": "user", "content": message})
            text, stats = _answer(engine, chat_model, history, sampling, stream=not as_json)
            if as_json:
                print_json({"model": chat_model.name, "message": message, "reply": text, "stats": stats})
            return
        say(f"{chat_model.name}. An empty line or ctrl+d ends the chat; ctrl+c stops a reply.")
        _converse(engine, chat_model, history, sampling)


def _converse(engine: "Engine", model: "ChatModel", history: "list[Message]", sampling: "Sampling") -> None:
    while True:
        try:
            line = input("you> ").strip()
        except EOFError:
            line = ""
        if not line:
            return
        history.append({"role": "user", "content": line})
        text, _ = _answer(engine, model, history, sampling, stream=True)
        history.append({"role": "assistant", "content": text})


def _answer(
    engine: "Engine", model: "ChatModel", history: "list[Message]", sampling: "Sampling", *, stream: bool
) -> "tuple[str, object]":
    from studio.inference.chat import reply
    from studio.text import clean

    generation = reply(engine, model, history, sampling)
    text = ""
    try:
        for token in generation:
            text += token.text
            if stream:
                click.echo(clean(token.text), nl=False)
    except KeyboardInterrupt:
        generation.cancel()
    if stream:
        say()
    return text, generation.stats


@click.command("parity")
@click.argument("run_id", metavar="RUN")
@project_option
@json_option
def parity(run_id: str, folder: Path, as_json: bool) -> None:
    """Prove that the tokens a run trained on are the ones llama.cpp makes of the same text."""
    from studio.inference.parity import check_run
    from studio.training.history.watch import sync_run

    with opened(folder) as (project, store):
        sync_run(project, store, run_id)
        result = check_run(project, store, run_id)
    if as_json:
        print_json(result)
    else:
        say(result.sentence)
    if not result.equal:
        raise click.exceptions.Exit(1)


COMMANDS = (chat, parity)
