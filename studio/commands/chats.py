"""`studio chats`: the list of chats, and what can be done with each."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from studio.commands.common import json_option, opened, print_json, project_option, say
from studio.text import clean_line

if TYPE_CHECKING:
    from store.chats import Chat
    from studio.chatting.exporting import Kind


@click.group("chats", invoke_without_command=True)
@click.pass_context
@project_option
@json_option
def chats(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """List what was said with models: chats, and search, show, export, rename, delete."""
    if ctx.invoked_subcommand is not None:
        return
    from store import chats as stored

    with opened(folder) as (_, store):
        found = stored.all_chats(store)
    if as_json:
        print_json([asdict(chat) for chat in found])
        return
    for chat in found:
        say(_line(chat))
    if not found:
        say("There are no chats yet: studio chat.")


@chats.command("search")
@click.argument("words", nargs=-1, required=True)
@project_option
@json_option
def search(words: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Find turns and titles that have all the words, in any order."""
    from studio.chatting.finding import search as find

    with opened(folder) as (_, store):
        found = find(store, " ".join(words))
    if as_json:
        print_json([hit._asdict() for hit in found])
        return
    for hit in found:
        say(f"{hit.chat_id:>5}  {clean_line(hit.title)}\n       {clean_line(hit.who)}: {hit.excerpt}")
    if not found:
        say("Nothing was found.")


@chats.command("show")
@click.argument("chat_id", type=int, metavar="ID")
@click.option("--every-branch", is_flag=True, help="All branches and answers, not only those last in sight.")
@project_option
@json_option
def show(chat_id: int, every_branch: bool, folder: Path, as_json: bool) -> None:
    """Print a chat as it was left."""
    from studio.chatting import exporting, keeping

    with opened(folder) as (project, store):
        chat = keeping.open_chat(project, store, chat_id)
    if as_json:
        print_json(list(exporting.rows(chat, every_branch=every_branch)))
    else:
        say(exporting.as_markdown(chat, every_branch=every_branch).rstrip())


@chats.command("export")
@click.argument("chat_id", type=int, metavar="ID")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--format", "kind", type=click.Choice(["markdown", "jsonl"]), help="By the file's name, else markdown.")
@click.option("--every-branch", is_flag=True, help="All branches and answers, not only those last in sight.")
@project_option
@json_option
def export(
    chat_id: int, out: Path | None, kind: "Kind | None", every_branch: bool, folder: Path, as_json: bool
) -> None:
    """Write a chat to a file: Markdown to read, or a line of messages for each model."""
    from studio.chatting import exporting, keeping

    chosen = kind or exporting.kind_of(out)
    with opened(folder) as (project, store):
        chat = keeping.open_chat(project, store, chat_id)
        path = exporting.write_export(project, chat, chosen, every_branch=every_branch, out=out)
    if as_json:
        print_json({"chat": chat_id, "format": chosen, "path": path})
    else:
        say(f"Written to {path}.")


@chats.command("rename")
@click.argument("chat_id", type=int, metavar="ID")
@click.argument("title")
@project_option
def rename(chat_id: int, title: str, folder: Path) -> None:
    """Give a chat another title."""
    from studio.chatting import keeping

    with opened(folder) as (project, store):
        keeping.rename(store, keeping.open_chat(project, store, chat_id), title)


@chats.command("delete")
@click.argument("chat_id", type=int, metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@project_option
def delete(chat_id: int, yes: bool, folder: Path) -> None:
    """Delete a chat for good; examples and verdicts made of it stay."""
    from store import chats as stored

    with opened(folder) as (_, store):
        chat = stored.get(store, chat_id)
        if not yes:
            click.confirm(f"Delete {_line(chat)}?", abort=True)
        stored.delete(store, chat_id)


def _line(chat: "Chat") -> str:
    questions = f"{chat.questions} question{'' if chat.questions == 1 else 's'}"
    day = chat.changed_at[:16].replace("T", " ")
    return f"{chat.id:>5}  {day}  {clean_line(chat.title or 'untitled')}  ({', '.join(chat.models)}; {questions})"


COMMANDS = (chats,)
