"""`studio chat`: talking to a run or a model in the terminal."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studio.commands.common import json_option, opened, print_json, progress, progress_done, project_option, say
from studio.text import clean

if TYPE_CHECKING:
    from store.database import Store
    from studio.chatting.terminal import TerminalChat
    from studio.project import Project


@click.command("chat")
@click.argument("model", required=False, metavar="[RUN|MODEL]")
@click.option("--message", "-m", help="Ask this once, print the reply and end; it is not kept.")
@click.option("--continue", "chat_id", type=int, metavar="ID", help="Go on with an earlier chat: studio chats.")
@click.option("--system", help="The system prompt (default: the assistant's, where studio.toml has one).")
@click.option("--temperature", type=click.FloatRange(min=0), help="0 takes the likeliest token (default: 0.7).")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest reply (default: 512).")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Of the first answer; another's is one more.")
@click.option("--context", type=click.IntRange(min=16), help="Tokens of prompt and reply together.")
@project_option
@json_option
def chat(
    model: str | None,
    message: str | None,
    chat_id: int | None,
    system: str | None,
    temperature: float | None,
    max_tokens: int | None,
    seed: int | None,
    context: int | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Chat in the terminal with a run or a model (default: the project's base model)."""
    from studio.chatting import keeping
    from studio.chatting.settings import ChatSettings
    from studio.chatting.terminal import TerminalChat
    from studio.inference.engine import DEFAULT_CONTEXT, Engine, Sampling

    if as_json and message is None:
        raise click.UsageError("--json needs --message.")
    if chat_id is not None and (model or message is not None or system is not None):
        raise click.UsageError("--continue takes the chat as it is, without a model, --message or --system.")
    said = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    changes: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    with opened(folder) as (project, store), Engine(project.folder / "engine.log") as engine:
        if chat_id is None:
            settings = ChatSettings(Sampling(**changes), context or DEFAULT_CONTEXT, alternatives=0)
            talk = keeping.new_chat(project, [model or project.settings.model], settings)
            if system is not None:
                talk.set_system(system)
        else:
            talk = keeping.open_chat(project, store, chat_id)
            if changes or context:
                held = talk.settings
                sampling = replace(held.sampling, **changes)
                changed = replace(held, sampling=sampling, context=context or held.context)
                keeping.change_settings(store, talk, changed)
        _make_ready(talk.models, project, store)
        terminal = TerminalChat(project, store, engine, talk, _write, _edit, _loading)
        if message is not None:
            _ask_once(terminal, message, as_json=as_json)
        else:
            _converse(terminal)


def _make_ready(models: list[str], project: "Project", store: "Store") -> None:
    from studio.inference.chat import resolve_chat_model

    for model in models:
        resolve_chat_model(project, store, model, on_progress=progress)
    progress_done()


def _ask_once(terminal: "TerminalChat", message: str, *, as_json: bool) -> None:
    from studio.chatting.answering import Coming, Reply
    from studio.chatting.conversation import Prompt
    from studio.chatting.terminal import stopped_by_ctrl_c

    chat, shown = terminal.chat, 0
    prompt = Prompt(
        chat.models[0],
        [*chat.opening, {"role": "user", "content": message}],
        chat.settings.sampling,
        chat.settings.context,
        0,
    )

    def news(coming: Coming) -> None:
        nonlocal shown
        if not as_json:
            _write(coming.text[shown:])
            shown = len(coming.text)

    reply = Reply()
    with stopped_by_ctrl_c(reply):
        answer = reply.run(terminal.engine, terminal.project, prompt, news, terminal.store)
    if as_json:
        print_json({"model": chat.models[0], "message": message, "reply": answer.text, "stats": answer.stats})
    else:
        _write(answer.text[shown:] + "\n")


def _converse(terminal: "TerminalChat") -> None:
    from studio.chatting.terminal import lines

    if sys.stdin.isatty():
        import readline  # noqa: F401  # it gives input() its line editing and its memory
    say(f"{', '.join(terminal.chat.models)}. /help lists commands; an empty line or ctrl+d ends the chat.")
    if terminal.chat.chat_id is not None:
        terminal.show()
    for line in lines(input):
        if not terminal.take(line):
            break
    if terminal.chat.chat_id is not None:
        say(f"Kept: studio chat --continue {terminal.chat.chat_id}")


def _write(text: str) -> None:
    if text:
        click.echo(clean(text) if sys.stdout.isatty() else text.encode(errors="replace").decode(), nl=False)


def _edit(text: str) -> str | None:
    return click.edit(text)


def _loading(words: str) -> None:
    if words:
        progress(words)
    else:
        progress_done()


COMMANDS = (chat,)
